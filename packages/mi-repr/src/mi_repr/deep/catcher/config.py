"""Options of the experiments on games of catch; `presets.py` has the sets of them that belong together."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from metarl_envs.catcher.state import NUM_STEPS
from rlcore.experiment import check_at_least, check_choice, check_positive, check_rate, to_dict
from rlcore.sac import SACConfig

from mi_repr.deep.config import EncoderConfig, PretrainConfig
from mi_repr.deep.objectives import OBJECTIVES

REPRESENTATIONS = {
    **{name: record.description for name, record in OBJECTIVES.items()},
    "untrained": "an encoder that nothing trains",
    "end-to-end": "an encoder that the critic trains as it goes",
    "true-state": "no encoder but the game's own state",
}
"""What the agent can see, by name: mostly the features of a frozen encoder that an objective trained."""


@dataclasses.dataclass(frozen=True)
class CatcherPretrainConfig(PretrainConfig):
    """How an encoder is trained on transitions of a uniformly random policy; the other options are those of any frames.

    num_transitions: collected before training (thesis: 50k), rounded up to whole episodes, two at least: a twentieth
      of them is kept back.
    """

    num_transitions: int = 51_300
    warmup_same_step_share: float = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least("num_transitions", self.num_transitions, 2 * NUM_STEPS)
        if self.window_size > NUM_STEPS + 1:
            raise ValueError(
                f"window_size must be at most {NUM_STEPS + 1}, the frames of an episode, got {self.window_size}"
            )


@dataclasses.dataclass(frozen=True)
class ControlConfig:
    """How the agent learns on features: discrete SAC, or regression onto Q*.

    num_envs: games side by side.
    num_steps: environment steps of the agent, after the initial ones.
    steps_per_iteration: of them in all games together before gradient steps are taken, whole episodes of each.
    steps_per_update: environment steps for each gradient step.
    num_initial_steps: of a uniformly random policy before the first gradient step.
    replay_capacity: transitions kept.
    batch_size: of a gradient step.
    num_test_episodes: of a test, with the greedy policy.
    test_every: iterations between tests.
    num_regression_updates, regression_batch_size, regression_learning_rate: of the regression of Q onto Q*.
    """

    num_envs: int = 16
    num_steps: int = 69_120
    steps_per_iteration: int = 864
    steps_per_update: int = 16
    num_initial_steps: int = 4320
    replay_capacity: int = 100_000
    batch_size: int = 256
    num_test_episodes: int = 432
    test_every: int = 4
    num_regression_updates: int = 3000
    regression_batch_size: int = 256
    regression_learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if field.name != "regression_learning_rate":
                check_at_least(field.name, getattr(self, field.name), 1)
        check_rate("regression_learning_rate", self.regression_learning_rate)
        for name, divisor in (
            ("num_steps", self.steps_per_iteration),
            ("steps_per_iteration", self.num_envs),
            ("steps_per_iteration", self.steps_per_update),
            ("num_initial_steps", self.num_envs),
        ):
            if getattr(self, name) % divisor:
                raise ValueError(f"{name} must be a multiple of {divisor}, got {getattr(self, name)}")
        if self.replay_capacity < max(self.num_initial_steps, self.steps_per_iteration):
            raise ValueError(
                "replay_capacity must hold num_initial_steps and steps_per_iteration, "
                f"{self.num_initial_steps} and {self.steps_per_iteration}, got {self.replay_capacity}"
            )

    @property
    def num_iterations(self) -> int:
        """Of `steps_per_iteration` each."""
        return self.num_steps // self.steps_per_iteration


@dataclasses.dataclass(frozen=True)
class ProbeConfig:
    """How the elements of the state are read back from features.

    num_states: drawn from all states of the game; without backgrounds at most all there are, with them a state can come
      again with another background.
    hidden_sizes: of the probe that is not linear.
    num_updates, batch_size, learning_rate: of that probe.
    ridge: weight of the linear probe's penalty, on standardised features.
    test_share: of the cells (all states that differ in the gripper only) that are tested on and not trained on.
    """

    num_states: int = 12_096
    hidden_sizes: tuple[int, ...] = (200, 200)
    num_updates: int = 1500
    batch_size: int = 256
    learning_rate: float = 1e-3
    ridge: float = 1e-3
    test_share: float = 0.2

    def __post_init__(self) -> None:
        check_at_least("num_states", self.num_states, 100)  # some of them are tested on, of each gripper
        for name in ("num_updates", "batch_size"):
            check_at_least(name, getattr(self, name), 1)
        for size in self.hidden_sizes:
            check_at_least("hidden_sizes", size, 1)
        check_rate("learning_rate", self.learning_rate)
        check_positive("ridge", self.ridge)
        check_rate("test_share", self.test_share)
        if self.test_share == 1:
            raise ValueError("test_share must be below 1, got 1")


def _sac() -> SACConfig:
    return SACConfig(
        hidden_sizes=(200, 200),
        actor_learning_rate=1e-3,
        critic_learning_rate=1e-3,
        temperature_learning_rate=1e-3,
        initial_temperature=0.1,
    )


@dataclasses.dataclass(frozen=True)
class ExperimentConfig:
    """One experiment of thesis section 2.5: an encoder, what it keeps of the state, and an agent that sees through it.

    representation: what the agent sees, one of `REPRESENTATIONS`.
    encoder, pretrain, probe, control, sac: the parts.
    """

    representation: str = "fwd"
    encoder: EncoderConfig = dataclasses.field(default_factory=EncoderConfig)
    pretrain: CatcherPretrainConfig = dataclasses.field(default_factory=CatcherPretrainConfig)
    probe: ProbeConfig = dataclasses.field(default_factory=ProbeConfig)
    control: ControlConfig = dataclasses.field(default_factory=ControlConfig)
    sac: SACConfig = dataclasses.field(default_factory=_sac)

    def __post_init__(self) -> None:
        check_choice("representation", self.representation, tuple(REPRESENTATIONS))
        if self.representation in OBJECTIVES:
            OBJECTIVES[self.representation].check(self.encoder, self.pretrain)


def completed(saved: Mapping[str, Any]) -> dict[str, Any]:
    """The config of an experiment of before, as from `to_dict`, or parts of it.

    It may lack options that came later; what it did is what their defaults do.
    """
    default = to_dict(ExperimentConfig())
    return {
        name: {**default[name], **value} if isinstance(value, Mapping) and name in default else value
        for name, value in saved.items()
    }
