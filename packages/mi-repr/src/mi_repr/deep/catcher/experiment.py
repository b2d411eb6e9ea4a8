"""One experiment from data to return: an encoder, what it keeps of the state, and an agent that sees through it.

Every part is a run of its own in the experiment's directory, so an experiment that was stopped goes on where it was:

```
<directory>/encoder/    metrics.jsonl, checkpoints     training on the objective
<directory>/agent/      metrics.jsonl, checkpoints     discrete SAC
<directory>/true-state-agent/                          likewise, of the agent whose Q is regressed onto, if asked for
<directory>/results.json                               last returns, probes, bounds, regression onto Q*
```
"""

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
from metarl_envs import Benchmark, get_task
from metarl_envs.catcher import CatcherEnv, CatcherTask, state_index, state_vector
from metarl_envs.catcher.state import LAST_FRUIT_Y, NUM_STEPS
from rlcore.experiment import Run, RunError, check_seed, difference, load_config, read_metrics, tell, to_dict

from mi_repr.deep.batching import in_batches
from mi_repr.deep.catcher.bounds import information_bounds
from mi_repr.deep.catcher.config import ExperimentConfig, completed
from mi_repr.deep.catcher.control import Controller, ControlState, learn
from mi_repr.deep.catcher.data import by_background, collect
from mi_repr.deep.catcher.exact import exact_information, optimal_q
from mi_repr.deep.catcher.features import FrozenFeatures, frozen_encoder, true_state
from mi_repr.deep.catcher.probes import ProbeData, draw_states, probe
from mi_repr.deep.catcher.regression import play_greedily, regress
from mi_repr.deep.catcher.source import CatcherSource
from mi_repr.deep.catcher.views import EndToEndView, FrozenView, View
from mi_repr.deep.encoders import Encoder
from mi_repr.deep.objectives import OBJECTIVES, Objective, Setting, make_objective
from mi_repr.deep.training import Pretrainer, PretrainParams, train

GAMES = ("catcher", "catcher-grip", "catcher-distractors", "catcher-grip-distractors")
"""What experiments are run on; the benchmark of a game is `<game>-v0`."""

_HELD_OUT_SHARE = 0.05
"""Of the episodes: not trained on, for the bounds."""

_SEEN_AT_ONCE = 504
"""States of the probes; it divides how many there are by default."""

_RESULTS = "results.json"


PURPOSES = ("agent", "bounds", "data", "encoder", "play", "probe", "q", "states", "true-state-agent")
"""What random keys are for. Their first four letters make the key, so no two may have the same."""


@dataclasses.dataclass(frozen=True, eq=False)
class Experiment:
    """What is run, and where.

    benchmark: a catcher benchmark of `metarl_envs`.
    config: the options.
    seed: of everything random.
    directory: of this experiment alone.
    checkpoint_every: iterations between checkpoints; 0 takes them as often as costs a twentieth of the time.
    env: the game of the benchmark.
    """

    benchmark: Benchmark
    config: ExperimentConfig
    seed: int
    directory: Path
    checkpoint_every: int = 0
    env: CatcherEnv = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        check_seed(self.seed)
        env = self.benchmark.family.functional
        if not isinstance(env, CatcherEnv):
            raise ValueError(f"benchmark must be a catcher game with simple physics, got {self.benchmark.name!r}")
        object.__setattr__(self, "env", env)

    @property
    def task(self) -> CatcherTask:
        """The backgrounds that training shows."""
        return get_task(self.benchmark.train_tasks, 0)

    def key(self, purpose: str) -> chex.PRNGKey:
        """A key for each of `PURPOSES`, so that no part depends on which parts ran before it."""
        if purpose not in PURPOSES:
            raise ValueError(f"purpose must be one of {', '.join(PURPOSES)}, got {purpose!r}")
        number = int.from_bytes(purpose.encode()[:4].ljust(4), "little")
        return jax.random.fold_in(jax.random.key(self.seed), number)

    def open_run(self, part: str) -> Run:
        """The run of a part; its options are those that the part's numbers depend on."""
        config = to_dict(self.config)
        for name in {"encoder": ("control", "sac", "probe"), "agent": ("probe",)}.get(part, ()):
            del config[name]
        identity = {"benchmark": self.benchmark.name, "seed": self.seed, "experiment": config}
        with contextlib.suppress(RunError):  # a directory that is no run: opening it says what it is, or makes it one
            before = load_config(self.directory / part)
            if {**before, "experiment": completed(before["experiment"])} == identity:
                identity = before
        return Run.open(self.directory / part, identity, checkpoint_every=self.checkpoint_every, keep=2)

    def results(self) -> dict[str, Any]:
        """What `results.json` holds; empty where there is none yet.

        Raises:
          RunError: it is of an experiment of another benchmark, seed or config.
        """
        path = self.directory / _RESULTS
        if not path.exists():
            return {}
        results = json.loads(path.read_text())
        described = self._description()
        found = {name: results.get(name) for name in described}
        if lines := difference({**found, "config": completed(found["config"] or {})}, described):
            raise RunError(
                "\n  ".join([f"{self.directory} holds results of another config; choose a new one:", *lines])
            )
        return results

    def check(self, *, with_agent: bool = True, learned_q_star: bool = False) -> None:
        """Opens and closes the runs that `run` opens, given the same arguments, and looks at the results.

        Raises:
          RunError: the directory holds something else, an experiment of another config, or one that is running.
        """
        parts = {
            "encoder": self.config.representation in OBJECTIVES,
            "true-state-agent": learned_q_star and self.config.representation != "end-to-end",
            "agent": with_agent,
        }
        for part, opened in parts.items():
            if opened:
                self.open_run(part).close()
        self.results()

    def run(self, *, with_agent: bool = True, learned_q_star: bool = False) -> dict[str, Any]:
        """Runs what is not finished yet, and adds it to `results.json`.

        Args:
          with_agent: whether to train an agent; without, only the encoder, the probes and the regression.
          learned_q_star: whether Q is regressed onto that of an agent which sees the true state, trained here too, as
            in the thesis; else onto value iteration's.

        Returns:
          All results of the experiment so far, by part: `information`, `probe`, `regression` or `learned_regression`,
          `agent`.

        Raises:
          RunError: see `check`.
        """
        self.results()  # a mismatch is said before anything is computed
        results: dict[str, Any] = self._description()
        if self.config.representation == "end-to-end":
            view: View = EndToEndView(self.env, self._encoder())
        else:
            features = self._features(results)
            view = FrozenView(features)
            tell("probes: drawing and encoding states, fitting linear and small networks")
            data = draw_states(self.env, self.config.probe, self.key("states"))
            seen = self._see(features, data)
            results["probe"] = probe(self.env, self.config.probe, seen, data, self.key("probe"))
            regression = "learned_regression" if learned_q_star else "regression"
            tell("regression: fitting Q, playing it")
            results[regression] = self._regress(features, data, seen, learned_q_star)
        if with_agent:
            self._control("agent", view)
            results["agent"] = _last_tests(self.directory / "agent")
        return self._write({**self.results(), **results})

    def _description(self) -> dict[str, Any]:
        """What all parts of the results depend on."""
        return {
            "benchmark": self.benchmark.name,
            "seed": self.seed,
            "representation": self.config.representation,
            "config": to_dict(self.config),
        }

    def _write(self, results: dict[str, Any]) -> dict[str, Any]:
        self.directory.mkdir(parents=True, exist_ok=True)
        temporary = self.directory / f"{_RESULTS}.tmp"
        temporary.write_text(json.dumps(results, indent=2) + "\n")
        temporary.replace(self.directory / _RESULTS)  # whole or not at all
        return results

    def _encoder(self) -> Encoder:
        return Encoder(self.config.encoder, gaussian=self._objective().gaussian)

    def _objective(self) -> Objective:
        """What trains the encoder, or gives what nothing trains its shape."""
        name, pretrain = self.config.representation, self.config.pretrain
        setting = Setting(
            self.config.encoder,
            self.env.num_actions,
            CatcherSource(self.env).image_shape,
            pretrain.num_steps_ahead,
            pretrain.max_steps_ahead,
            pretrain.num_groups,
        )
        return make_objective(name if name in OBJECTIVES else "fwd", setting)

    def _features(self, results: dict[str, Any]) -> FrozenFeatures:
        """The features of the representation; trains its encoder first, and says what that knows."""
        name = self.config.representation
        if name == "true-state":
            return true_state(self.env)
        num_episodes = -(-self.config.pretrain.num_transitions // NUM_STEPS)
        tell(f"data: {num_episodes} random episodes")
        episodes = collect(self.env, self.task, self.key("data"), num_episodes, NUM_STEPS)
        num_held_out = max(1, round(_HELD_OUT_SHARE * num_episodes))
        held_out = jax.tree.map(lambda leaf: leaf[:num_held_out], episodes)
        episodes = by_background(jax.tree.map(lambda leaf: leaf[num_held_out:], episodes))
        encoder = self._encoder()
        pretrain, objective = self.config.pretrain, self._objective()
        trainer = Pretrainer(pretrain, CatcherSource(self.env), encoder, objective)
        if name == "untrained":
            params: PretrainParams = jax.jit(trainer.init)(self.key("encoder")).params
        else:
            tell("encoder: compiling, warming up the head" if pretrain.num_warmup_updates else "encoder: compiling")
            params = train(trainer, episodes, self.open_run("encoder"), key=self.key("encoder")).params
            tell("information: on episodes kept back")
            bounds = information_bounds(self.env, encoder, objective, params, held_out, self.key("bounds"))
            quantity = OBJECTIVES[name].quantity
            if bounds and quantity and pretrain.num_steps_ahead == 1:
                bounds["exact"] = exact_information(self.env)[quantity]
            results["information"] = bounds
        return frozen_encoder(self.env, encoder, params.encoder, episodes)

    def _see(self, features: FrozenFeatures, data: ProbeData) -> chex.Array:
        """The features of the states of the probes."""
        apply = jax.jit(features.apply)
        return in_batches(lambda state: apply(features.params, state), data.state, _SEEN_AT_ONCE)

    def _control(self, part: str, view: View) -> tuple[Controller, ControlState]:
        unseen = None if self.env.distractors == "none" else get_task(self.benchmark.test_tasks, 0)
        controller = Controller(self.env, self.task, NUM_STEPS, self.config.control, self.config.sac, view)
        tell(f"{part}: compiling, {self.config.control.num_initial_steps} random steps")
        state = learn(controller, self.open_run(part), key=self.key(part), unseen=unseen, title=part)
        return controller, state

    def _regress(
        self, features: FrozenFeatures, data: ProbeData, seen: chex.Array, learned_q_star: bool
    ) -> dict[str, float]:
        """Fits Q to Q* of the states of the probes, all of a game without backgrounds, and plays it."""
        q = self._learned_q(data) if learned_q_star else self._exact_q(data)
        going_on = np.flatnonzero(np.asarray(data.state.fruit_y) < LAST_FRUIT_Y)
        sizes = self.config.sac.hidden_sizes
        params, errors = regress(self.config.control, sizes, seen[going_on], q[going_on], self.key("q"))
        played = play_greedily(
            self.env,
            self.task,
            NUM_STEPS,
            features,
            params,
            sizes,
            self.key("play"),
            self.config.control.num_test_episodes,
        )
        return {**errors, **played}

    def _exact_q(self, data: ProbeData) -> np.ndarray:
        q = optimal_q(self.env, self.config.sac.discount)
        return q[np.asarray(state_index(self.env, data.state))]

    def _learned_q(self, data: ProbeData) -> np.ndarray:
        controller, state = self._control("true-state-agent", FrozenView(true_state(self.env)))
        vectors = jax.vmap(lambda one: state_vector(self.env, one))(data.state)
        q = controller.head.all_q_values(state.agent.params.critics, vectors)
        return np.asarray(jnp.min(q, axis=0), np.float64)


def _last_tests(run_dir: Path) -> dict[str, float]:
    """The last test of a run: its metrics that a test made."""
    tested = [row for row in read_metrics(run_dir) if "test/return" in row]
    return {name: value for name, value in tested[-1].items() if name.startswith(("test/", "unseen/"))}
