"""All partitions of a random MDP's states: our enumeration beside a plain numpy loop and dit, on the same MDP.

    uv run packages/mi-repr/benchmarks/partitions.py
    uv run packages/mi-repr/benchmarks/partitions.py --num_states=12 --repeats=3

Each computes J_fwd, J_state, J_inv and I(R;Z) of a partition; ours also judges the sufficiency of each. The numpy loop
and dit are timed on a random sample of the partitions, and their time for all of them is scaled up from it. They take
turns, medians are printed. The values must agree.
"""

import itertools
import json
import time
from collections.abc import Callable

import numpy as np
from absl import app, flags
from mi_repr.tabular import FiniteMDP, analyse, joint_distribution
from mi_repr.tabular.information.values import Joint

_NUM_STATES = flags.DEFINE_integer("num_states", 10, "Of the MDP.", lower_bound=2, upper_bound=12)
_NUM_ACTIONS = flags.DEFINE_integer("num_actions", 2, "Of the MDP.", lower_bound=1)
_REPEATS = flags.DEFINE_integer("repeats", 5, "Times that each is run.", lower_bound=1)
_NUMPY_SAMPLE = flags.DEFINE_integer("numpy_sample", 2000, "Partitions that the numpy loop is timed on.", lower_bound=1)
_DIT_SAMPLE = flags.DEFINE_integer("dit_sample", 5, "Partitions that dit is timed on.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "Where the medians go as JSON.")

_OBJECTIVES = ("fwd", "state", "inv", "reward")
Evaluate = Callable[[np.ndarray], np.ndarray]


def make_numpy(joint: Joint) -> Evaluate:
    """`[N, 4]` of `labels: [N, S]` by aggregating the joint distribution for each partition."""

    def entropy(p: np.ndarray) -> float:
        p = p[p > 0]
        return float(-(p * np.log(p)).sum())

    def evaluate(labels: np.ndarray) -> np.ndarray:
        values = []
        for row in labels:
            member = np.eye(row.max() + 1)[row]
            steps = np.tensordot(np.tensordot(member, joint.steps, (0, 0)), member, (2, 0))
            rewards = member.T @ joint.rewards.sum(axis=1)
            code, later = entropy(steps.sum(axis=(1, 2))), entropy(steps.sum(axis=(0, 1)))
            code_action, pair, triple = entropy(steps.sum(axis=2)), entropy(steps.sum(axis=1)), entropy(steps)
            values.append(
                (
                    later + code_action - triple,
                    later + code - pair,
                    code_action + pair - triple - code,
                    entropy(rewards.sum(axis=0)) + code - entropy(rewards),
                )
            )
        return np.array(values)

    return evaluate


def make_dit(joint: Joint) -> Evaluate:
    """The same with dit's distributions and informations."""
    import dit

    def distribution(outcomes: list[tuple[int, ...]], p: np.ndarray) -> object:
        total: dict[tuple[int, ...], float] = {}
        for outcome, value in zip(outcomes, p.ravel(), strict=True):
            total[outcome] = total.get(outcome, 0.0) + value
        kept = {outcome: value for outcome, value in total.items() if value > 0}
        return dit.Distribution(list(kept), list(kept.values()))

    def evaluate(labels: np.ndarray) -> np.ndarray:
        values = []
        for row in labels.tolist():
            steps = distribution([(row[s], a, row[t]) for s, a, t in np.ndindex(joint.steps.shape)], joint.steps)
            rewards = distribution([(row[s], r) for s, _, r in np.ndindex(joint.rewards.shape)], joint.rewards)
            bits = (
                dit.shannon.mutual_information(steps, [2], [0, 1]),
                dit.shannon.mutual_information(steps, [2], [0]),
                dit.multivariate.coinformation(steps, [[1], [2]], [0]),
                dit.shannon.mutual_information(rewards, [0], [1]),
            )
            values.append(np.array(bits) * np.log(2))
        return np.array(values)

    return evaluate


def main(arguments: list[str]) -> None:
    """Runs all in turn and prints a table."""
    del arguments
    rng = np.random.default_rng(0)
    num_states, num_actions = _NUM_STATES.value, _NUM_ACTIONS.value
    transition = rng.dirichlet(np.ones(num_states), (num_states, num_actions))
    mdp = FiniteMDP(transition, rng.integers(0, 2, num_states))
    joint = joint_distribution(mdp)
    start = time.perf_counter()
    analysis = analyse(mdp, _OBJECTIVES, max_states=12)
    first = time.perf_counter() - start
    expected = np.stack([analysis.values[name] for name in _OBJECTIVES], axis=1)
    samples = {"numpy loop": _NUMPY_SAMPLE.value, "dit": _DIT_SAMPLE.value}
    loops = {"numpy loop": make_numpy(joint), "dit": make_dit(joint)}
    per_partition: dict[str, list[float]] = {"mi_repr": [], **{name: [] for name in loops}}
    for _, (name, seconds) in itertools.product(range(_REPEATS.value), per_partition.items()):
        if name == "mi_repr":
            start = time.perf_counter()
            analyse(mdp, _OBJECTIVES, max_states=12)
            seconds.append((time.perf_counter() - start) / len(expected))
            continue
        rows = rng.integers(len(expected), size=samples[name])
        start = time.perf_counter()
        values = loops[name](analysis.labels[rows])
        seconds.append((time.perf_counter() - start) / len(rows))
        np.testing.assert_allclose(values, expected[rows], atol=1e-8)
    print(f"\n{num_states} states, {num_actions} actions, {len(expected)} partitions, {len(_OBJECTIVES)} objectives")
    print(f"{'':>10} {'timed on':>10} {'us each':>10} {'s for all':>12} {'times ours':>11}")
    medians = {name: float(np.median(seconds)) for name, seconds in per_partition.items()}
    for name, each in medians.items():
        timed, total = samples.get(name, len(expected)), each * len(expected)
        print(f"{name:>10} {timed:10d} {1e6 * each:10.2f} {total:12.2f} {each / medians['mi_repr']:11.0f}")
    print(f"mi_repr's first call, which compiles: {first:.2f} s")
    if _OUTPUT.value:
        with open(_OUTPUT.value, "w") as file:
            json.dump({"seconds_per_partition": medians, "first_call": first}, file, indent=2)


if __name__ == "__main__":
    app.run(main)
