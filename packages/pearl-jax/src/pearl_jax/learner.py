"""PEARL as a learner of `rlcore.meta`: what is collected, how it is stored, what an iteration learns (Algorithm 1).

In the shape descriptions `N` denotes all train tasks, `M` those of a visit, `S` the steps of a trial.
"""

import math
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from metarl_envs import Benchmark, check_vector_space, is_picture, read_actions
from rlcore.convolution import has_slow_convolutions
from rlcore.experiment import Run
from rlcore.meta import Collection, Testing, Visit, check_num_visited, check_signal, find_difficulty, get_signal
from rlcore.networks import ConvEncoder
from rlcore.replay import add, init_replay
from rlcore.sac import SACParams
from rlcore.types import Metrics
from rlcore.updates import make_update_many

from pearl_jax.agent import AgentState, ContextReplay, PearlAgent, PearlPolicy
from pearl_jax.config import PearlConfig
from pearl_jax.representation import Row

_PICTURE_BYTES = 400_000_000
"""What updates take where pictures are convolved, most of it to compile them on a CPU."""


class PearlLearner:
    """A `MetaLearner`; what does not fit the benchmark is refused when it is made, before anything is computed.

    Args:
      config: the options.
      benchmark: what will be played.
      obs_network: turns observations into features `[..., Do]`; by default convolutions for pictures, and nothing for
        vectors.

    Raises:
      ValueError: PEARL cannot play the benchmark, or the config does not fit it.
    """

    test_params_name = ".agent.average"
    memory_advice = "lower replay_capacity, which drops what is oldest"

    def __init__(self, config: PearlConfig, benchmark: Benchmark, obs_network: nn.Module | None = None) -> None:
        self.config = config
        self._num_tasks = benchmark.num_train_tasks
        self._horizon = horizon = benchmark.family.horizon
        action_size, discrete = read_actions(benchmark)
        obs_space, obs_network = _choose_network(config, benchmark, obs_network)
        self._check_sizes(benchmark)
        if config.training_reward != "reward":
            check_signal(config.training_reward, benchmark.family.signals)
        obs_dtype = jnp.float32 if obs_network is None else obs_space.dtype
        obs_shape = obs_space.shape
        self.agent = PearlAgent(config, obs_shape, action_size, horizon, obs_network, obs_dtype, discrete=discrete)

        adapting = PearlPolicy(self.agent, num_prior_steps=config.num_prior_episodes * horizon)
        exploring = PearlPolicy(self.agent, num_prior_steps=config.num_initial_episodes * horizon)
        testing = PearlPolicy(self.agent, config.num_test_prior_episodes, deterministic=config.deterministic_test)
        self.first = Collection(exploring, config.num_initial_episodes * horizon)
        num_steps = (config.num_context_episodes + config.num_extra_episodes) * horizon
        self.collection = Collection(adapting, num_steps, num_tasks=config.num_tasks_per_iteration)
        self.testing = Testing(testing, config.num_test_episodes, every=config.test_every)
        self.signals = {"training_reward": config.training_reward}
        self.num_updates = config.num_updates
        self.update_bytes = _PICTURE_BYTES if is_picture(benchmark.family.observation_space) else 0
        self._store = jax.jit(store, static_argnames="num_extra_steps", donate_argnames="data")
        self._update_many = make_update_many(
            self.agent.update, self.agent.sample, with_convolutions=_is_slow_in_loops(obs_network, obs_space)
        )

    def init(self, key: chex.PRNGKey) -> tuple[AgentState, ContextReplay]:
        """See `MetaLearner`."""
        replay = init_replay(self.agent.example_row(), self.config.replay_capacity, self._num_tasks)
        none, no_extra = jnp.zeros((2, self._num_tasks), jnp.int32)
        return self.agent.init(key), ContextReplay(replay, none, no_extra)

    def params(self, agent: AgentState) -> SACParams:
        """See `MetaLearner`."""
        return agent.learner.params

    def test_params(self, agent: AgentState) -> SACParams:
        """See `MetaLearner`."""
        return agent.average

    def difficulty(self, iteration: int) -> float:
        """See `MetaLearner`."""
        return find_difficulty(self.config, iteration)

    def store(self, data: ContextReplay, ids: np.ndarray, visit: Visit, *, first: bool) -> tuple[ContextReplay, int]:
        """See `MetaLearner`."""
        num_extra_steps = 0 if first else self.config.num_extra_episodes * self._horizon
        reward = get_signal(visit.trajectory, self.config.training_reward)
        rows = make_rows(visit, reward)
        return self._store(data, jnp.asarray(ids, jnp.int32), rows, num_extra_steps=num_extra_steps), visit.num_steps

    def begin(self, agent: AgentState, data: ContextReplay, key: chex.PRNGKey, run: Run) -> tuple[AgentState, Metrics]:
        """See `MetaLearner`."""
        del data, key, run
        return agent, {}

    def update(self, agent: AgentState, data: ContextReplay, key: chex.PRNGKey) -> tuple[AgentState, Metrics]:
        """See `MetaLearner`."""
        return self._update_many(agent, data, key, self.config.num_updates)

    def _check_sizes(self, benchmark: Benchmark) -> None:
        config = self.config
        check_num_visited(config.num_tasks_per_iteration, benchmark)
        episodes = max(config.num_initial_episodes, config.num_context_episodes + config.num_extra_episodes)
        if episodes * self._horizon > config.replay_capacity:
            raise ValueError(
                f"replay_capacity must hold the {episodes * self._horizon} steps of a visit, got "
                f"{config.replay_capacity}"
            )
        if config.correlated_batch and config.batch_size > config.num_initial_episodes * self._horizon:
            raise ValueError(
                f"batch_size must be at most the {config.num_initial_episodes * self._horizon} steps of the first "
                f"episodes with correlated_batch, got {config.batch_size}"
            )


def make_rows(visit: Visit, training_reward: chex.Array) -> Row:
    """The steps of a visit `[S, M]` as rows `[M, S, ...]`, oldest first.

    Args:
      visit: with the benchmark's own reward.
      training_reward: `[S, M]` what trains the actor and the critics.
    """
    obs, action, reward, discount, next_obs = visit.trajectory.transition
    rows = Row(obs, action, training_reward, discount, next_obs, reward, visit.step_in_episode())
    return jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), rows)


def store(data: ContextReplay, ids: chex.Array, rows: Row, *, num_extra_steps: int) -> ContextReplay:
    """Adds visits to the tasks `ids: [M]` int32; the encoder now sees these, all but the last steps.

    Args:
      data: what was collected before.
      ids: of the tasks, all different.
      rows: `[M, S, ...]`, oldest first.
      num_extra_steps: the last so many are for actor and critics only.
    """
    num_context = rows.reward.shape[1] - num_extra_steps
    return ContextReplay(
        add(data.replay, ids, rows),
        data.num_recent.at[ids].set(num_context),
        data.num_extra.at[ids].set(num_extra_steps),
    )


def _is_slow_in_loops(obs_network: nn.Module | None, space: spaces.Box) -> bool:
    """Whether the network learns convolutions such as flax's."""
    if obs_network is None:
        return False
    apply, example = obs_network.apply, jax.ShapeDtypeStruct((1, *space.shape), space.dtype)
    params = jax.eval_shape(obs_network.init, jax.random.key(0), example)

    def gradient(params: Any, example: chex.Array) -> Any:
        return jax.grad(lambda params: jnp.sum(apply(params, example)))(params)

    return has_slow_convolutions(jax.make_jaxpr(gradient)(params, example).jaxpr)


def _choose_network(
    config: PearlConfig, benchmark: Benchmark, obs_network: nn.Module | None
) -> tuple[spaces.Box, nn.Module | None]:
    """The observation space, and the network that turns its observations into vectors; None where they are some."""
    space: spaces.Space[Any] = benchmark.family.observation_space
    if obs_network is None:
        if not is_picture(space):
            return check_vector_space(benchmark, "observation", space), None
        obs_network = ConvEncoder(config.image_channels, config.num_image_features)
    if not isinstance(obs_network, nn.Module):
        raise ValueError(f"obs_network must be a flax module, got {obs_network!r}")
    if not isinstance(space, spaces.Box):
        raise ValueError(f"benchmark {benchmark.name}: the observation space must be an array, got {space}")
    example = jax.ShapeDtypeStruct((1, *space.shape), space.dtype)
    features, _ = jax.eval_shape(obs_network.init_with_output, jax.random.key(0), example)
    if features.ndim != 2 or math.prod(features.shape) == 0:
        raise ValueError(f"obs_network must make a vector of an observation, got features {features.shape[1:]}")
    return space, obs_network
