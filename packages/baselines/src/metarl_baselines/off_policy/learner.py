"""Algorithms that replay whole trials as learners of `rlcore.meta`: one SAC learns from trials of any age.

All trials of a run have the same number of steps, counted by the family's horizon, and each task has some before the
first gradient step. So there is nothing to mask: no trial is padded, and no row of the replay is drawn that is empty.

In the shape descriptions `N` denotes all train tasks, `M` those of a visit, `B` the trials of a batch, `S` their steps.
"""

from collections.abc import Callable
from typing import Protocol

import chex
import jax
import jax.numpy as jnp
import numpy as np
from metarl_envs import Benchmark, check_actions, check_vector_space
from rlcore.experiment import Run
from rlcore.meta import Collection, Testing, Visit, check_num_visited, check_signal, find_difficulty, get_signal
from rlcore.replay import Replay, add, init_replay, sample
from rlcore.sac import SAC, SACParams, SACState
from rlcore.types import Metrics
from rlcore.updates import make_update_many

from metarl_baselines.off_policy.batch import TrialBatch, make_batch
from metarl_baselines.off_policy.config import TrialReplayConfig
from metarl_baselines.policy import TrialActor, TrialPolicy
from metarl_baselines.trials import Trials, blank_trials, make_trials


class TrialReplayAgent(TrialActor, Protocol):
    """What an algorithm brings: what acts on a memory, and the SAC on batches of trials that trains it."""

    sac: SAC

    def num_decoded(self, obs_size: int, num_steps: int) -> int:
        """Numbers that an update decodes beside each step of a batch; 0 where nothing is decoded."""
        ...


class TrialReplayLearner:
    """A `MetaLearner`; what does not fit the benchmark is refused when it is made, before anything is computed.

    Args:
      config: the options.
      benchmark: what will be played.
      make_agent: from the numbers in an action to the agent.

    Raises:
      ValueError: the algorithm cannot play the benchmark, or the config does not fit it.
    """

    test_params_name = ".agent.params"
    memory_advice = "lower replay_capacity, which drops what is oldest, or batch_size"

    def __init__(
        self, config: TrialReplayConfig, benchmark: Benchmark, make_agent: Callable[[int], TrialReplayAgent]
    ) -> None:
        self.config = config
        family = benchmark.family
        action_size = check_actions(benchmark)
        obs_space = check_vector_space(benchmark, "observation", family.observation_space)
        check_num_visited(config.num_tasks_per_iteration, benchmark)
        if config.training_reward != "reward":
            check_signal(config.training_reward, family.signals)
        self._num_tasks = benchmark.num_train_tasks
        num_steps = config.num_episodes * family.horizon
        self._example = blank_trials((num_steps,), obs_space, action_size)
        self.agent = make_agent(action_size)

        acting = TrialPolicy(self.agent)
        self.first = Collection(acting, num_steps, config.num_initial_trials)
        self.collection = Collection(acting, num_steps, num_tasks=config.num_tasks_per_iteration)
        testing = TrialPolicy(self.agent, config.deterministic_test)
        self.testing = Testing(testing, config.num_test_episodes, every=config.test_every)
        self.signals = {"training_reward": config.training_reward}
        self.num_updates = config.num_updates
        self.update_bytes = 4 * config.batch_size * num_steps * self._count_numbers(obs_space.shape[0], num_steps)
        self._store = jax.jit(store, donate_argnums=0)
        self._update_many = make_update_many(self.agent.sac.update, self.sample)

    def _count_numbers(self, obs_size: int, num_steps: int) -> int:
        """That an update holds for each step of a batch, by what XLA says of its programs, within a fifth."""
        sac, agent = self.config.sac, self.agent
        networks = 5 * (sac.num_critics + 1) * sum(sac.hidden_sizes) + 16 * agent.memory_size
        return networks + 2 * agent.num_decoded(obs_size, num_steps)

    def init(self, key: chex.PRNGKey) -> tuple[SACState, Replay]:
        """See `MetaLearner`."""
        blank = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), self._example)
        one = jax.tree.map(lambda leaf: leaf[None, :1], blank)
        replay = init_replay(blank, self.config.replay_capacity, self._num_tasks)
        return self.agent.sac.init(key, make_batch(self.config, one)), replay

    def params(self, agent: SACState) -> SACParams:
        """See `MetaLearner`."""
        return agent.params

    def test_params(self, agent: SACState) -> SACParams:
        """See `MetaLearner`."""
        return agent.params

    def difficulty(self, iteration: int) -> float:
        """See `MetaLearner`."""
        return find_difficulty(self.config, iteration)

    def store(self, data: Replay, ids: np.ndarray, visit: Visit, *, first: bool) -> tuple[Replay, int]:
        """See `MetaLearner`: the newest trials of a task take the place of its oldest ones."""
        del first
        reward = get_signal(visit.trajectory, self.config.training_reward)
        # Only what is stored is traced: an environment may report more at some times than at others.
        visit = visit._replace(trajectory=visit.trajectory._replace(info={}))
        return self._store(data, jnp.asarray(ids, jnp.int32), visit, jnp.asarray(reward, jnp.float32)), visit.num_steps

    def begin(self, agent: SACState, data: Replay, key: chex.PRNGKey, run: Run) -> tuple[SACState, Metrics]:
        """See `MetaLearner`."""
        del data, key, run
        return agent, {}

    def update(self, agent: SACState, data: Replay, key: chex.PRNGKey) -> tuple[SACState, Metrics]:
        """See `MetaLearner`."""
        return self._update_many(agent, data, key, self.config.num_updates)

    def sample(self, data: Replay, key: chex.PRNGKey) -> TrialBatch:
        """A batch for one gradient step; the key is consumed."""
        return make_batch(self.config, sample_trials(data, key, self.config.batch_size))


def store(data: Replay, ids: chex.Array, visit: Visit, training_reward: chex.Array) -> Replay:
    """Adds a trial of each of the tasks `ids: [M]` int32.

    Args:
      data: what was collected before.
      ids: of the tasks, all different.
      visit: `[S, M]`, with the benchmark's own reward.
      training_reward: `[S, M]`
    """
    rows = jax.tree.map(lambda leaf: leaf[:, None], make_trials(visit, training_reward))
    return add(data, ids, rows)


def sample_trials(data: Replay, key: chex.PRNGKey, batch_size: int) -> Trials:
    """Whole trials `[B, S, ...]` of tasks drawn with replacement; every task must have one; the key is consumed."""
    task_key, trial_key = jax.random.split(key)
    tasks = jax.random.randint(task_key, (batch_size,), 0, data.num_added.shape[0])
    return jax.tree.map(lambda leaf: leaf[:, 0], sample(data, trial_key, tasks, 1))
