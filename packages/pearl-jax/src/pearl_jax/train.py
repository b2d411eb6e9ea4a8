"""Meta-training (thesis, Algorithm 1): the host loop and the state that it carries."""

from typing import NamedTuple

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from metarl_envs import Benchmark, take_tasks
from rlcore.experiment import Run, tell
from rlcore.meta import TrialPlayer, Trials
from rlcore.outcome import get_outcome
from rlcore.replay import init_replay
from rlcore.signals import check_finite, get_signal
from rlcore.updates import make_update_many

from pearl_jax.agent import AgentState, ContextReplay, PearlAgent, PearlPolicy
from pearl_jax.build import check_fits, make_agent
from pearl_jax.collect import store
from pearl_jax.config import PearlConfig
from pearl_jax.evaluate import adaptation_metrics, make_test_policy


class TrainState(NamedTuple):
    """All that the next iteration depends on.

    agent: parameters and optimisers.
    data: the replay, and what of it the encoder may see.
    key: all randomness to come.
    env_steps: scalar int32, steps taken in train tasks.
    """

    agent: AgentState
    data: ContextReplay
    key: chex.PRNGKey
    env_steps: chex.Array


def init_state(agent: PearlAgent, benchmark: Benchmark, seed: int) -> TrainState:
    """The state before anything was collected."""
    agent_key, key = jax.random.split(jax.random.key(seed))
    replay = init_replay(agent.example_row(), agent.config.replay_capacity, benchmark.num_train_tasks)
    data = ContextReplay(replay, jnp.zeros(benchmark.num_train_tasks, jnp.int32))
    return TrainState(agent.init(agent_key), data, key, jnp.zeros((), jnp.int32))


def train(
    config: PearlConfig,
    benchmark: Benchmark,
    run: Run,
    *,
    seed: int,
    num_iterations: int,
    obs_network: nn.Module | None = None,
) -> TrainState:
    """Meta-trains PEARL in a run directory, from its newest checkpoint on if it has one.

    Args:
      config: the options.
      benchmark: tasks to train on, and to test on as it goes.
      run: where metrics and checkpoints go.
      seed: of everything random.
      num_iterations: how many in all, those of earlier runs in this directory included.
      obs_network: turns observations into features, see `make_agent`.

    Returns:
      The state after the last iteration.

    Raises:
      ValueError: the config does not fit the benchmark.
      RunError: the run does not fit into memory.
      NonFiniteError: an environment or a loss gave a number that is not finite; the last checkpoint is intact.
    """
    agent = make_agent(config, benchmark, obs_network)
    tell(check_fits(agent, benchmark))
    family = benchmark.family
    explore = PearlPolicy(agent, config.num_initial_episodes, deterministic=False)
    play_initial = TrialPlayer(explore, family, config.num_initial_episodes)
    adapt = PearlPolicy(agent, config.num_prior_episodes, deterministic=False)
    play = TrialPlayer(adapt, family, config.num_context_episodes + config.num_extra_episodes)
    test = TrialPlayer(make_test_policy(agent), family, config.num_test_episodes)
    keep = jax.jit(store, static_argnums=5, donate_argnums=0)
    update_many = make_update_many(agent.update, agent.sample, with_convolutions=obs_network is not None)
    norm = jax.jit(optax.tree.norm)

    def visit(
        state: TrainState, player: TrialPlayer, ids: np.ndarray, num_extra: int, difficulty: float
    ) -> tuple[TrainState, Trials]:
        key, play_key = jax.random.split(state.key)
        tasks = family.ease(take_tasks(benchmark.train_tasks, ids), difficulty)
        trials = player(state.agent.learner.params, tasks, play_key)
        check_finite(trials, [config.training_reward], "train", ids)
        trajectory = trials.trajectory
        reward = get_signal(trajectory, config.training_reward)
        data = keep(state.data, jnp.asarray(ids, jnp.int32), trajectory.transition, reward, trials.valid, num_extra)
        return state._replace(data=data, key=key, env_steps=state.env_steps + trials.valid.size), trials

    with run:
        state, start = run.restore(init_state(agent, benchmark, seed))
        num_visited = config.num_tasks_per_iteration or benchmark.num_train_tasks
        steps = num_visited * (config.num_context_episodes + config.num_extra_episodes) * family.horizon
        for iteration in run.iterations(start, num_iterations, steps_per_iteration=steps):
            difficulty = config.difficulty(iteration)
            if iteration == 1:
                everything = np.arange(benchmark.num_train_tasks)
                state, _ = visit(state, play_initial, everything, 0, difficulty)
            key, choice_key, update_key, test_key = jax.random.split(state.key, 4)
            state = state._replace(key=key)
            ids = np.sort(jax.random.choice(choice_key, benchmark.num_train_tasks, (num_visited,), replace=False))
            state, trials = visit(state, play, ids, config.num_extra_episodes, difficulty)
            agent_state, metrics = update_many(state.agent, state.data, update_key, config.num_updates)
            state = state._replace(agent=agent_state)

            metrics = dict(metrics)
            returns = trials.returns()
            metrics["train/return_first"], metrics["train/return_last"] = returns[:, 0].mean(), returns[:, -1].mean()
            metrics["train/difficulty"] = difficulty
            metrics["params/norm"] = norm(agent_state.learner.params)  # not finite if one parameter is not
            metrics["env_steps"] = state.env_steps
            metrics["updates"] = iteration * config.num_updates
            if iteration % config.test_every == 0:
                trials = test(state.agent.average, benchmark.test_tasks, test_key)
                check_finite(trials, [], "test", np.arange(benchmark.num_test_tasks))
                metrics |= adaptation_metrics(trials.returns())
                if "success" in trials.trajectory.info:
                    outcome = get_outcome(trials)
                    metrics |= adaptation_metrics(outcome.success, "success")
                    metrics |= adaptation_metrics(outcome.found, "found")
            run.finish_iteration(iteration, state, metrics)
    return state
