"""The PEARL agent: one SAC over inferred tasks, its gradient steps, and its policy within a trial.

In the shape descriptions `N` denotes all train tasks, `M` those of a batch, `B` and `C` the transitions of each for the
actor and critics and for the encoder.
"""

import dataclasses
from typing import Any, NamedTuple

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
from rlcore.averaging import average_params
from rlcore.replay import Replay, sample, sample_episodes, sample_windows
from rlcore.sac import SAC, ContinuousHead, DiscreteHead, SACParams, SACState
from rlcore.types import Metrics, Transition

from pearl_jax.config import PearlConfig
from pearl_jax.hypotheses import Hypotheses, choose, draw_hypotheses, weigh
from pearl_jax.representation import PearlBatch, Row, TaskInference, VectorObs, join_task


class AgentState(NamedTuple):
    """What gradient steps change.

    learner: SAC's.
    average: parameters averaged over updates, for testing; without averaging the same as the learner's.
    num_updates: scalar int32, gradient steps so far.
    """

    learner: SACState
    average: SACParams
    num_updates: chex.Array


class ContextReplay(NamedTuple):
    """What was collected, and what of it the newest visit lets the encoder see.

    replay: rows of `N` tasks, in the order of time.
    num_recent: `[N]` int32, rows of the newest visit that the encoder may see.
    num_extra: `[N]` int32, rows that came after these, for actor and critics only.
    """

    replay: Replay
    num_recent: chex.Array
    num_extra: chex.Array


class PearlAgent:
    """PEARL for one kind of observation and action.

    Args:
      config: the options.
      obs_shape: of an observation, such as `(17,)` or `(H, W, 3)`.
      action_size: numbers in an action, or choices of which it is one.
      horizon: steps of the longest episode.
      obs_network: turns observations into features, see `TaskInference`; None for vectors.
      obs_dtype: in which observations are stored.
      discrete: whether actions are choices.
    """

    def __init__(
        self,
        config: PearlConfig,
        obs_shape: tuple[int, ...],
        action_size: int,
        horizon: int,
        obs_network: nn.Module | None = None,
        obs_dtype: Any = jnp.float32,
        *,
        discrete: bool = False,
    ):
        self.config = config
        self._horizon = horizon
        self.inference = TaskInference(config, obs_network or VectorObs(), action_size if discrete else 0)
        head = (DiscreteHead if discrete else ContinuousHead)(config.sac, action_size)
        self.sac = SAC(config.sac, head, self.inference)
        self._obs = jax.ShapeDtypeStruct(obs_shape, obs_dtype)
        self._action = jax.ShapeDtypeStruct(() if discrete else (action_size,), jnp.int32 if discrete else jnp.float32)

    def init(self, key: chex.PRNGKey) -> AgentState:
        """The state before the first update; the key is consumed."""
        rows = jax.tree.map(lambda leaf: leaf[None, None], self.example_row())
        learner = self.sac.init(key, _make_batch(rows, rows, jnp.ones((1, 1), bool)))
        return AgentState(learner, jax.tree.map(jnp.copy, learner.params), jnp.zeros((), jnp.int32))

    def example_row(self) -> Row:
        """A row of zeros, for the shape of the replay."""
        obs, action = (jnp.zeros(kind.shape, kind.dtype) for kind in (self._obs, self._action))
        scalar, step = jnp.zeros((), jnp.float32), jnp.zeros((), jnp.int32)
        return Row(obs, action, scalar, scalar, obs, scalar, step)

    def sample(self, data: ContextReplay, key: chex.PRNGKey) -> PearlBatch:
        """A batch for one gradient step (thesis, Algorithm 1, lines 12 to 14); the key is consumed."""
        config = self.config
        task_key, row_key, context_key = jax.random.split(key, 3)
        tasks = jax.random.randint(task_key, (config.meta_batch_size,), 0, data.num_recent.shape[0])
        if config.correlated_batch:
            rows, _ = _join_windows(sample_windows(data.replay, row_key, tasks, 1, config.batch_size))
        else:
            rows = sample(data.replay, row_key, tasks, config.batch_size)
        if config.context_sampler == "same_batch":
            context, valid = rows, jnp.ones(rows.reward.shape, bool)
        else:
            context, valid = self._sample_context(data, tasks, context_key)
        return _make_batch(rows, context, valid)

    def _sample_context(self, data: ContextReplay, tasks: chex.Array, key: chex.PRNGKey) -> tuple[Row, chex.Array]:
        """Rows `[M, C, ...]` for the encoder, and which of them count, `[M, C]` bool; the key is consumed."""
        config = self.config
        newest, skipped = None, 0
        if config.context_sampler == "recent":
            newest, skipped = data.num_recent[tasks], data.num_extra[tasks]
        if config.max_context_episodes:
            count_key, key = jax.random.split(key)
            num_episodes = config.max_context_episodes
            rows, valid = _join_windows(
                sample_episodes(data.replay, key, tasks, num_episodes, self._horizon, newest, skipped)
            )
            count = jax.random.randint(count_key, (tasks.shape[0], 1), 1, num_episodes + 1)
            chosen = jnp.arange(num_episodes)[None] < count
            return rows, valid & jnp.repeat(chosen, self._horizon, axis=1)
        if config.encoder == "recurrent":
            return _join_windows(sample_windows(data.replay, key, tasks, 1, config.context_size, newest, skipped))
        rows = sample(data.replay, key, tasks, config.context_size, newest, skipped)
        return rows, jnp.ones(rows.reward.shape, bool)

    def update(self, state: AgentState, batch: PearlBatch, key: chex.PRNGKey) -> tuple[AgentState, Metrics]:
        """One gradient step on encoder, actor and critics; the key is consumed."""
        learner, metrics = self.sac.update(state.learner, batch, key)
        average = average_params(state.average, learner.params, self.config.averaging_rate, state.num_updates)
        return AgentState(learner, average, state.num_updates + 1), metrics


def _make_batch(rows: Row, context: Row, valid: chex.Array) -> PearlBatch:
    return PearlBatch(rows.obs, rows.action, rows.reward, rows.discount, rows.next_obs, context, valid)


def _join_windows(windows: tuple[Row, chex.Array]) -> tuple[Row, chex.Array]:
    """Rows `[M, num_windows, length, ...]` and their validity as `[M, num_windows * length, ...]`."""
    return jax.tree.map(lambda leaf: leaf.reshape(leaf.shape[0], -1, *leaf.shape[3:]), windows)


class PearlMemory(NamedTuple):
    """What PEARL remembers of a trial.

    belief: the encoder's, about `N` tasks.
    hypotheses: what else may be, where the config has some.
    z: `[N, Dz]` the task variable of the episode under way.
    episode, step: `[N]` int32, episodes begun and steps seen.
    """

    belief: Any
    hypotheses: Hypotheses | None
    z: chex.Array
    episode: chex.Array
    step: chex.Array


@dataclasses.dataclass(frozen=True, eq=False)
class PearlPolicy:
    """Acts on one draw of the task variable for each episode (thesis, Algorithm 2): a `MetaPolicy`.

    The draw is from the posterior, or, where the config has hypotheses, from them until the trial's first reward.

    agent: the agent; the parameters come with each call.
    num_prior_episodes: episodes of a trial whose z is drawn from the prior, whatever was seen.
    num_prior_steps: steps of a trial within which episodes begin with z from the prior.
    deterministic: whether actions are the policy's centre.
    """

    agent: PearlAgent
    num_prior_episodes: int = 0
    num_prior_steps: int = 0
    deterministic: bool = False

    def begin_trial(self, params: SACParams, key: chex.PRNGKey, num_tasks: int) -> PearlMemory:
        """Nothing known of `N` tasks; the key is consumed where there are hypotheses to draw."""
        config, inference = self.agent.config, self.agent.inference
        belief = inference.encoder.blank(num_tasks)
        hypotheses = None
        if config.num_hypotheses:
            shape = num_tasks, config.num_hypotheses, config.latent_size
            hypotheses = draw_hypotheses(inference.reward_model, params.representation.reward_model, key, shape)
        z = jnp.zeros((num_tasks, config.latent_size), jnp.float32)
        none = jnp.zeros(num_tasks, jnp.int32)
        return PearlMemory(belief, hypotheses, z, none, none)

    def begin_episode(self, params: SACParams, memory: PearlMemory, key: chex.PRNGKey) -> PearlMemory:
        """Draws z; from the prior where a trial has only begun; the key is consumed."""
        encoder = self.agent.inference.encoder
        blank = encoder.blank(memory.z.shape[0])
        exploring = (memory.episode < self.num_prior_episodes) | (memory.step < self.num_prior_steps)
        belief = jax.tree.map(lambda blank, known: jnp.where(exploring[:, None], blank, known), blank, memory.belief)
        choice_key = jax.random.fold_in(key, 1)
        z = encoder.posterior(params.representation.encoder, belief).sample(key)
        if memory.hypotheses is not None:
            searching = ~exploring & ~memory.hypotheses.rewarded
            z = jnp.where(searching[:, None], choose(memory.hypotheses, choice_key), z)
        return memory._replace(z=z, episode=memory.episode + 1)

    def act(
        self, params: SACParams, memory: PearlMemory, obs: chex.Array, key: chex.PRNGKey
    ) -> tuple[chex.Array, PearlMemory]:
        """Actions `[N, Da]`, or choices `[N]` int32; the key is consumed."""
        features = self.agent.inference.features(params.representation, obs)
        return self.agent.sac.act(params, join_task(features, memory.z), key, self.deterministic), memory

    def observe(self, params: SACParams, memory: PearlMemory, transition: Transition) -> PearlMemory:
        """Adds a transition to the context."""
        inference, inferring = self.agent.inference, params.representation
        obs, action, reward, discount, next_obs = transition
        row = Row(obs, action, reward, discount, next_obs, reward, memory.step)
        belief = inference.encoder.absorb(inferring.encoder, memory.belief, inference.see(inferring, row))
        hypotheses = memory.hypotheses
        if hypotheses is not None:
            place = inference.see_place(inferring, row)
            hypotheses = weigh(inference.reward_model, inferring.reward_model, hypotheses, place, reward)
        return memory._replace(belief=belief, hypotheses=hypotheses, step=memory.step + 1)
