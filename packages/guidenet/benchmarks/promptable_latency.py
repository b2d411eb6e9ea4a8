"""Milliseconds of a click and of a new image beside a promptable segmenter of MobileSAM's size, in the same run.

    uv run --group bench packages/guidenet/benchmarks/promptable_latency.py --output=latency.json

This compares latency, not quality: the promptable model has random weights, and guidenet is timed with a metric that
need not be trained; neither's time depends on the values of its weights. Its architecture follows the published
descriptions of Segment Anything (arXiv 2304.02643) and MobileSAM (arXiv 2306.14289). Both take turns, with pauses, so
that a busy machine is busy for both. Needs the extra `weights` and PyTorch: see CONTRIBUTING.md.
"""

import itertools
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import guidenet
import jax
import numpy as np
import torch
from absl import app, flags
from torch import nn
from torch.nn import functional

_SIDE = flags.DEFINE_integer("side", 512, "Of guidenet's image, px.", lower_bound=1)
_CLICKS = flags.DEFINE_integer("clicks", 100, "How many are timed, of each.", lower_bound=1)
_IMAGES = flags.DEFINE_integer("images", 20, "How many are timed, of each.", lower_bound=1)
_STARTS = flags.DEFINE_integer("starts", 3, "How many processes are started for the time to a first mask.")
_PAUSE = flags.DEFINE_float("pause", 0.02, "Between any two, seconds: threads that wait for work come to rest.")
_OUTPUT = flags.DEFINE_string("output", "", "A JSON file to write; empty is none.")

_DIM, _HEADS, _MASKS, _CELLS = 256, 8, 4, 64


class Attention(nn.Module):
    """Of tokens `[B, N, C]` to others, inside with `C / reduction` channels."""

    def __init__(self, dim: int = _DIM, heads: int = _HEADS, reduction: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = (nn.Linear(dim, dim // reduction) for _ in range(3))
        self.out = nn.Linear(dim // reduction, dim)

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Queries, keys and values before their projections; `bias` is added to the logits."""
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, x in ((self.q, q), (self.k, k), (self.v, v))
        )
        return self.out(functional.scaled_dot_product_attention(q, k, v, bias).transpose(1, 2).flatten(2))


def mlp(*sizes: int, activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Layers of these sizes."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), activation()]
    return nn.Sequential(*layers[:-1])


class TwoWayBlock(nn.Module):
    """Tokens attend to each other and to the image, then the image attends to them."""

    def __init__(self) -> None:
        super().__init__()
        self.own, self.to_image, self.from_image = Attention(reduction=1), Attention(), Attention()
        self.mlp = mlp(_DIM, 2048, _DIM)
        self.norms = nn.ModuleList(nn.LayerNorm(_DIM) for _ in range(4))

    def forward(
        self, tokens: torch.Tensor, image: torch.Tensor, prompt: torch.Tensor, places: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`prompt` and `places` are added to tokens and image where they are queries or keys."""
        q = tokens + prompt
        tokens = self.norms[0](tokens + self.own(q, q, tokens))
        tokens = self.norms[1](tokens + self.to_image(tokens + prompt, image + places, image))
        tokens = self.norms[2](tokens + self.mlp(tokens))
        return tokens, self.norms[3](image + self.from_image(image + places, tokens + prompt, tokens))


class Norm2d(nn.LayerNorm):
    """Over the channels of `[B, C, H, W]`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Decoder(nn.Module):
    """A click and an image's embedding `[1, 256, 64, 64]` to 3 + 1 masks and their IoU."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.labels = nn.Embedding(1 + _MASKS, _DIM), nn.Embedding(3, _DIM)
        self.register_buffer("frequencies", torch.randn(2, _DIM // 2))
        self.blocks = nn.ModuleList(TwoWayBlock() for _ in range(2))
        self.last, self.norm = Attention(), nn.LayerNorm(_DIM)
        self.upscale = nn.Sequential(
            nn.ConvTranspose2d(_DIM, _DIM // 4, 2, 2),
            Norm2d(_DIM // 4),
            nn.GELU(),
            nn.ConvTranspose2d(_DIM // 4, _DIM // 8, 2, 2),
            nn.GELU(),
        )
        self.kernels = nn.ModuleList(mlp(_DIM, _DIM, _DIM, _DIM // 8) for _ in range(_MASKS))
        self.iou = mlp(_DIM, _DIM, _DIM, _MASKS)
        axis = (torch.arange(_CELLS) + 0.5) / _CELLS
        self.register_buffer("places", self.encode(torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1))[None])

    def encode(self, positions: torch.Tensor) -> torch.Tensor:
        """Random Fourier features `[..., 256]` of places `[..., 2]` in 0..1."""
        angles = 2 * torch.pi * (2 * positions - 1) @ self.frequencies
        return torch.cat([angles.sin(), angles.cos()], -1)

    def forward(self, image: torch.Tensor, x: float, y: float, positive: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits `[1, 4, 256, 256]` and estimated IoU `[1, 4]` for a click at `x, y` in 0..1."""
        click = self.encode(torch.tensor([[x, y]])) + self.labels.weight[int(positive)]
        prompt = torch.cat([self.tokens.weight, click, self.labels.weight[2:]])[None]  # with the token of no box
        tokens, places = prompt, self.places.flatten(1, 2)
        cells = image.flatten(2).transpose(1, 2)
        for block in self.blocks:
            tokens, cells = block(tokens, cells, prompt, places)
        tokens = self.norm(tokens + self.last(tokens + prompt, cells + places, cells))
        maps = self.upscale(cells.transpose(1, 2).unflatten(2, (_CELLS, _CELLS)))
        kernels = torch.stack([kernel(tokens[:, 1 + i]) for i, kernel in enumerate(self.kernels)], 1)
        return (kernels @ maps.flatten(2)).unflatten(2, maps.shape[2:]), self.iou(tokens[:, 0])


def convolution(before: int, after: int, size: int, stride: int = 1, groups: int = 1) -> nn.Module:
    """Its normalisation is folded into it, as it can be after training."""
    return nn.Conv2d(before, after, size, stride, size // 2, groups=groups)


def bottleneck(before: int, inside: int, after: int, stride: int) -> nn.Sequential:
    """Expand, filter, project."""
    filters = convolution(inside, inside, 3, stride, inside)
    return nn.Sequential(
        convolution(before, inside, 1), nn.GELU(), filters, nn.GELU(), convolution(inside, after, 1), nn.GELU()
    )


class WindowBlock(nn.Module):
    """Attention in windows of `window x window` cells, a depthwise convolution, and an MLP."""

    def __init__(self, dim: int, heads: int, window: int) -> None:
        super().__init__()
        self.window, self.attention, self.norm = window, Attention(dim, heads, 1), nn.LayerNorm(dim)
        self.register_buffer("bias", torch.zeros(heads, window**2, window**2))  # by distance, looked up after training
        self.local = convolution(dim, dim, 3, 1, dim)
        self.mlp = nn.Sequential(nn.LayerNorm(dim), mlp(dim, 4 * dim, dim, activation=nn.GELU))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`[1, C, H, W]` to the same."""
        (channels, height, width), w = x.shape[1:], self.window
        padded = functional.pad(x, (0, -width % w, 0, -height % w))
        rows, columns = (side // w for side in padded.shape[2:])
        parts = padded.reshape(channels, rows, w, columns, w).permute(1, 3, 2, 4, 0).reshape(-1, w * w, channels)
        parts = self.norm(parts)
        parts = self.attention(parts, parts, parts, self.bias)
        parts = parts.reshape(rows, columns, w, w, channels).permute(4, 0, 2, 1, 3)
        x = self.local(x + parts.reshape(1, channels, rows * w, columns * w)[..., :height, :width])
        tokens = x.permute(0, 2, 3, 1)
        return (tokens + self.mlp(tokens)).permute(0, 3, 1, 2)


class Residual(nn.Sequential):
    """A sum with the input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        return x + super().forward(x)


def make_encoder() -> nn.Sequential:
    """An image encoder of TinyViT-5M's size: `[1, 3, 1024, 1024]` to `[1, 256, 64, 64]`."""
    layers: list[nn.Module] = [convolution(3, 32, 3, 2), nn.GELU(), convolution(32, 64, 3, 2)]
    layers += [Residual(bottleneck(64, 256, 64, 1)) for _ in range(2)]
    previous = 64
    for dim, depth, heads, window, stride in ((128, 2, 4, 7, 2), (160, 6, 5, 14, 2), (320, 2, 10, 7, 1)):
        layers += [bottleneck(previous, dim, dim, stride), *(WindowBlock(dim, heads, window) for _ in range(depth))]
        previous = dim
    layers += [convolution(previous, _DIM, 1), Norm2d(_DIM), convolution(_DIM, _DIM, 3), Norm2d(_DIM)]
    return nn.Sequential(*layers)


def take_turns(functions: dict[str, Callable[[int], object]], repeats: int) -> dict[str, dict[str, float]]:
    """Median and 95th percentile in ms of each `function(i)`, after two calls that are not counted."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for i in range(-2, repeats):
        for name, function in functions.items():
            time.sleep(_PAUSE.value)
            start = time.perf_counter()
            function(i)
            times[name].append(1e3 * (time.perf_counter() - start))
    return {
        name: {"median": round(float(np.median(x[2:])), 2), "p95": round(float(np.percentile(x[2:], 95)), 2)}
        for name, x in times.items()
    }


def time_starts(side: int, repeats: int) -> list[float]:
    """Seconds from the start of Python to a first mask, with all compilation."""
    code = (
        "import guidenet, numpy as np; s = guidenet.Segmenter();"
        f"n = s.add_image(np.random.default_rng(0).integers(0, 256, ({side}, {side}, 3), np.uint8));"
        "s.click(n, 0, 0); s.predict(n).labels"
    )
    environment = {**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "false"}
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=environment, stderr=subprocess.DEVNULL)
        times.append(round(time.perf_counter() - start, 2))
    return times


def processor() -> str:
    """Its name and instruction set, as far as the system says."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    vectors = [name for name in ("avx512f", "avx2") if name in fields.get("flags", "").split()]
    return " ".join([fields.get("model name", platform.machine()), *vectors[:1]])


def main(argv: list[str]) -> None:
    """Times, prints and writes."""
    del argv
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    rng, side = np.random.default_rng(0), _SIDE.value
    load = [round(os.getloadavg()[0], 1)]
    starts = time_starts(side, _STARTS.value)
    images = rng.integers(0, 256, (_IMAGES.value + 2, side, side, 3), np.uint8)
    segmenter = guidenet.Segmenter()
    photo = segmenter.add_image(rng.integers(0, 256, (side, side, 3), np.uint8))
    segmenter.click(photo, 0, 0)
    decoder, encoder = Decoder().eval(), make_encoder().eval()
    pixels, embedding = torch.randn(1, 3, 1024, 1024), torch.randn(1, _DIM, _CELLS, _CELLS)

    def click(i: int) -> object:
        segmenter.click(photo, int(rng.integers(side)), int(rng.integers(side)), i % 2 == 0)
        return segmenter.predict(photo).labels

    def decode(i: int) -> torch.Tensor:
        return decoder(embedding, rng.random(), rng.random(), i % 2 == 0)[0]

    def decode_to_mask(i: int) -> object:
        masks = functional.interpolate(decode(i)[:, :1], (side, side), mode="bilinear", align_corners=False)
        return masks.numpy() > 0

    def with_threads(threads: int, function: Callable[[int], object]) -> Callable[[int], object]:
        def call(i: int) -> object:
            torch.set_num_threads(threads)
            return function(i)

        return call

    def add(i: int) -> object:
        return segmenter.predict(segmenter.add_image(images[i])).labels

    with torch.inference_mode():
        clicks = take_turns(
            {
                "guidenet: click to mask": click,
                "decoder: forward": with_threads(threads, decode),
                "decoder: forward, one thread": with_threads(1, decode),
                "decoder: click to mask, one thread": with_threads(1, decode_to_mask),
            },
            _CLICKS.value,
        )
        load.append(round(os.getloadavg()[0], 1))
        added = take_turns(
            {
                "guidenet: new image to first mask": add,
                "promptable: image encoder": with_threads(threads, lambda _: encoder(pixels)),
            },
            _IMAGES.value,
        )
    load.append(round(os.getloadavg()[0], 1))
    decoder_forward = min(clicks[f"decoder: forward{threads}"]["median"] for threads in ("", ", one thread"))
    results: dict[str, Any] = {
        "what": "latency only; the promptable model has random weights, so nothing is said about quality",
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load average before, between, after": load,
        "versions": {"jax": jax.__version__, "torch": torch.__version__, "numpy": np.__version__},
        "image side, px": {"guidenet": side, "promptable": 1024},
        "parameters": {
            name: sum(x.numel() for x in module.parameters())
            for name, module in (("decoder", decoder), ("image encoder", encoder))
        },
        "repeats": {"clicks": _CLICKS.value, "images": _IMAGES.value},
        "ms": {**clicks, **added},
        "decoder's faster forward over guidenet's click, medians": round(
            decoder_forward / clicks["guidenet: click to mask"]["median"], 1
        ),
        "new process to first mask, s": starts,
    }
    text = json.dumps(results, indent=2)
    print(text)
    if _OUTPUT.value:
        path = Path(_OUTPUT.value)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    app.run(main)
