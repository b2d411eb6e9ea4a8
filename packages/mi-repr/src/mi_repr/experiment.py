"""One experiment from data to return: an encoder, what it keeps of the state, and an agent that sees through it.

Every part is a run of its own in the experiment's directory, so an experiment that was stopped goes on where it was:

```
<directory>/encoder/    metrics.jsonl, checkpoints     training on the objective
<directory>/agent/      metrics.jsonl, checkpoints     discrete SAC
<directory>/results.json                               last returns, probes, bounds, regression onto Q*
```
"""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
from metarl_envs import Benchmark, get_task
from metarl_envs.catcher import CatcherEnv, CatcherTask, state_index, state_vector
from metarl_envs.catcher.state import LAST_FRUIT_Y, NUM_STEPS
from rlcore.experiment import Run, read_metrics, to_dict

from mi_repr.bounds import information_bounds
from mi_repr.config import OBJECTIVES, ExperimentConfig
from mi_repr.control import Controller, ControlState, learn
from mi_repr.data import by_background, collect
from mi_repr.encoders import Encoder
from mi_repr.exact import optimal_q, without_backgrounds
from mi_repr.features import FrozenFeatures, frozen_encoder, true_state
from mi_repr.objectives import make_objective
from mi_repr.pretrain import Pretrainer, PretrainParams, pretrain
from mi_repr.probes import ProbeData, draw_states, probe
from mi_repr.regression import play_greedily, regress
from mi_repr.views import EndToEndView, FrozenView, View

_HELD_OUT_SHARE = 0.05
"""Of the episodes: not trained on, for the bounds."""

RESULTS = "results.json"


@dataclasses.dataclass(frozen=True, eq=False)
class Experiment:
    """What is run, and where.

    benchmark: a catcher benchmark of `metarl_envs`.
    config: the options.
    seed: of everything random.
    directory: of this experiment alone.
    checkpoint_every: iterations between checkpoints; 0 takes them as often as costs a twentieth of the time.
    """

    benchmark: Benchmark
    config: ExperimentConfig
    seed: int
    directory: Path
    checkpoint_every: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.benchmark.family.functional, CatcherEnv):
            raise ValueError(f"benchmark must be a catcher game with simple physics, got {self.benchmark.name!r}")

    @property
    def env(self) -> CatcherEnv:
        """The game."""
        env = self.benchmark.family.functional
        if not isinstance(env, CatcherEnv):
            raise TypeError(f"{env} is not a catcher game")
        return env

    @property
    def task(self) -> CatcherTask:
        """The backgrounds that training shows."""
        return get_task(self.benchmark.train_tasks, 0)

    def key(self, purpose: str) -> chex.PRNGKey:
        """A key for each purpose, so that no part depends on which parts ran before it."""
        number = int.from_bytes(purpose.encode()[:4].ljust(4), "little")
        return jax.random.fold_in(jax.random.key(self.seed), number)

    def open_run(self, part: str) -> Run:
        """The run of a part; its options are those that the part's numbers depend on."""
        config = to_dict(self.config)
        for name in {"encoder": ("control", "sac", "probe"), "agent": ("probe",)}.get(part, ()):
            del config[name]
        identity = {"benchmark": self.benchmark.name, "seed": self.seed, "experiment": config}
        return Run.open(self.directory / part, identity, checkpoint_every=self.checkpoint_every, keep=2)

    def check(self) -> None:
        """Opens and closes the runs of the parts.

        Raises:
          RunError: the directory holds something else, an experiment of another config, or one that is running.
        """
        for part in ("encoder",) if self.config.representation in OBJECTIVES else ():
            self.open_run(part).close()
        self.open_run("agent").close()

    def run(self, *, with_agent: bool = True, learned_q_star: bool = False) -> dict[str, Any]:
        """Runs what is not finished yet, and writes `results.json`.

        Args:
          with_agent: whether to train an agent; without, only the encoder, the probes and the regression.
          learned_q_star: whether Q is regressed onto that of an agent which sees the true state, trained here too, as
            in the thesis; else onto value iteration's.

        Returns:
          The results, by part: `probe`, `information`, `regression`, `agent`.
        """
        results: dict[str, Any] = {"benchmark": self.benchmark.name, "seed": self.seed}
        results["representation"] = self.config.representation
        results["config"] = to_dict(self.config)
        if self.config.representation == "end-to-end":
            view: View = EndToEndView(self.env, self._encoder())
        else:
            features = self._features(results)
            view = FrozenView(features)
            data = draw_states(self.env, self.config.probe, self.key("states"))
            seen = _in_batches(features, data)
            results["probe"] = probe(self.env, self.config.probe, seen, data, self.key("probe"))
            results["regression"] = self._regress(features, data, seen, learned_q_star)
        if with_agent:
            self._control("agent", view)
            results["agent"] = _last_tests(self.directory / "agent")
        self.directory.mkdir(parents=True, exist_ok=True)
        temporary = self.directory / f"{RESULTS}.tmp"
        temporary.write_text(json.dumps(results, indent=2) + "\n")
        temporary.replace(self.directory / RESULTS)  # whole or not at all
        return results

    def _encoder(self) -> Encoder:
        return Encoder(self.config.encoder, gaussian=self.config.representation == "inv")

    def _features(self, results: dict[str, Any]) -> FrozenFeatures:
        """The features of the representation; trains its encoder first, and says what that knows."""
        name = self.config.representation
        if name == "true-state":
            return true_state(self.env)
        num_episodes = -(-self.config.pretrain.num_transitions // NUM_STEPS)
        episodes = collect(self.env, self.task, self.key("data"), num_episodes, NUM_STEPS)
        num_held_out = max(1, round(_HELD_OUT_SHARE * num_episodes))
        held_out = jax.tree.map(lambda leaf: leaf[:num_held_out], episodes)
        episodes = by_background(jax.tree.map(lambda leaf: leaf[num_held_out:], episodes))
        encoder = self._encoder()
        objective = make_objective(
            name if name in OBJECTIVES else "fwd",
            self.config.encoder,
            self.env.num_actions,
            self.config.pretrain.num_steps_ahead,
            self.config.pretrain.num_groups,
        )
        trainer = Pretrainer(self.config.pretrain, self.env, encoder, objective)
        if name == "untrained":
            params: PretrainParams = jax.jit(trainer.init)(self.key("encoder")).params
        else:
            params = pretrain(trainer, episodes, self.open_run("encoder"), key=self.key("encoder")).params
            results["information"] = information_bounds(
                self.env, encoder, objective, params, held_out, self.key("bounds")
            )
        return frozen_encoder(self.env, encoder, params.encoder, episodes)

    def _control(self, part: str, view: View) -> tuple[Controller, ControlState]:
        unseen = None if self.env.distractors == "none" else get_task(self.benchmark.test_tasks, 0)
        controller = Controller(self.env, self.task, NUM_STEPS, self.config.control, self.config.sac, view)
        return controller, learn(controller, self.open_run(part), key=self.key(part), unseen=unseen)

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
        return q[np.asarray(state_index(without_backgrounds(self.env), data.state))]

    def _learned_q(self, data: ProbeData) -> np.ndarray:
        controller, state = self._control("true-state-agent", FrozenView(true_state(self.env)))
        vectors = jax.vmap(lambda one: state_vector(self.env, one))(data.state)
        q = controller.head.all_q_values(state.agent.params.critics, vectors)
        return np.asarray(jnp.min(q, axis=0), np.float64)


def _in_batches(features: FrozenFeatures, data: ProbeData, size: int = 504) -> chex.Array:
    """Features of many states, drawn and encoded a few at a time."""
    apply: Callable[..., chex.Array] = jax.jit(features.apply)
    total = data.tested.shape[0]
    padded = jax.tree.map(lambda leaf: jnp.pad(leaf, (0, -total % size), mode="edge"), data.state)
    parts = [
        apply(features.params, jax.tree.map(lambda leaf, i=i: leaf[i : i + size], padded))
        for i in range(0, total, size)
    ]
    return jnp.concatenate(parts)[:total]


def _last_tests(run_dir: Path) -> dict[str, float]:
    """The last test of a run: its metrics that a test made."""
    tested = [row for row in read_metrics(run_dir) if "test/return" in row]
    return {name: value for name, value in tested[-1].items() if name.startswith(("test/", "unseen/"))}
