"""Learners of `rlcore.meta` that adapt by gradient steps: what they collect and store, and how they are tested.

In the shape descriptions `M` denotes the tasks of an iteration, `A` the batches of a trial, `S` its steps, `C` the rows
of a batch.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

import chex
import jax
import jax.numpy as jnp
import numpy as np
from metarl_envs import Benchmark, check_actions, check_vector_space
from rlcore.experiment import Run
from rlcore.meta import Collection, Testing, Visit, check_num_visited, check_signal, find_difficulty, get_signal
from rlcore.types import Metrics, Params

from metarl_baselines.gradient.adaptation import Adaptation
from metarl_baselines.gradient.config import GradientConfig
from metarl_baselines.gradient.episodes import Episodes, blank_episodes, cut_visit
from metarl_baselines.gradient.policy import GradientPolicy

_COPIES = 15
"""Of the numbers of a row in inputs and hidden layers, which updates hold at once: 14 of MAML-TRPO, 3 of ProMP and 5 of
MAESN by what XLA says of its program."""

ConfigT = TypeVar("ConfigT", bound=GradientConfig)
AdaptationT = TypeVar("AdaptationT", bound=Adaptation)


class Data(NamedTuple):
    """What was collected last. ids: `[M]` int32, of the tasks. episodes: `[M, A, C]`."""

    ids: chex.Array
    episodes: Episodes


class GradientLearner(Generic[ConfigT, AdaptationT]):
    """All of a `MetaLearner` but `init`, `num_updates` and `update`; its agent has `params`.

    Args:
      config: the options.
      benchmark: what will be played.
      adaptation: what adapts.
      choose: see `Collection`.

    Raises:
      ValueError: such a learner cannot play the benchmark, or the config does not fit it.
    """

    test_params_name = ".agent.params"
    memory_advice = "lower num_tasks_per_iteration or adaptation.num_episodes"
    first: Collection | None = None

    def __init__(
        self,
        config: ConfigT,
        benchmark: Benchmark,
        adaptation: AdaptationT,
        choose: Callable[[Any, np.ndarray], Params] | None = None,
    ) -> None:
        self.config, self.adaptation = config, adaptation
        family, when = benchmark.family, config.adaptation
        action_size = check_actions(benchmark)
        (self.obs_size,) = check_vector_space(benchmark, "observation", family.observation_space).shape
        check_num_visited(config.num_tasks_per_iteration, benchmark)
        if config.training_reward != "reward":
            check_signal(config.training_reward, family.signals)
        num_tasks = config.num_tasks_per_iteration or benchmark.num_train_tasks
        capacity = when.num_episodes * family.horizon
        self._shape, self._sizes = (num_tasks, when.num_steps + 1, capacity), (self.obs_size, action_size)
        cut = partial(cut_visit, num_episodes=when.num_episodes, num_steps=when.num_steps, capacity=capacity)
        self._cut = jax.jit(cut)

        make_policy = partial(
            GradientPolicy,
            adaptation,
            when,
            obs_size=self.obs_size,
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
        units = sum(config.hidden_sizes) + self.obs_size + action_size
        self.update_bytes = _COPIES * 4 * int(np.prod(self._shape)) * units

    def init_data(self) -> Data:
        """Nothing collected."""
        return Data(jnp.zeros(self._shape[0], jnp.int32), blank_episodes(self._shape, *self._sizes))

    def params(self, agent: Any) -> Params:
        """See `MetaLearner`."""
        return agent.params

    def test_params(self, agent: Any) -> Params:
        """See `MetaLearner`."""
        return agent.params

    def difficulty(self, iteration: int) -> float:
        """See `MetaLearner`."""
        return find_difficulty(self.config, iteration)

    def store(self, data: Data, ids: np.ndarray, visit: Visit, *, first: bool) -> tuple[Data, int]:
        """See `MetaLearner`: the newest trials take the place of the oldest."""
        del data, first
        reward = get_signal(visit.trajectory, self.config.training_reward)
        # Only what is stored is traced: an environment may report more at some times than at others.
        visit = visit._replace(trajectory=visit.trajectory._replace(info={}))
        episodes = self._cut(visit, jnp.asarray(reward, jnp.float32))
        return Data(jnp.asarray(ids, jnp.int32), episodes), int(np.sum(episodes.valid))

    def begin(self, agent: Any, data: Data, key: chex.PRNGKey, run: Run) -> tuple[Any, Metrics]:
        """See `MetaLearner`."""
        del data, key, run
        return agent, {}
