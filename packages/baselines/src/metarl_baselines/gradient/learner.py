"""What learners that adapt by gradient steps collect and store, and how they are tested.

In the shape descriptions `M` denotes the tasks of an iteration, `A` the batches of a trial, `S` its steps, `C` the rows
of a batch.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import chex
import jax
import jax.numpy as jnp
import numpy as np
from metarl_envs import Benchmark, check_actions, check_vector_space
from rlcore.meta import Collection, Testing, Visit, check_num_visited, check_signal, get_signal
from rlcore.types import Params

from metarl_baselines.gradient.adaptation import Adaptation
from metarl_baselines.gradient.config import AdaptationConfig
from metarl_baselines.gradient.episodes import Episodes, blank_episodes, cut_visit
from metarl_baselines.gradient.policy import GradientPolicy

_COPIES = 15
"""Of the numbers of a row in inputs and hidden layers, which updates hold at once: 14 of MAML-TRPO, 3 of ProMP and 5 of
MAESN by what XLA says of its program."""


class Options(Protocol):
    """What the configs of such learners have in common."""

    @property
    def adaptation(self) -> AdaptationConfig:
        """When the policy adapts."""
        ...

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """Of the policy."""
        ...

    @property
    def training_reward(self) -> str:
        """The signal that trains."""
        ...

    @property
    def num_tasks_per_iteration(self) -> int:
        """0 means all there are."""
        ...

    @property
    def deterministic_test(self) -> bool:
        """Whether test actions are the policy's centre after the last inner step."""
        ...

    @property
    def test_every(self) -> int:
        """Iterations between tests."""
        ...


class Data(NamedTuple):
    """What was collected last. ids: `[M]` int32, of the tasks. episodes: `[M, A, C]`."""

    ids: chex.Array
    episodes: Episodes


class Setup:
    """Of one learner on one benchmark.

    Args:
      config: the options.
      benchmark: what will be played.
      adaptation: what adapts.
      choose: see `Collection`.

    Raises:
      ValueError: such a learner cannot play the benchmark, or the config does not fit it.
    """

    def __init__(
        self,
        config: Options,
        benchmark: Benchmark,
        adaptation: Adaptation,
        choose: Callable[[Any, np.ndarray], Params] | None = None,
    ) -> None:
        family, when = benchmark.family, config.adaptation
        action_size = check_actions(benchmark)
        (obs_size,) = check_vector_space(benchmark, "observation", family.observation_space).shape
        check_num_visited(config.num_tasks_per_iteration, benchmark)
        if config.training_reward != "reward":
            check_signal(config.training_reward, family.signals)
        num_tasks = config.num_tasks_per_iteration or benchmark.num_train_tasks
        self.obs_size = obs_size
        capacity = when.num_episodes * family.horizon
        self._shape, self._sizes = (num_tasks, when.num_steps + 1, capacity), (obs_size, action_size)
        self._training_reward = config.training_reward
        cut = partial(cut_visit, num_episodes=when.num_episodes, num_steps=when.num_steps, capacity=capacity)
        self._cut = jax.jit(cut)

        make_policy = partial(
            GradientPolicy,
            adaptation,
            when,
            obs_size=obs_size,
            action_size=action_size,
            horizon=family.horizon,
        )
        self.collection = Collection(
            make_policy(when.num_steps),
            (when.num_steps + 1) * capacity,
            num_tasks=config.num_tasks_per_iteration,
            choose=choose,
        )
        after = tuple(when.num_episodes * (1 + number) for number in range(when.num_test_steps))
        self.testing = Testing(
            make_policy(when.num_test_steps, deterministic=config.deterministic_test),
            when.num_test_steps * when.num_episodes + 1,
            every=config.test_every,
            adapts_after=after,
        )
        self.signals = {"training_reward": config.training_reward}
        units = sum(config.hidden_sizes) + obs_size + action_size
        self.update_bytes = _COPIES * 4 * int(np.prod(self._shape)) * units

    def init_data(self) -> Data:
        """Nothing collected."""
        return Data(jnp.zeros(self._shape[0], jnp.int32), blank_episodes(self._shape, *self._sizes))

    def store(self, ids: np.ndarray, visit: Visit) -> tuple[Data, int]:
        """What was collected, in the place of what was before; and how many of its steps."""
        reward = get_signal(visit.trajectory, self._training_reward)
        # Only what is stored is traced: an environment may report more at some times than at others.
        visit = visit._replace(trajectory=visit.trajectory._replace(info={}))
        episodes = self._cut(visit, jnp.asarray(reward, jnp.float32))
        return Data(jnp.asarray(ids, jnp.int32), episodes), int(np.sum(episodes.valid))
