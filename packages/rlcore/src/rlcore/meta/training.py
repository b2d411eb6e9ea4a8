"""Meta-training: one loop for all algorithms. Collect trials, store them, update, test, log, take a checkpoint.

In the shape descriptions `N` denotes all train tasks, `M` those of a visit, `S` the steps of a trial.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax

from rlcore.experiment import Run, check_memory, check_seed, num_bytes, tell
from rlcore.experiment.reporting.metrics import to_scalars
from rlcore.meta.arguments import check_count
from rlcore.meta.config import Collection, Testing
from rlcore.meta.policy import Benchmark
from rlcore.meta.results import outcome_metrics
from rlcore.meta.signals import check_reported
from rlcore.meta.trials import TrialPlayer, Visit
from rlcore.rollout import find_ends
from rlcore.types import Metrics, Params

_OTHER_BYTES_OF_A_STEP = 64
"""Rewards, discounts, borders and signals."""


class TrainState(NamedTuple):
    """All that the next iteration depends on.

    agent: the learner's, what updates change: parameters and optimisers.
    data: the learner's, what updates learn from: a replay, or what was collected last.
    key: all randomness to come.
    env_steps: scalar int32, steps simulated in train tasks.
    rows: scalar int32, steps of them that were stored.
    """

    agent: Any
    data: Any
    key: chex.PRNGKey
    env_steps: chex.Array
    rows: chex.Array


class MetaLearner(Protocol):
    """What an algorithm brings to `meta_train`: its state, how it collects and tests, how it stores and learns.

    `agent` and `data` are pytrees of its own making. What a method is given may be donated.

    test_params_name: of what `test_params` gives, among the leaves of `TrainState`, such as `.agent.average`.
    memory_advice: what to do where a run does not fit into memory, for the message.
    """

    test_params_name: str
    memory_advice: str

    @property
    def first(self) -> Collection | None:
        """What is collected in all train tasks before the first iteration, as many side by side as later; or None."""
        ...

    @property
    def collection(self) -> Collection:
        """What is collected in every iteration."""
        ...

    @property
    def testing(self) -> Testing:
        """How the agent is tested."""
        ...

    @property
    def signals(self) -> Mapping[str, str]:
        """Signals of the environment that must be there at every step: the name of each by the option that names it."""
        ...

    @property
    def num_updates(self) -> int:
        """Gradient steps of an iteration."""
        ...

    @property
    def update_bytes(self) -> int:
        """Memory that gradient steps take beside agent and data, and to compile beyond what `check_memory` counts."""
        ...

    def init(self, key: chex.PRNGKey) -> tuple[Any, Any]:
        """The agent and the data before anything was collected; the key is consumed."""
        ...

    def params(self, agent: Any) -> Params:
        """What acts when trials are collected."""
        ...

    def test_params(self, agent: Any) -> Params:
        """What acts in tests."""
        ...

    def difficulty(self, iteration: int) -> float:
        """How hard the train tasks are, in [0, 1], at an iteration counted from 1; 1 are the tasks themselves."""
        ...

    def store(self, data: Any, ids: np.ndarray, visit: Visit, *, first: bool) -> tuple[Any, int]:
        """Adds a trial in each of the tasks `ids: [M]`; returns the data, and how many of its steps were kept."""
        ...

    def begin(self, agent: Any, data: Any, key: chex.PRNGKey, run: Run) -> tuple[Any, Metrics]:
        """What follows on the first collection, before the first iteration; the key is consumed."""
        ...

    def update(self, agent: Any, data: Any, key: chex.PRNGKey) -> tuple[Any, Metrics]:
        """The gradient steps of an iteration; the key is consumed."""
        ...


def init_state(learner: MetaLearner, seed: int) -> TrainState:
    """The state before anything was collected."""
    init_key, key = jax.random.split(jax.random.key(check_seed(seed)))
    agent, data = learner.init(init_key)
    return TrainState(agent, data, key, jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32))


def meta_train(learner: MetaLearner, benchmark: Benchmark, run: Run, *, seed: int, num_iterations: int) -> TrainState:
    """Meta-trains in a run directory, from its newest checkpoint on if it has one (thesis, algorithms 1 and 3).

    Args:
      learner: the algorithm.
      benchmark: tasks to train on, and to test on as it goes.
      run: where metrics and checkpoints go.
      seed: of everything random.
      num_iterations: how many in all, those of earlier runs in this directory included.

    Returns:
      The state after the last iteration.

    Raises:
      ValueError: the seed or the number of iterations is none.
      RunError: the run does not fit into memory.
      NonFiniteError: an environment, the agent or a loss gave a number that is not finite; the last checkpoint is
        intact.
    """
    num_iterations = check_count("num_iterations", num_iterations)
    collection, testing = learner.collection, learner.testing
    num_train, num_test = benchmark.num_train_tasks, benchmark.num_test_tasks
    num_visited = collection.num_tasks or num_train
    steps_per_iteration = num_visited * collection.num_steps * collection.num_trials
    test_tasks = benchmark.take_test_tasks(np.repeat(np.arange(num_test), testing.num_trials))
    norm = jax.jit(optax.tree.norm)
    with run, TrialPlayer(benchmark.family) as player:
        tell(describe_memory(learner, benchmark))
        collect = partial(_collect, learner, benchmark, player)
        state, start = run.restore_or_init(partial(init_state, learner, seed))
        for iteration in run.iterations(start, num_iterations, steps_per_iteration=steps_per_iteration):
            metrics: dict[str, Any] = {}
            difficulty = learner.difficulty(iteration)
            if iteration == 1:
                if learner.first is not None:
                    state = _collect_first(collect, run, learner.first, num_visited, num_train, difficulty, state)
                key, begin_key = jax.random.split(state.key)
                agent, begun = learner.begin(state.agent, state.data, begin_key, run)
                state = state._replace(agent=agent, key=key)
                metrics |= begun
            key, choice_key, update_key, test_key = jax.random.split(state.key, 4)
            ids = np.sort(jax.random.choice(choice_key, num_train, (num_visited,), replace=False))
            state, collected = collect(state._replace(key=key), collection, ids, difficulty, first=False)
            agent, learned = learner.update(state.agent, state.data, update_key)
            state = state._replace(agent=agent)
            metrics |= {**learned, **collected}
            metrics["params/norm"] = norm(learner.params(agent))  # not finite if one parameter is not
            metrics |= {"env_steps": state.env_steps, "rows": state.rows, "updates": iteration * learner.num_updates}
            to_scalars(iteration, metrics)  # stops an agent that has diverged before it is tested
            if iteration % testing.every == 0:
                visit = player.play(
                    testing.policy,
                    learner.test_params(agent),
                    test_tasks,
                    test_key,
                    num_episodes=testing.num_episodes,
                    names=_name("test", np.repeat(np.arange(num_test), testing.num_trials)),
                )
                trials = visit.by_episode(testing.num_episodes, benchmark.family.horizon, with_obs=False)
                metrics |= outcome_metrics(trials)
            run.finish_iteration(iteration, state, metrics)
    return state


def _collect_first(
    collect: Callable[..., tuple[TrainState, Any]],
    run: Run,
    first: Collection,
    num_side_by_side: int,
    num_train: int,
    difficulty: float,
    state: TrainState,
) -> TrainState:
    """The first trials, in groups of as many tasks as later, which the same environments play."""
    groups = [
        np.arange(begin, min(begin + num_side_by_side, num_train)) for begin in range(0, num_train, num_side_by_side)
    ]
    with run.phase("first trials", num_train) as advance:
        for ids in groups:
            state, _ = collect(state, first, ids, difficulty, first=True)
            advance(len(ids))
    if int(state.rows) < int(state.env_steps):
        tell(f"of {int(state.env_steps)} steps {int(state.rows)} are kept: episodes are too short for the rest")
    return state


def _collect(
    learner: MetaLearner,
    benchmark: Benchmark,
    player: TrialPlayer,
    state: TrainState,
    collection: Collection,
    ids: np.ndarray,
    difficulty: float,
    *,
    first: bool,
) -> tuple[TrainState, dict[str, Any]]:
    """Trials in the train tasks `ids: [M]`, stored; and how they went."""
    tasks, names = benchmark.family.ease(benchmark.take_train_tasks(ids), difficulty), _name("train", ids)
    metrics: dict[str, Any] = {}
    for _ in range(collection.num_trials):
        key, play_key = jax.random.split(state.key)
        choose = collection.choose
        visit = player.play(
            collection.policy,
            learner.params(state.agent) if choose is None else choose(state.agent, ids),
            tasks,
            play_key,
            num_steps=collection.num_steps,
            names=names,
        )
        check_reported(visit, learner.signals, names)
        data, rows = learner.store(state.data, ids, visit, first=first)
        steps = state.env_steps + visit.num_steps
        state = state._replace(data=data, key=key, env_steps=steps, rows=state.rows + rows)
        metrics = _returns(visit)
    return state, {**metrics, "train/difficulty": difficulty}


def _returns(visit: Visit) -> dict[str, Any]:
    """Means over tasks of the first episode's return, and of the last one's that was played to its end."""
    reward, episode = np.asarray(visit.trajectory.transition.reward), np.asarray(visit.episode)
    last = np.maximum(np.asarray(find_ends(visit.trajectory)).sum(axis=0) - 1, 0)
    first_return, last_return = (np.sum(reward * (episode == number), axis=0).mean() for number in (0, last))
    return {"train/return_first": first_return, "train/return_last": last_return}


def _name(kind: str, ids: np.ndarray) -> list[str]:
    return [f"{kind} task {i}" for i in ids]


def describe_memory(learner: MetaLearner, benchmark: Benchmark) -> str:
    """Refuses a run that does not fit into memory.

    Returns:
      A line that says what the run will hold.

    Raises:
      RunError: with the numbers.
    """
    agent, data = map(num_bytes, jax.eval_shape(learner.init, jax.random.key(0)))
    family, testing = benchmark.family, learner.testing
    side_by_side = learner.collection.num_tasks or benchmark.num_train_tasks
    num_steps = max(each.num_steps for each in (learner.first, learner.collection) if each is not None)
    num_tested = benchmark.num_test_tasks * testing.num_trials * testing.num_episodes * family.horizon
    obs, action = (num_bytes(space.sample()) for space in (family.observation_space, family.action_space))
    # As they are played, and once more as they are laid out to be stored.
    trials = 2 * max(side_by_side * num_steps, num_tested) * (2 * obs + action + _OTHER_BYTES_OF_A_STEP)
    parts = {"replay": data, "networks and optimisers": agent, "trials being played": trials}
    if learner.update_bytes:
        parts["updates"] = learner.update_bytes
    return check_memory(parts, learner.memory_advice)
