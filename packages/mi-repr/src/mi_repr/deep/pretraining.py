"""Training an encoder on frames of one's own.

```
pretrained = pretrain(frames, actions, "fwd")
features = pretrained.encode(images)
```

In the shape descriptions `N` denotes frames, `H` and `V` the height and width of an image, `C` its channels, `A`
actions and `F` features.
"""

import dataclasses
import functools
import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
from rlcore.experiment import Run, check_choice, check_seed, read_metrics, to_dict
from rlcore.experiment.reporting.metrics import to_scalars
from rlcore.types import Metrics

from mi_repr.deep.config import EncoderConfig, PretrainConfig
from mi_repr.deep.encoders import Encoder
from mi_repr.deep.frozen import FrozenEncoder
from mi_repr.deep.objectives import OBJECTIVES, Setting, make_objective
from mi_repr.deep.recordings import (
    Recording,
    RecordingSource,
    check_actions,
    check_episode_ends,
    check_frames,
    make_recordings,
)
from mi_repr.deep.training import Pretrainer, PretrainState, make_step, train

_JUDGED_AT_ONCE = 512
_NUM_JUDGED = 8


@dataclasses.dataclass(frozen=True, eq=False)
class Pretrained:
    """What came of training.

    objective: its name.
    encoder_config, config: the options.
    encoder: what was trained.
    untrained: the same encoder before any training, to compare with.
    metrics: of each iteration of training; all information is in nats.
    held_out: the objective's metrics on frames that training did not see.
    """

    objective: str
    encoder_config: EncoderConfig
    config: PretrainConfig
    encoder: FrozenEncoder
    untrained: FrozenEncoder
    metrics: Sequence[Mapping[str, float]]
    held_out: Mapping[str, float]

    def encode(self, images: chex.ArrayNumpy) -> np.ndarray:
        """The features `[..., F]` of images `[..., H, V, C]` uint8, see `FrozenEncoder.encode`."""
        return self.encoder.encode(images)

    @property
    def information(self) -> float | None:
        """A lower bound on the objective's J, in nats, on frames kept back; None where the objective is no J.

        That of a contrastive objective cannot exceed the logarithm of how many candidates there are, 512 at most. That
        of an inverse objective is a bound where actions do not depend on what is seen.
        """
        return self.held_out.get("information/bound")


def pretrain(
    frames: chex.ArrayNumpy,
    actions: chex.ArrayNumpy,
    objective: str = "fwd",
    *,
    episode_ends: chex.ArrayNumpy | None = None,
    num_actions: int | None = None,
    encoder: EncoderConfig | None = None,
    config: PretrainConfig | None = None,
    seed: int = 0,
    run_dir: str | os.PathLike[str] | None = None,
) -> Pretrained:
    """Trains an encoder on a recording. The last twentieth of it is kept back.

    Args:
      frames: `[N, H, V, C]` uint8, of one episode after the other.
      actions: `[N]` int, taken at each frame, so that it leads to the next one. That of an episode's last frame is not
        used.
      objective: one of `OBJECTIVES`.
      episode_ends: `[N]` bool, true at the last frame of each episode: the next one is of another. None is one episode.
      num_actions: `A`; by default one more than the largest in `actions`.
      encoder: the network and the heads.
      config: of training.
      seed: of everything random.
      run_dir: where metrics and checkpoints go; what is there goes on, and progress is shown. None keeps nothing
        and is silent.

    Returns:
      The encoder, frozen, the untrained one, and what training and the frames kept back say of it.

    Raises:
      ValueError: an argument cannot be used; before anything is computed.
      RunError: the directory holds something else, or a run of other arguments.
      NonFiniteError: a loss is not finite.
    """
    check_choice("objective", objective, tuple(OBJECTIVES))
    record = OBJECTIVES[objective]
    encoder_config = EncoderConfig(**record.encoder) if encoder is None else encoder
    config = PretrainConfig(**record.pretrain) if config is None else config
    for name, given, kind in (("encoder", encoder_config, EncoderConfig), ("config", config, PretrainConfig)):
        if not isinstance(given, kind):
            raise ValueError(f"{name} must be of type {kind.__name__}, got {given!r}")
    check_seed(seed)
    record.check(encoder_config, config)
    frames = check_frames(frames)
    actions, num_actions = check_actions(actions, len(frames), num_actions)
    ends = check_episode_ends(episode_ends, len(frames), config.window_size)
    _check_config(config, ends)
    train_data, held_out = make_recordings(frames, actions, ends, config.window_size)

    image_shape = frames.shape[1:]
    setting = Setting(
        encoder_config,
        num_actions,
        image_shape,
        config.num_steps_ahead,
        config.max_steps_ahead,
        config.num_groups,
        action_entropy=_entropy(actions),
    )
    made = make_objective(objective, setting)
    network = Encoder(encoder_config, gaussian=made.gaussian)
    trainer = Pretrainer(config, RecordingSource(image_shape, num_actions), network, made)
    train_key, judge_key = jax.random.split(jax.random.key(seed))
    first = jax.jit(trainer.init)(jax.random.clone(train_key)).params.encoder
    data = jax.tree.map(jnp.asarray, train_data)
    if run_dir is None:
        state, metrics = _train_unrecorded(trainer, data, train_key)
    else:
        identity = {
            "objective": objective,
            "encoder": to_dict(encoder_config),
            "pretrain": to_dict(config),
            "seed": seed,
            "num_actions": num_actions,
            "data": _fingerprint(frames, actions, ends),
        }
        state = train(trainer, data, Run.open(run_dir, identity, checkpoint_every=0, keep=2), key=train_key)
        metrics = read_metrics(run_dir)
    held_out = held_out._replace(frame=data.frame, action=data.action)
    return Pretrained(
        objective,
        encoder_config,
        config,
        FrozenEncoder(network, state.params.encoder, image_shape),
        FrozenEncoder(network, first, image_shape),
        metrics,
        _judge(trainer, state, held_out, judge_key),
    )


def _check_config(config: PretrainConfig, ends: np.ndarray) -> None:
    if config.warmup_same_step_share:
        raise ValueError(
            "warmup_same_step_share must be 0 with frames of one's own, whose episodes share no clock, got "
            f"{config.warmup_same_step_share}"
        )
    if config.num_groups > 1 and not ends[:-1].any():
        raise ValueError(f"num_groups must be 1 with a single episode, got {config.num_groups}")


def _train_unrecorded(
    trainer: Pretrainer, data: Recording, key: chex.PRNGKey
) -> tuple[PretrainState, list[dict[str, Any]]]:
    """As `train`, without a directory; the key is consumed."""
    state, rows, step = jax.jit(trainer.init)(key), [], make_step(trainer)
    for iteration in range(1, trainer.config.num_iterations + 1):
        state, metrics = step(iteration, state, data)
        rows.append({"iteration": iteration, **to_scalars(iteration, metrics)})
    return state, rows


def _judge(trainer: Pretrainer, state: PretrainState, held_out: Recording, key: chex.PRNGKey) -> dict[str, float]:
    """The objective's metrics on frames kept back, samples apart from each other; the key is consumed."""
    size = min(_JUDGED_AT_ONCE, len(held_out.begin))
    num_groups = trainer.objective.setting.num_groups
    size = max(size - size % num_groups, 2 * num_groups)

    @functools.partial(jax.jit, static_argnums=0)
    def measure(trainer: Pretrainer, state: PretrainState, data: Recording, key: chex.PRNGKey) -> Metrics:
        draw_key, loss_key = jax.random.split(key)
        objective = trainer.objective
        batch = trainer.source.draw(data, draw_key, size, objective.span + 1, num_groups)
        frames = trainer.encode(state.params, state.average, batch)
        return objective.loss(state.params.head, frames, loss_key, jnp.zeros(()))[1]

    rows = [jax.device_get(measure(trainer, state, held_out, one)) for one in jax.random.split(key, _NUM_JUDGED)]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _entropy(actions: np.ndarray) -> float:
    """Of the actions as they occur, in nats."""
    shares = np.bincount(actions) / len(actions)
    shares = shares[shares > 0]
    return float(-np.sum(shares * np.log(shares)))


def _fingerprint(*arrays: np.ndarray) -> str:
    """The same for the same arrays, and no others."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
