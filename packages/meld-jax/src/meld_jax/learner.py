"""MELD as a learner of `rlcore.meta`: what is collected, how it is stored, what an iteration learns (Algorithm 3).

In the shape descriptions `N` denotes all train tasks, `M` those of a visit, `S` the steps of a trial, `L` its frames.
"""

import contextlib
import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from metarl_envs import Benchmark, check_actions, take_tasks
from rlcore.experiment import Run
from rlcore.meta import Collection, Testing, Visit, check_num_visited, check_signal
from rlcore.replay import Replay, add, init_replay
from rlcore.types import Metrics, Params
from rlcore.updates import make_update_many

from meld_jax.agent import AgentParams, AgentState, MeldAgent, MeldData
from meld_jax.config import MeldConfig
from meld_jax.filtering import Trial
from meld_jax.frames import as_second_stage, count_frames, make_trials
from meld_jax.images import check_picture
from meld_jax.policy import MeldPolicy


class FirstStage(NamedTuple):
    """The end of a first stage, which a second one starts from (thesis, appendix D.3).

    run_dir: where it was trained. model: the latent state model's parameters. replay: its trials.
    """

    run_dir: str
    model: Params
    replay: Replay


class MeldLearner:
    """A `MetaLearner`; what does not fit the benchmark is refused when it is made, before anything is computed.

    Args:
      config: the options.
      benchmark: what will be played.
      first_stage: the end of one in the same tasks, see `MeldConfig.second_stage_reward`.

    Raises:
      ValueError: MELD cannot play the benchmark, or the config does not fit it.
    """

    test_params_name = ".agent.average"
    memory_advice = "lower replay_capacity, which drops what is oldest"

    def __init__(self, config: MeldConfig, benchmark: Benchmark, first_stage: FirstStage | None = None) -> None:
        self.config = config
        self._num_tasks = benchmark.num_train_tasks
        self._first_stage = first_stage
        family = benchmark.family
        image_shape = _picture_shape(config, benchmark, family.observation_space)
        action_size = check_actions(benchmark)
        self._check_sizes(benchmark)
        if family.functional is None:
            _check_draws(benchmark)
        self.signals = {name: getattr(config, name) for name in ("training_reward", "second_stage_reward")}
        for option, name in self.signals.items():
            if name != "reward":
                check_signal(name, family.signals, option)
        num_frames = count_frames(config.num_episodes, family.horizon, terminates=family.terminates)
        self.agent = MeldAgent(config, image_shape, action_size, num_frames)

        num_steps = config.num_episodes * family.horizon
        exploring = MeldPolicy(self.agent, deterministic=False, random=True)
        self.first = Collection(exploring, num_steps, config.num_initial_trials)
        acting = MeldPolicy(self.agent, deterministic=False)
        self.collection = Collection(acting, num_steps, num_tasks=config.num_tasks_per_iteration)
        testing = MeldPolicy(self.agent, config.deterministic_test)
        self.testing = Testing(testing, config.num_episodes, config.num_test_trials, config.test_every)
        self.num_updates = config.num_updates
        frame_bytes = 4 * math.prod(image_shape) * _PICTURES_OF_A_FRAME
        program_bytes = _PROGRAM_BYTES if jax.default_backend() == "cpu" else 0
        self.update_bytes = program_bytes + config.model_batch_size * num_frames * frame_bytes
        self._store = jax.jit(self._add, donate_argnums=0)
        self._update_model = self._make_update(self.agent.update_model, config.model_batch_size)
        self._update_policy = self._make_update(self.agent.update_policy, config.policy_batch_size)
        self._update_joint = self._make_update(self.agent.update_joint, config.model_batch_size)

    def init(self, key: chex.PRNGKey) -> tuple[AgentState, MeldData]:
        """See `MetaLearner`; with a first stage, its model and its trials, shown by this stage's evidence."""
        agent = self.agent.init(key)

        replay = init_replay(self.agent.example_trial(), self.config.replay_capacity, self._num_tasks)
        if self._first_stage is None:
            return agent, MeldData(replay, None)
        copies = [jax.tree.map(jnp.copy, self._first_stage.model) for _ in range(2)]  # because states are donated
        agent = agent._replace(model=copies[0], average=agent.average._replace(model=copies[1]))
        return agent, MeldData(replay, as_second_stage(self._first_stage.replay))

    def params(self, agent: AgentState) -> AgentParams:
        """See `MetaLearner`."""
        return agent.params

    def test_params(self, agent: AgentState) -> AgentParams:
        """See `MetaLearner`."""
        return agent.average

    def difficulty(self, iteration: int) -> float:
        """See `MetaLearner`: tasks are what they are."""
        del iteration
        return 1.0

    def store(self, data: MeldData, ids: np.ndarray, visit: Visit, *, first: bool) -> tuple[MeldData, int]:
        """See `MetaLearner`."""
        del first
        # Only what is stored is traced: an environment may report more at some times than at others.
        info = {name: visit.trajectory.info[name] for name in set(self.signals.values()) - {"reward"}}
        visit = visit._replace(trajectory=visit.trajectory._replace(info=info))
        replay, rows = self._store(data.replay, jnp.asarray(ids, jnp.int32), visit)
        return data._replace(replay=replay), int(rows)

    def begin(self, agent: AgentState, data: MeldData, key: chex.PRNGKey, run: Run) -> tuple[AgentState, Metrics]:
        """See `MetaLearner`: the decoder starts at the mean picture, then the model learns alone."""
        num_updates = self.config.num_initial_updates
        if self._first_stage is None:  # whose model knows the background
            agent = self._set_background(agent, data.replay.data)
        if not num_updates:
            return agent, {}
        metrics: Metrics = {}
        counts = [num_updates // _NUM_PARTS] * _NUM_PARTS + [num_updates % _NUM_PARTS]
        with run.phase("updates of the model alone", num_updates) as advance:
            for count, part_key in zip(counts, jax.random.split(key, len(counts)), strict=True):
                if count:
                    agent, metrics = jax.block_until_ready(self._update_model(agent, data, part_key, count))
                    advance(count)
        return agent, metrics

    def update(self, agent: AgentState, data: MeldData, key: chex.PRNGKey) -> tuple[AgentState, Metrics]:
        """See `MetaLearner`."""
        config, metrics = self.config, {}
        updates = {
            self._update_model: config.num_model_updates,
            self._update_policy: config.num_policy_updates // config.policy_steps_per_batch,
            self._update_joint: config.num_joint_updates,
        }
        for (update, count), step_key in zip(updates.items(), jax.random.split(key, len(updates)), strict=True):
            if count:
                agent, new_metrics = update(agent, data, step_key, count)
                metrics |= new_metrics
        return agent, metrics

    def _add(self, replay: Replay, ids: chex.Array, visit: Visit) -> tuple[Replay, chex.Array]:
        trials = make_trials(self.config, visit, self.agent.belief.num_frames)
        rows = jax.tree.map(lambda leaf: leaf[:, None], trials)
        return add(replay, ids, rows), jnp.sum(trials.valid & ~trials.first)

    @functools.partial(jax.jit, static_argnums=0)
    def _set_background(self, agent: AgentState, stored: Trial) -> AgentState:
        first = jax.tree.map(lambda leaf: leaf[:, : self.config.num_initial_trials], stored)
        return self.agent.set_background(agent, first)

    def _make_update(self, update: Callable[..., Any], num_trials: int) -> Callable[..., Any]:
        def sample(data: MeldData, key: chex.PRNGKey) -> Trial:
            return self.agent.sample(data, key, num_trials)

        return make_update_many(update, sample)

    def _check_sizes(self, benchmark: Benchmark) -> None:
        config = self.config
        check_num_visited(config.num_tasks_per_iteration, benchmark)
        if config.num_initial_trials > config.replay_capacity:
            raise ValueError(
                f"replay_capacity must hold the {config.num_initial_trials} initial trials, got "
                f"{config.replay_capacity}"
            )


_PROGRAM_BYTES = 600_000_000
"""To compile the model's updates on a CPU, beside what `rlcore.experiment.check_memory` counts."""
_PICTURES_OF_A_FRAME = 9
"""How many pictures' worth of 32-bit numbers an update keeps of a frame: what it compiled to took 8 and 9, with patches
and pictures of 32 x 32 and 64 x 128 pixels."""
_NUM_PARTS = 20
"""In how many calls the first updates are made, so that progress can be shown."""


def _picture_shape(config: MeldConfig, benchmark: Benchmark, space: spaces.Space[Any]) -> tuple[int, int, int]:
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8:
        raise ValueError(f"benchmark {benchmark.name}: the observation space must be pictures of uint8, got {space}")
    check_picture(config.model, f"benchmark {benchmark.name}", space.shape)
    height, width, channels = space.shape
    return height, width, channels


@functools.lru_cache(maxsize=8)
def _check_draws(benchmark: Benchmark) -> None:
    """Looks, once for a benchmark: whether there is a simulator, and something to draw with, is known only then."""
    try:
        with contextlib.closing(benchmark.family.make_vec(take_tasks(benchmark.train_tasks, [0]), seed=0)) as env:
            env.reset(seed=0)
    except (ImportError, RuntimeError) as error:
        raise ValueError(f"benchmark {benchmark.name} cannot be played here: {error}") from None
