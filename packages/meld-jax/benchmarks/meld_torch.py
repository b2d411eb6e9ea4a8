"""MELD's latent state model and its gradient step in plain eager PyTorch: the same layers, shapes, loss and optimiser.

In the shape descriptions `B` denotes trials, `L` the frames of a trial, `H`, `W`, `C` a picture, `D` a layer of the
latent state.

What can be prepared for all frames at once is, as in `meld_jax`; only the posterior goes through frames in a loop. What
the loss does not need is left out: metrics, and the posterior's own values at frames that are not valid.

Convolutions are PyTorch's own, padded by the same number of pixels on all sides. XLA's have the odd pixel behind where
PyTorch has it in front, so that `conv` sees and draws pictures upside down and left to right (`mirror`).
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from meld_jax.config import MeldConfig, ModelConfig
from torch import nn
from torch.nn import functional

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_GATE_BIAS = -1.0
_PATCH, _SMALLEST, _NUM_HALVINGS = 4, 2, 4
_CONVS = ((1, 5), (2, 3), (4, 3), (8, 3))

Pairs = Iterator[tuple[Any, np.ndarray]]
"""Parameters, and what they are or should be."""


def _activation(config: ModelConfig) -> Any:
    return nn.ReLU() if config.activation == "relu" else nn.LeakyReLU(0.2)


def _pair_linear(layer: Any, tree: Any) -> Pairs:
    yield layer.weight, np.asarray(tree["kernel"]).T
    if layer.bias is not None:
        yield layer.bias, np.asarray(tree["bias"])


class PlainMLP(nn.Module):
    """`[..., Di] -> [..., Do]`."""

    def __init__(self, config: ModelConfig, num_inputs: int, num_outputs: int):
        super().__init__()
        sizes = (num_inputs, *config.hidden_sizes, num_outputs)
        self.layers = nn.ModuleList([nn.Linear(n, m) for n, m in itertools.pairwise(sizes)])
        self.activation = _activation(config)

    def forward(self, x: Any) -> Any:
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)

    def pair(self, tree: Any) -> Pairs:
        for i, layer in enumerate(self.layers):
            yield from _pair_linear(layer, tree[f"Linear_{i}"]["Dense_0"])


class JoinedMLP(nn.Module):
    """An MLP of two vectors; the first layer's product with `outer` is prepared for all frames at once."""

    def __init__(self, config: ModelConfig, num_outer: int, num_inner: int, num_outputs: int):
        super().__init__()
        sizes = (*config.hidden_sizes, num_outputs)
        self.outer = nn.Linear(num_outer, sizes[0])
        self.inner = nn.Linear(num_inner, sizes[0], bias=False)
        self.rest = nn.ModuleList([nn.Linear(n, m) for n, m in itertools.pairwise(sizes)])
        self.activation = _activation(config)

    def forward(self, prepared: Any, inner: Any) -> Any:
        x = prepared + self.inner(inner)
        for layer in self.rest:
            x = layer(self.activation(x))
        return x

    def pair(self, tree: Any) -> Pairs:
        yield from _pair_linear(self.outer, tree["outer"]["Dense_0"])
        yield from _pair_linear(self.inner, tree["inner"]["Dense_0"])
        for i, layer in enumerate(self.rest):
            yield from _pair_linear(layer, tree[f"rest_{i}"]["Dense_0"])


class ConvEncoder(nn.Module):
    """`[N, C, H, W] -> [N, 8 depth]`."""

    def __init__(self, config: ModelConfig, shape: tuple[int, int, int]):
        super().__init__()
        height, width, channels = shape
        sizes = (channels, *(factor * config.depth for factor, _ in _CONVS))
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(n, m, size, stride=2, padding=size // 2)
                for n, m, (_, size) in zip(sizes, sizes[1:], _CONVS, strict=False)
            ]
        )
        self.small = (height // 2**_NUM_HALVINGS, width // 2**_NUM_HALVINGS, sizes[-1])
        self.dense = nn.Linear(math.prod(self.small), sizes[-1])
        self.activation = _activation(config)

    def forward(self, x: Any) -> Any:
        for conv in self.convs:
            x = self.activation(conv(x))
        return self.activation(self.dense(x.flatten(1)))

    def pair(self, tree: Any) -> Pairs:
        for i, conv in enumerate(self.convs):
            kernel = np.asarray(tree[f"Conv_{i}"]["kernel"])
            yield conv.weight, kernel[::-1, ::-1].transpose(3, 2, 0, 1)
            yield conv.bias, np.asarray(tree[f"Conv_{i}"]["bias"])
        kernel = np.asarray(tree["Dense_0"]["kernel"])
        small = mirror(kernel.T.reshape(-1, *self.small))
        yield self.dense.weight, small.reshape(small.shape[0], -1)
        yield self.dense.bias, np.asarray(tree["Dense_0"]["bias"])


class ConvDecoder(nn.Module):
    """`[N, F] -> [N, C, H, W]`."""

    def __init__(self, config: ModelConfig, num_inputs: int, shape: tuple[int, int, int]):
        super().__init__()
        height, width, channels = shape
        sizes = (8 * config.depth, 4 * config.depth, 2 * config.depth, config.depth, channels)
        self.convs = nn.ModuleList(
            [
                nn.ConvTranspose2d(n, m, size, stride=2, padding=size // 2, output_padding=1)
                for n, m, (_, size) in zip(sizes, sizes[1:], reversed(_CONVS), strict=False)
            ]
        )
        self.small = (height // 2**_NUM_HALVINGS, width // 2**_NUM_HALVINGS, sizes[0])
        self.dense = nn.Linear(num_inputs, math.prod(self.small))
        self.activation = _activation(config)

    def forward(self, features: Any) -> Any:
        height, width, channels = self.small
        x = self.activation(self.dense(features)).view(-1, channels, height, width)
        for conv in self.convs[:-1]:
            x = self.activation(conv(x))
        return self.convs[-1](x)

    def pair(self, tree: Any) -> Pairs:
        kernel, bias = (np.asarray(tree["Dense_0"][name]) for name in ("kernel", "bias"))
        small = mirror(kernel.reshape(-1, *self.small))
        yield self.dense.weight, small.reshape(small.shape[0], -1).T
        yield self.dense.bias, mirror(bias.reshape(self.small)).reshape(-1)
        for i, conv in enumerate(self.convs):
            kernel = np.asarray(tree[f"ConvTranspose_{i}"]["kernel"])
            yield conv.weight, kernel.transpose(2, 3, 0, 1)
            yield conv.bias, np.asarray(tree[f"ConvTranspose_{i}"]["bias"])


def _merges(shape: tuple[int, int, int], depth: int) -> list[tuple[int, int]]:
    """Width and side of each layer of squares, from the pixels on."""
    height, width = shape[0] // _PATCH, shape[1] // _PATCH
    layers = [(2 * depth, _PATCH)]
    while height % 2 == 0 and width % 2 == 0 and height > _SMALLEST:
        height, width = height // 2, width // 2
        layers.append((2 * layers[-1][0], 2))
    return layers


class PatchEncoder(nn.Module):
    """`[N, H, W, C] -> [N, 8 depth]`."""

    def __init__(self, config: ModelConfig, shape: tuple[int, int, int]):
        super().__init__()
        self.merges = _merges(shape, config.depth)
        below = [shape[2], *(width for width, _ in self.merges)]
        self.layers = nn.ModuleList(
            [nn.Linear(size * size * n, m) for n, (m, size) in zip(below, self.merges, strict=False)]
        )
        scale = math.prod(size for _, size in self.merges)
        self.dense = nn.Linear(shape[0] // scale * (shape[1] // scale) * below[-1], 8 * config.depth)
        self.activation = _activation(config)

    def forward(self, x: Any) -> Any:
        for layer, (_, size) in zip(self.layers, self.merges, strict=True):
            number, height, width, channels = x.shape
            x = x.view(number, height // size, size, width // size, size, channels).transpose(2, 3)
            x = self.activation(layer(x.reshape(number, height // size, width // size, -1)))
        return self.activation(self.dense(x.flatten(1)))

    def pair(self, tree: Any) -> Pairs:
        for i, layer in enumerate(self.layers):
            yield from _pair_linear(layer, tree[f"Linear_{i}"]["Dense_0"])
        yield from _pair_linear(self.dense, tree["Dense_0"])


class PatchDecoder(nn.Module):
    """`[N, F] -> [N, H, W, C]`."""

    def __init__(self, config: ModelConfig, num_inputs: int, shape: tuple[int, int, int]):
        super().__init__()
        merges = _merges(shape, config.depth)
        scale = math.prod(size for _, size in merges)
        self.small = (shape[0] // scale, shape[1] // scale, merges[-1][0])
        self.dense = nn.Linear(num_inputs, math.prod(self.small))
        widths = [shape[2], *(width for width, _ in merges)]
        self.sides = [size for _, size in reversed(merges)]
        self.layers = nn.ModuleList(
            [nn.Linear(widths[i + 1], merges[i][1] ** 2 * widths[i]) for i in reversed(range(len(merges)))]
        )
        self.activation = _activation(config)

    def forward(self, features: Any) -> Any:
        x = self.activation(self.dense(features)).view(-1, *self.small)
        for i, (layer, size) in enumerate(zip(self.layers, self.sides, strict=True)):
            x = layer(x)
            if i < len(self.layers) - 1:
                x = self.activation(x)
            number, height, width, depth = x.shape
            x = x.view(number, height, width, size, size, depth // size**2).transpose(2, 3)
            x = x.reshape(number, height * size, width * size, -1)
        return x

    def pair(self, tree: Any) -> Pairs:
        yield from _pair_linear(self.dense, tree["Dense_0"])
        for i, layer in enumerate(self.layers):
            yield from _pair_linear(layer, tree[f"Linear_{i}"]["Dense_0"])


class TorchModel(nn.Module):
    """`meld_jax.model.LatentModel` and the loss of `meld_jax.agent.MeldAgent`."""

    def __init__(self, config: ModelConfig, shape: tuple[int, int, int], action_size: int):
        super().__init__()
        self.config = config
        conv = config.has_convolutions
        size1, size2 = config.z1_size, config.z2_size
        moved = action_size + config.mark_resets
        seen = 8 * config.depth + config.reward_copies
        self.encoder = (ConvEncoder if conv else PatchEncoder)(config, shape)
        self.decoder = (ConvDecoder if conv else PatchDecoder)(config, size1 + size2, shape)
        self.image_bias = nn.Parameter(torch.full((shape[2], *shape[:2]) if conv else shape, 0.5))
        self.posterior_first = PlainMLP(config, seen, 2 * size1)
        self.posterior = JoinedMLP(config, seen + moved, size2, 2 * size1)
        self.prior = JoinedMLP(config, moved, size2, 2 * size1)
        self.second_first = PlainMLP(config, size1, 2 * size2)
        self.second = JoinedMLP(config, moved, size1 + size2, (3 if config.memory == "gated" else 2) * size2)
        self.reward = PlainMLP(config, size1 + size2, 1)

    def pair(self, tree: Any) -> Pairs:
        """All parameters with their values in a pytree of flax: of parameters, or of gradients."""
        tree = tree["params"]
        bias = np.asarray(tree["image_bias"])
        yield self.image_bias, mirror(bias) if self.config.has_convolutions else bias
        names = ("encoder", "decoder", "posterior_first", "posterior", "prior", "second_first", "second", "reward")
        for name in names:
            yield from getattr(self, name).pair(tree[name])

    def load(self, tree: Any) -> None:
        """Takes the parameters of flax."""
        with torch.no_grad():
            for parameter, value in self.pair(tree):
                parameter.copy_(torch.from_numpy(np.array(value)))

    def _normal(self, out: Any) -> tuple[Any, Any]:
        mean, raw = out.chunk(2, -1)
        return mean, functional.softplus(raw) + self.config.min_std

    def _move(self, moved: Any, z1: Any, z2: Any) -> tuple[Any, Any]:
        """Mean and standard deviation of the next z2."""
        out = self.second(moved, torch.cat([z1, z2], -1))
        if self.config.memory != "gated":
            return self._normal(out)
        gate = torch.sigmoid(out[..., 2 * z2.shape[-1] :] + _GATE_BIAS)
        mean, std = self._normal(out[..., : 2 * z2.shape[-1]])
        return z2 + gate * (mean - z2), gate * std

    def _filter(self, evidence: tuple[Any, Any, Any], valid: Any, noise: Any) -> tuple[Any, Any, Any, Any]:
        """Mean and standard deviation of z1, z1 and z2, `[B, L, D]` each; evidence is `[B, L, ...]`."""
        seen, seen_first, moved = (leaf.unbind(1) for leaf in evidence)
        noise1, noise2 = noise.split([self.config.z1_size, self.config.z2_size], -1)
        noise1, noise2, kept = noise1.unbind(0), noise2.unbind(0), valid[..., None].unbind(1)
        steps, z2 = [], None
        for t in range(len(seen)):
            mean, std = self._normal(seen_first[0] if z2 is None else self.posterior(seen[t], z2))
            z1 = mean + std * noise1[t]
            mean2, std2 = self._normal(self.second_first(z1)) if z2 is None else self._move(moved[t], z1, z2)
            new = mean2 + std2 * noise2[t]
            z2 = new if z2 is None else torch.where(kept[t], new, z2)
            steps.append((mean, std, z1, z2))
        mean, std, z1, z2 = (torch.stack(leaves, 1) for leaves in zip(*steps, strict=True))
        return mean, std, z1, z2

    def loss(self, trials: dict[str, Any], noise: Any) -> Any:
        """Minus the evidence lower bound of a frame. trials: `[B, L, ...]`; noise: `[L, B, D1 + D2]`."""
        config = self.config
        image, valid, first = trials["image"], trials["valid"], trials["first"]
        target = image.flatten(0, 1).float() / 255
        reward = trials["reward"] if config.reward_evidence else torch.zeros_like(trials["reward"])
        features = self.encoder(target).view(*reward.shape, -1)
        seen = torch.cat([features, reward[..., None].expand(*reward.shape, config.reward_copies)], -1)
        moved = torch.cat([trials["action"], first[..., None].float()], -1) if config.mark_resets else trials["action"]
        evidence = (
            self.posterior.outer(torch.cat([seen, moved], -1)),
            self.posterior_first(seen[:, :1]),
            self.second.outer(moved),
        )
        mean, std, z1, z2 = self._filter(evidence, valid, noise)

        prior_mean, prior_std = self._normal(self.prior(self.prior.outer(moved[:, 1:]), z2[:, :-1]))
        prior_mean = torch.cat([torch.zeros_like(mean[:, :1]), prior_mean], 1)
        prior_std = torch.cat([torch.ones_like(std[:, :1]), prior_std], 1)
        ratio, distance = std / prior_std, (mean - prior_mean) / prior_std
        kl = _masked_mean((0.5 * (ratio**2 + distance**2 - 1) - ratio.log()).sum(-1), valid)

        latent = torch.cat([z1, z2], -1)
        drawn = self.decoder(latent.flatten(0, 1)) + self.image_bias
        likelihood = _log_density(target, drawn, config.image_std).flatten(1).sum(-1).view(valid.shape)
        loss = config.kl_coef * kl - _masked_mean(likelihood, valid)
        if config.reward_evidence:
            expected = self.reward(latent)[..., 0]
            likelihood = _log_density(trials["training_reward"], expected, config.reward_std)
            loss = loss - config.reward_coef * _masked_mean(likelihood, valid & ~first)
        return loss


class TorchLearner:
    """Gradient steps on batches from a replay: `meld_jax.agent.MeldAgent.update_model`.

    Args:
      config: the options.
      shape: of a picture, (height, width, channels).
      action_size: numbers in an action.
      replay: `[N, R, L, ...]` by name; what `mirror` does to pictures is done.
    """

    def __init__(
        self, config: MeldConfig, shape: tuple[int, int, int], action_size: int, replay: dict[str, np.ndarray]
    ):
        self.config = config
        self.model = TorchModel(config.model, shape, action_size)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=config.model_learning_rate, fused=True)
        self.replay = {name: torch.from_numpy(value) for name, value in replay.items()}

    def sample(self) -> dict[str, Any]:
        """Trials `[B, L, ...]` drawn with replacement."""
        num_tasks, num_trials = self.replay["reward"].shape[:2]
        size = (self.config.model_batch_size,)
        tasks, rows = torch.randint(num_tasks, size), torch.randint(num_trials, size)
        return {name: leaf[tasks, rows] for name, leaf in self.replay.items()}

    def update(self) -> None:
        """One step."""
        trials = self.sample()
        batch, frames = trials["reward"].shape
        model = self.config.model
        loss = self.model.loss(trials, torch.randn(frames, batch, model.z1_size + model.z2_size))
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.max_model_grad_norm)
        self.optimiser.step()


def mirror(images: np.ndarray) -> np.ndarray:
    """`[..., H, W, C] -> [..., C, H, W]`, turned upside down and left to right."""
    return np.ascontiguousarray(np.moveaxis(images[..., ::-1, ::-1, :], -1, -3))


def _log_density(value: Any, mean: Any, std: float) -> Any:
    return -0.5 * ((value - mean) / std) ** 2 - math.log(std) - _HALF_LOG_2PI


def _masked_mean(values: Any, mask: Any) -> Any:
    return (values * mask).sum() / mask.sum().clamp(min=1)
