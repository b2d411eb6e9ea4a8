"""Sets of options that belong together.

The thesis (A.2.0.2) names the data, five convolutional layers, 256 features, the kind of each objective's head and the
agent's two layers of 200. It leaves open layer sizes, batches and steps; `thesis` fills them from common practice. Two
of its heads cannot express what catcher-grip asks of them, whatever the training: a score that is bilinear in [z, a]
and z' is additive in z and a, and a single linear layer is additive in both frames, so neither can tell a toggle. `cpu`
has heads that can. The representations `fwd-thesis`, `state-thesis` and `inv-thesis` have the thesis's heads in every
preset.

Where a background stays for an episode, it tells the true next frame from nearly all others, and what an encoder learns
from negatives of the whole batch is the background and the paddle. So `cpu` takes negatives from episodes with the same
background, and pays for what is left of it in the features.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from mi_repr.deep.catcher.config import CatcherPretrainConfig, ControlConfig, ExperimentConfig, ProbeConfig
from mi_repr.deep.config import EncoderConfig
from mi_repr.deep.objectives import OBJECTIVES


def _encoder(representation: str, **options: Any) -> EncoderConfig:
    """The options, but those that the representation's name stands for."""
    named = OBJECTIVES[representation].encoder if representation in OBJECTIVES else {}
    return EncoderConfig(**{**options, **named})


def _pretrain(representation: str, **options: Any) -> CatcherPretrainConfig:
    """Likewise."""
    named = OBJECTIVES[representation].pretrain if representation in OBJECTIVES else {}
    return CatcherPretrainConfig(**{**options, **named})


def _looks_far(representation: str) -> bool:
    """Whether its objective looks more than one step ahead."""
    return representation in OBJECTIVES and OBJECTIVES[representation].steps == "max_steps_ahead"


def _cpu(representation: str, benchmark: str) -> ExperimentConfig:
    config = ExperimentConfig(representation, encoder=_encoder(representation), pretrain=_pretrain(representation))
    if representation == "end-to-end":  # its encoder is part of every gradient step
        config = dataclasses.replace(config, control=dataclasses.replace(config.control, batch_size=64))
    if "distractors" in benchmark:
        pretrain = dataclasses.replace(config.pretrain, num_groups=4, num_updates=2500)
        config = dataclasses.replace(
            config, pretrain=pretrain, probe=dataclasses.replace(config.probe, num_states=36_288)
        )
    return config


def _tiny(representation: str, benchmark: str) -> ExperimentConfig:
    config = _cpu(representation, benchmark)
    return dataclasses.replace(
        config,
        encoder=_encoder(
            representation, channels=(4, 8, 8, 8, 16), feature_size=16, rank=4, inverse_hidden_sizes=(16,)
        ),
        pretrain=_pretrain(
            representation,
            num_transitions=540,
            num_updates=4,
            updates_per_iteration=2,
            num_windows=4,
            num_warmup_updates=4,
            warmup_batch_size=16,
            num_groups=config.pretrain.num_groups,
        ),
        probe=ProbeConfig(num_states=500, hidden_sizes=(8,), num_updates=20, batch_size=32),
        control=ControlConfig(
            num_envs=4,
            num_steps=216,
            steps_per_iteration=108,
            steps_per_update=27,
            num_initial_steps=108,
            replay_capacity=432,
            batch_size=16,
            num_test_episodes=8,
            test_every=1,
            num_regression_updates=20,
            regression_batch_size=32,
        ),
        sac=dataclasses.replace(config.sac, hidden_sizes=(16,)),
    )


def _thesis(representation: str, benchmark: str) -> ExperimentConfig:
    config = _cpu(representation, benchmark)
    return dataclasses.replace(
        config,
        encoder=_encoder(
            representation,
            kind="conv",
            channels=(32, 64, 128, 256, 256),
            scorer="concat_bilinear",
            inverse_hidden_sizes=(),
        ),
        pretrain=_pretrain(
            representation,
            num_transitions=50_000,
            num_updates=30_000,
            num_windows=512,
            window_size=4 if _looks_far(representation) else 2,
            learning_rate=1e-3,
            num_warmup_updates=0,
        ),
        control=ControlConfig(
            num_envs=1, num_steps=108_000, steps_per_iteration=27, steps_per_update=1, test_every=100
        ),
        sac=dataclasses.replace(
            config.sac, actor_learning_rate=3e-4, critic_learning_rate=3e-4, temperature_learning_rate=3e-4
        ),
    )


PRESETS: dict[str, tuple[Callable[[str, str], ExperimentConfig], str]] = {
    "tiny": (_tiny, "a smoke test that learns nothing"),
    "cpu": (_cpu, "minutes on two CPU cores"),
    "thesis": (_thesis, "the thesis's heads and protocol, meant for an accelerator"),
}
"""By name: the options for a representation and a benchmark, and what they are for."""


def preset(name: str, representation: str, benchmark: str) -> ExperimentConfig:
    """The options of that name for a representation and a benchmark.

    Raises:
      ValueError: there is no such preset, or no such representation.
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")
    make, _ = PRESETS[name]
    return make(representation, benchmark)
