"""Discrete SAC on a representation (thesis, section 2.5), and the test of a policy.

In the shape descriptions `N` denotes games side by side, `T` steps and `A` actions.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
from metarl_envs.catcher import CatcherEnv, CatcherState, CatcherTask
from rlcore.experiment import Run
from rlcore.replay import Replay, add, init_replay, sample
from rlcore.rollout import EnvCarry, Trajectory, rollout, start
from rlcore.sac import SAC, DiscreteHead, SACConfig, SACParams, SACState
from rlcore.types import Transition
from rlcore.updates import make_update_many

from mi_repr.deep.catcher.config import ControlConfig
from mi_repr.deep.catcher.views import View

Policy = Callable[[CatcherState, chex.PRNGKey], chex.Array]
"""`(states [N], key) -> actions [N]`; the key is consumed."""


class ControlState(NamedTuple):
    """All that the next iteration depends on.

    agent: parameters and optimisers.
    replay: transitions, of whatever the view keeps of states.
    games: where the games stand.
    key: all randomness to come.
    env_steps: scalar int32, steps of all games together.
    """

    agent: SACState
    replay: Replay
    games: EnvCarry
    key: chex.PRNGKey
    env_steps: chex.Array


class SeenAsState:
    """The game with its state for an observation; each policy makes of it what it can see."""

    def __init__(self, env: CatcherEnv) -> None:
        self.initial, self.transition, self.reward = env.initial, env.transition, env.reward
        self.terminal, self.transition_info = env.terminal, env.transition_info

    def observation(self, state: CatcherState, rng: chex.PRNGKey, params: CatcherTask) -> CatcherState:
        """The state."""
        del rng, params
        return state


@dataclasses.dataclass(frozen=True, eq=False)
class Controller:
    """An agent, what it sees, and the game that it plays.

    env, task: the game.
    horizon: steps after which an episode ends at the latest.
    config, sac_config: how the agent learns.
    view: what it sees.
    """

    env: CatcherEnv
    task: CatcherTask
    horizon: int
    config: ControlConfig
    sac_config: SACConfig
    view: View

    @functools.cached_property
    def head(self) -> DiscreteHead:
        """The actor's and critics' networks."""
        return DiscreteHead(self.sac_config, self.env.num_actions)

    @functools.cached_property
    def sac(self) -> SAC:
        """The agent."""
        return SAC(self.sac_config, self.head, self.view.representation)

    @functools.partial(jax.jit, static_argnames="self")
    def init(self, view_params: chex.ArrayTree, key: chex.PRNGKey) -> ControlState:
        """The state before any step; the key is consumed."""
        agent_key, start_key, key = jax.random.split(key, 3)
        games = start(SeenAsState(self.env), self._tasks(self.config.num_envs), start_key)
        games = games._replace(obs=jax.tree.map(jnp.copy, games.obs))  # a state that is donated holds no array twice
        kept = self.view.store(view_params, games.state)
        scalar = jnp.zeros(self.config.num_envs, jnp.float32)
        example = Transition(kept, jnp.zeros(self.config.num_envs, jnp.int32), scalar, scalar, kept)
        replay = init_replay(jax.tree.map(lambda leaf: leaf[0], example), self.config.replay_capacity)
        example = self._recalled(example, view_params)
        return ControlState(self.sac.init(agent_key, example), replay, games, key, jnp.zeros((), jnp.int32))

    def sample(self, data: tuple[Replay, chex.ArrayTree], key: chex.PRNGKey) -> Transition:
        """A batch for a gradient step, from a replay and the view's parameters; the key is consumed."""
        replay, view_params = data
        batch = sample(replay, key, jnp.zeros(1, jnp.int32), self.config.batch_size)
        return self._recalled(jax.tree.map(lambda leaf: leaf[0], batch), view_params)

    @functools.partial(jax.jit, static_argnames=("self", "num_steps", "explore"), donate_argnames="state")
    def collect(
        self, state: ControlState, view_params: chex.ArrayTree, num_steps: int, explore: bool = False
    ) -> ControlState:
        """Plays `num_steps` in every game and keeps the transitions.

        Args:
          state: donated.
          view_params: the view's.
          num_steps: of each game.
          explore: whether by a uniformly random policy.
        """
        key, act_key = jax.random.split(state.key)

        def act(memory: Any, game: CatcherState, key: chex.PRNGKey) -> tuple[chex.Array, Any]:
            if explore:
                return jax.random.randint(key, game.paddle_x.shape, 0, self.env.num_actions), memory
            seen = self.view.see(view_params, state.agent.params.representation, game)
            return self.sac.act(state.agent.params, seen, key), memory

        tasks = self._tasks(self.config.num_envs)
        env = SeenAsState(self.env)
        games, _, trajectory = rollout(
            env, tasks, state.games, act, (), act_key, num_steps=num_steps, horizon=self.horizon
        )
        replay = add(state.replay, jnp.zeros(1, jnp.int32), self._rows(trajectory, view_params))
        num_added = num_steps * self.config.num_envs
        return ControlState(state.agent, replay, games, key, state.env_steps + num_added)

    def policy(self, params: SACParams, view_params: chex.ArrayTree) -> Policy:
        """The greedy policy."""

        def act(game: CatcherState, key: chex.PRNGKey) -> chex.Array:
            return self.sac.act(params, self.view.see(view_params, params.representation, game), key, True)

        return act

    @functools.partial(jax.jit, static_argnames="self")
    def test(
        self, params: SACParams, view_params: chex.ArrayTree, task: CatcherTask, key: chex.PRNGKey
    ) -> dict[str, chex.Array]:
        """Plays episodes with the greedy policy in `task`; the key is consumed."""
        policy = self.policy(params, view_params)
        return play(self.env, task, self.horizon, policy, key, self.config.num_test_episodes)

    def _rows(self, trajectory: Trajectory, view_params: chex.ArrayTree) -> Transition:
        """The trajectory `[T, N]` as rows `[1, T N]` of the replay."""
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), trajectory.transition)
        kept = flat._replace(
            obs=self.view.store(view_params, flat.obs), next_obs=self.view.store(view_params, flat.next_obs)
        )
        return jax.tree.map(lambda leaf: leaf[None], kept)

    def _recalled(self, batch: Transition, view_params: chex.ArrayTree) -> Transition:
        obs, next_obs = (self.view.recall(view_params, kept) for kept in (batch.obs, batch.next_obs))
        return batch._replace(obs=obs, next_obs=next_obs)

    def _tasks(self, num_games: int) -> CatcherTask:
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num_games, *jnp.shape(leaf))), self.task)


def play(
    env: CatcherEnv, task: CatcherTask, horizon: int, policy: Policy, key: chex.PRNGKey, num_episodes: int
) -> dict[str, chex.Array]:
    """Plays episodes and tells of their returns; traceable; the key is consumed.

    Returns:
      `return`, the mean, in [-1, 1], and `catch_rate`, the share of fruit caught; scalars.
    """
    tasks = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num_episodes, *jnp.shape(leaf))), task)
    game = SeenAsState(env)
    start_key, play_key = jax.random.split(key)

    def act(memory: Any, state: CatcherState, key: chex.PRNGKey) -> tuple[chex.Array, Any]:
        return policy(state, key), memory

    games = start(game, tasks, start_key)
    _, _, trajectory = rollout(game, tasks, games, act, (), play_key, num_steps=horizon, horizon=horizon)
    # Every episode of the game lasts the horizon, so what was played is one episode each.
    returns = jnp.sum(trajectory.transition.reward, axis=0)
    return {"return": jnp.mean(returns), "catch_rate": jnp.mean(returns > 0)}


def learn(
    controller: Controller, run: Run, *, key: chex.PRNGKey, unseen: CatcherTask | None = None, title: str = "agent"
) -> ControlState:
    """Trains the agent in a run directory, from its newest checkpoint on if it has one.

    Args:
      controller: the agent and its game.
      run: where metrics and checkpoints go.
      key: all randomness follows from it; consumed.
      unseen: a task to test in too, with backgrounds that training does not show.
      title: what progress is said to be of.

    Returns:
      The state after the last iteration.

    Raises:
      NonFiniteError: a loss is not finite; the last checkpoint is intact.
    """
    config = controller.config
    update_many = make_update_many(controller.sac.update, controller.sample)
    view_params = controller.view.params
    num_updates = config.steps_per_iteration // config.steps_per_update
    tests = {"test": controller.task} | ({"unseen": unseen} if unseen is not None else {})
    with run:
        state, begun = run.restore(controller.init(view_params, key))
        for iteration in run.iterations(
            begun, config.num_iterations, steps_per_iteration=config.steps_per_iteration, title=title
        ):
            if iteration == 1:
                num_initial = config.num_initial_steps // config.num_envs
                state = controller.collect(state, view_params, num_initial, explore=True)
            state = controller.collect(state, view_params, config.steps_per_iteration // config.num_envs)
            key, update_key, *test_keys = jax.random.split(state.key, 2 + len(tests))
            agent, metrics = update_many(state.agent, (state.replay, view_params), update_key, num_updates)
            state = state._replace(agent=agent, key=key)
            metrics = {**metrics, "env_steps": state.env_steps, "updates": iteration * num_updates}
            if iteration % config.test_every == 0 or iteration == config.num_iterations:
                for test_key, (name, task) in zip(test_keys, tests.items(), strict=True):
                    results = controller.test(agent.params, view_params, task, test_key)
                    metrics |= {f"{name}/{result}": value for result, value in results.items()}
            run.finish_iteration(iteration, state, metrics)
    return state
