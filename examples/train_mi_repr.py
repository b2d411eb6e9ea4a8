"""Trains an encoder on an objective, says what it keeps of the state, and trains an agent that sees through it.

    uv run examples/train_mi_repr.py --game=catcher-grip --objective=fwd
    uv run examples/train_mi_repr.py --game=catcher --objective=inv --override=pretrain.loss_tolerance=0.1
    uv run examples/train_mi_repr.py --game=catcher-distractors --objective=end-to-end

The same command again goes on where it stopped. Everything is in --run_dir: encoder/ and agent/ with their
metrics.jsonl and checkpoints, and at the end results.json and results.png. Information is printed in bits; files have
it in nats.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

import math
from pathlib import Path
from typing import Any

import metarl_envs
from absl import flags
from mi_repr.deep import catcher
from rlcore.experiment import enable_compilation_cache, main, override, user_errors
from support.mi_repr_pictures import draw_experiment

_PURPOSES = "; ".join(f"{name}, {purpose}" for name, (_, purpose) in catcher.PRESETS.items())
_GAME = flags.DEFINE_enum("game", "catcher-grip", catcher.GAMES, "The game.")
_OBJECTIVE = flags.DEFINE_enum(
    "objective",
    "fwd",
    list(catcher.REPRESENTATIONS),
    "What the encoder learns: " + "; ".join(f"{name}, {text}" for name, text in catcher.REPRESENTATIONS.items()),
)
_PRESET = flags.DEFINE_enum("preset", "cpu", list(catcher.PRESETS), f"The config to start from: {_PURPOSES}.")
_SEED = flags.DEFINE_integer("seed", 0, "The seed of all randomness.", lower_bound=0)
_RUN_DIR = flags.DEFINE_string(
    "run_dir",
    None,
    "Where everything goes; what is there already goes on. By default runs/<game>-<objective>-<preset>-<seed>.",
)
_OVERRIDE = flags.DEFINE_multi_string(
    "override", [], "An option of the config, as part.name=value; may be given many times."
)
_AGENT = flags.DEFINE_bool("agent", True, "Whether to train an agent; without, the encoder and the probes only.")
_LEARNED_Q_STAR = flags.DEFINE_bool(
    "learned_q_star",
    False,
    "Regress Q onto that of an agent which sees the true state, as the thesis does; else onto Q*. Results of both are "
    "kept.",
)
_CHECKPOINT_EVERY = flags.DEFINE_integer(
    "checkpoint_every",
    0,
    "Iterations between checkpoints; 0 takes them as often as costs a twentieth of the time.",
    lower_bound=0,
)


def format_part(values: dict[str, float]) -> str:
    """The values of a part of the results; information in bits, and what is possible beside what was reached."""
    shown = {name: f"{value:.3f}" for name, value in values.items() if name != "exact"}
    if "information" in values:
        most = f" of {values['exact'] / math.log(2):.3f}" if "exact" in values else ""
        shown["information"] = f"{values['information'] / math.log(2):.3f}{most} bits"
    return ", ".join(f"{name} {value}" for name, value in shown.items())


def print_results(results: dict[str, Any]) -> None:
    """Prints a line for each part of the results."""
    print(f"{results['benchmark']}, {results['representation']}, seed {results['seed']}")
    for part in ("information", "probe", "regression", "learned_regression", "agent"):
        if values := results.get(part):
            print(f"  {part}: {format_part(values)}")


def train() -> None:
    """Runs the experiment."""
    with user_errors():
        benchmark = metarl_envs.benchmark(f"{_GAME.value}-v0")
        config = override(catcher.preset(_PRESET.value, _OBJECTIVE.value, benchmark.name), _OVERRIDE.value)
        if config.representation != _OBJECTIVE.value:
            raise ValueError("override must leave representation alone: --objective names it")
        name = f"{_GAME.value}-{_OBJECTIVE.value}-{_PRESET.value}-{_SEED.value}"
        directory = Path(_RUN_DIR.value or f"runs/{name}").expanduser()
        experiment = catcher.Experiment(benchmark, config, _SEED.value, directory, _CHECKPOINT_EVERY.value)
        experiment.check(with_agent=_AGENT.value, learned_q_star=_LEARNED_Q_STAR.value)
    enable_compilation_cache()
    results = experiment.run(with_agent=_AGENT.value, learned_q_star=_LEARNED_Q_STAR.value)
    print_results(results)
    draw_experiment(results, directory, directory / "results.png")


if __name__ == "__main__":
    main(train)
