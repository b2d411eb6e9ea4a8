"""Meta-training (thesis, Algorithm 3): the host loop and the state that it carries."""

from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
from metarl_envs import Benchmark, take_tasks
from rlcore.experiment import Run, tell
from rlcore.meta import TrialPlayer, Trials
from rlcore.outcome import get_outcome
from rlcore.replay import Replay, init_replay
from rlcore.signals import check_finite
from rlcore.updates import make_update_many

from meld_jax.agent import AgentState, MeldAgent, MeldData
from meld_jax.build import check_fits, make_agent
from meld_jax.collect import as_second_stage, store
from meld_jax.config import MeldConfig
from meld_jax.evaluate import make_test_player, outcome_metrics, repeat_tasks
from meld_jax.filtering import Trial
from meld_jax.policy import MeldPolicy


class TrainState(NamedTuple):
    """All that the next iteration depends on.

    agent: parameters and optimisers.
    data: the replay, and that of the first stage where there is one.
    key: all randomness to come.
    env_steps: scalar int32, steps taken in train tasks; those of a first stage not included.
    """

    agent: AgentState
    data: MeldData
    key: chex.PRNGKey
    env_steps: chex.Array


def init_state(agent: MeldAgent, benchmark: Benchmark, seed: int, num_expert_trials: int = 0) -> TrainState:
    """The state before anything was collected.

    Args:
      agent: what will be trained.
      benchmark: on what.
      seed: of everything random.
      num_expert_trials: the room for trials of a first stage, for each task; 0 where there is none.
    """
    agent_key, key = jax.random.split(jax.random.key(seed))

    def make_replay(num_trials: int) -> Replay:
        return init_replay(agent.example_trial(), num_trials, benchmark.num_train_tasks)

    expert = make_replay(num_expert_trials) if num_expert_trials else None
    data = MeldData(make_replay(agent.config.replay_capacity), expert)
    return TrainState(agent.init(agent_key), data, key, jnp.zeros((), jnp.int32))


def begin_second_stage(state: TrainState, first: TrainState) -> TrainState:
    """The state with the trials of a first stage, shown by the second stage's evidence, and with its model."""
    model = jax.tree.map(jnp.copy, first.agent.model)  # copies, because states are donated
    average = state.agent.average._replace(model=jax.tree.map(jnp.copy, first.agent.model))
    agent = state.agent._replace(model=model, average=average)
    return state._replace(agent=agent, data=state.data._replace(expert=as_second_stage(first.data.replay)))


def train(
    config: MeldConfig,
    benchmark: Benchmark,
    run: Run,
    *,
    seed: int,
    num_iterations: int,
    first_stage: TrainState | None = None,
) -> TrainState:
    """Meta-trains MELD in a run directory, from its newest checkpoint on if it has one.

    Args:
      config: the options.
      benchmark: tasks to train on, and to test on as it goes.
      run: where metrics and checkpoints go.
      seed: of everything random.
      num_iterations: how many in all, those of earlier runs in this directory included.
      first_stage: the end of one in the same tasks, see `MeldConfig.second_stage_reward`.

    Returns:
      The state after the last iteration.

    Raises:
      ValueError: the config does not fit the benchmark.
      RunError: the run does not fit into memory.
      NonFiniteError: an environment or a loss gave a number that is not finite; the last checkpoint is intact.
    """
    agent = make_agent(config, benchmark)
    tell(check_fits(agent, benchmark, with_expert=first_stage is not None))
    family = benchmark.family
    explore = TrialPlayer(MeldPolicy(agent, deterministic=False, random=True), family, config.num_episodes)
    play = TrialPlayer(MeldPolicy(agent, deterministic=False), family, config.num_episodes)
    test = make_test_player(agent, family)
    keep = jax.jit(store, static_argnums=2, donate_argnums=0)
    update = Updates(agent)
    norm = jax.jit(optax.tree.norm)
    signals = [config.training_reward, config.second_stage_reward]

    def visit(state: TrainState, player: TrialPlayer, ids: np.ndarray) -> tuple[TrainState, Trials]:
        key, play_key = jax.random.split(state.key)
        trials = player(state.agent.params, take_tasks(benchmark.train_tasks, ids), play_key)
        check_finite(trials, signals, "train", ids)
        replay = keep(state.data.replay, jnp.asarray(ids, jnp.int32), config, trials)
        data = state.data._replace(replay=replay)
        return state._replace(data=data, key=key, env_steps=state.env_steps + trials.valid.size), trials

    with run:
        state = init_state(agent, benchmark, seed, first_stage.data.replay.capacity if first_stage else 0)
        state, start = run.restore(begin_second_stage(state, first_stage) if first_stage else state)
        num_visited = config.num_tasks_per_iteration or benchmark.num_train_tasks
        steps = num_visited * config.num_episodes * family.horizon
        test_tasks = repeat_tasks(benchmark.test_tasks, benchmark.num_test_tasks, config.num_test_trials)
        test_ids = np.repeat(np.arange(benchmark.num_test_tasks), config.num_test_trials)
        for iteration in run.iterations(start, num_iterations, steps_per_iteration=steps):
            metrics: dict[str, Any] = {}
            if iteration == 1:
                tell(
                    f"first {config.num_initial_trials} random trials of each task and {config.num_initial_updates} "
                    "updates of the model alone"
                )
                for _ in range(config.num_initial_trials):
                    state, _ = visit(state, explore, np.arange(benchmark.num_train_tasks))
                if first_stage is None:  # whose model knows the background
                    replay = state.data.replay.data
                    stored = jax.tree.map(lambda leaf: leaf[:, : config.num_initial_trials], replay)
                    state = state._replace(agent=agent.set_background(state.agent, stored))
                key, update_key = jax.random.split(state.key)
                state, metrics = update.model(state._replace(key=key), update_key, config.num_initial_updates)
            key, choice_key, update_key, test_key = jax.random.split(state.key, 4)
            state = state._replace(key=key)
            ids = np.sort(jax.random.choice(choice_key, benchmark.num_train_tasks, (num_visited,), replace=False))
            state, trials = visit(state, play, ids)
            state, new_metrics = update.everything(state, update_key)
            metrics |= new_metrics

            returns = np.asarray(trials.returns())
            metrics["train/return_first"], metrics["train/return_last"] = returns[:, 0].mean(), returns[:, -1].mean()
            metrics["params/norm"] = norm(state.agent.params)  # not finite if one parameter is not
            metrics["env_steps"] = state.env_steps
            metrics["updates"] = iteration * config.num_updates
            if iteration % config.test_every == 0:
                trials = test(state.agent.average, test_tasks, test_key)
                check_finite(trials, [], "test", test_ids)
                metrics |= outcome_metrics(get_outcome(trials))
            run.finish_iteration(iteration, state, metrics)
    return state


class Updates:
    """The gradient steps of an iteration, each kind compiled once."""

    def __init__(self, agent: MeldAgent) -> None:
        config = agent.config
        self._config = config

        def make(update: Any, num_trials: int) -> Any:
            def sample(data: MeldData, key: chex.PRNGKey) -> Trial:
                return agent.sample(data, key, num_trials)

            return make_update_many(update, sample, with_convolutions=config.model.has_convolutions)

        self._model = make(agent.update_model, config.model_batch_size)
        self._policy = make(agent.update_policy, config.policy_batch_size)
        self._joint = make(agent.update_joint, config.model_batch_size)

    def model(self, state: TrainState, key: chex.PRNGKey, num_updates: int) -> tuple[TrainState, dict[str, Any]]:
        """So many steps on the model; the key is consumed."""
        return self._run(self._model, state, key, num_updates)

    def everything(self, state: TrainState, key: chex.PRNGKey) -> tuple[TrainState, dict[str, Any]]:
        """The steps of an iteration; the key is consumed."""
        config, metrics = self._config, {}
        num_policy_batches = config.num_policy_updates // config.policy_steps_per_batch
        counts = config.num_model_updates, num_policy_batches, config.num_joint_updates
        updates = self._model, self._policy, self._joint
        for update, count, step_key in zip(updates, counts, jax.random.split(key, 3), strict=True):
            state, new_metrics = self._run(update, state, step_key, count)
            metrics |= new_metrics
        return state, metrics

    @staticmethod
    def _run(update: Any, state: TrainState, key: chex.PRNGKey, count: int) -> tuple[TrainState, dict[str, Any]]:
        if not count:
            return state, {}
        agent, metrics = update(state.agent, state.data, key, count)
        return state._replace(agent=agent), dict(metrics)
