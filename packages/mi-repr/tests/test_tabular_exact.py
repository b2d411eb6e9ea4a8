"""Exact means exact: an oracle in fractions and 60 digits, and what no verdict may depend on."""

import dataclasses
import decimal
import itertools
from fractions import Fraction

import numpy as np
import pytest
from mi_repr.tabular import (
    FiniteMDP,
    all_partitions,
    analyse,
    analyse_pairs,
    check_conditions,
    coarsest_maximiser,
    combination_lock,
    garnet,
    judge_all_k,
    loss_of_optimality,
    maximises,
    river_swim,
    search_maximisers,
    sufficient_notions,
)
from mi_repr.tabular.information.residues import PRIMES, divide, multiply, power
from mi_repr.tabular.model.chain import stationary_distribution

OBJECTIVES = ("fwd", "state", "inv", "reward", "fwd+reward", "inv+reward")
NOTIONS = ("q", "pi_strict", "pi_weak")
KINDS = ("plain", "forbids", "rare")


class Oracle:
    """A random MDP of small whole weights, in fractions.

    The policy is the same in all states but where one "forbids" an action, or one state is "rare": 1e-12 leads there.
    """

    def __init__(self, rng, num_states, k, kind="plain", discount=Fraction(9, 10)):
        shape = (num_states, 2, num_states)
        weights = (rng.integers(1, 4, shape) * (rng.random(shape) < 0.5)).astype(object)
        weights[np.arange(num_states), 0, (np.arange(num_states) + 1) % num_states] += 1  # one closed class
        weights[:, 1, 0] += 1
        if kind == "rare":  # decimals of at most 15 digits, as one would write them
            rest = rng.multinomial(8, np.full(num_states - 1, 1 / (num_states - 1)), (num_states, 2)).astype(object)
            weights[:, :, :-1] = rest * Fraction(1, 8) * (1 - Fraction(1, 10**12))
            weights[:, :, -1] = Fraction(1, 10**12)
        if num_states > 2 and rng.random() < 0.5:  # two states that are alike
            weights[1] = weights[0 if kind == "forbids" and rng.random() < 0.5 else 2]
        self.transition = [[[Fraction(w) / sum(row) for w in row] for row in rows] for rows in weights.tolist()]
        self.reward = [Fraction(int(r), 3) for r in rng.integers(0, 3, num_states)]
        self.k, self.discount, self.states = k, discount, range(num_states)
        shared = [Fraction(1, 3), Fraction(2, 3)] if rng.random() < 0.5 else [Fraction(1, 2)] * 2
        self.policy = [shared] * num_states
        self.allowed = [[0, 1]] * num_states
        if kind == "forbids":
            self.policy[0], self.allowed[0] = [Fraction(1), Fraction(0)], [0]
        self.objectives = ("fwd", "state", "reward", "fwd+reward") if kind == "forbids" else OBJECTIVES
        chain = [
            [sum(self.policy[s][a] * self.transition[s][a][t] for a in (0, 1)) for t in self.states]
            for s in self.states
        ]
        system = [[chain[s][t] - (s == t) for s in self.states] for t in self.states]
        system[-1] = [Fraction(1)] * num_states
        self.mu = _solve(system, [Fraction(0)] * (num_states - 1) + [Fraction(1)])
        later = self.transition
        for _ in range(k - 1):
            later = [[_times(row, chain) for row in rows] for rows in later]
        self.steps = {
            (s, a, t): self.mu[s] * self.policy[s][a] * later[s][a][t]
            for s, a, t in itertools.product(self.states, (0, 1), self.states)
        }

    def mdp(self, scale=1.0):
        return FiniteMDP(
            np.array(self.transition, float),
            np.array(self.reward, float) * scale,
            policy=np.array(self.policy, float),
            allowed=[[a in actions for a in (0, 1)] for actions in self.allowed],
            discount=float(self.discount),
        )

    def values(self, labels):
        """All objectives of a partition, to 60 digits."""
        steps, rewards = {}, {}
        for (s, a, t), p in self.steps.items():
            key = labels[s], a, labels[t]
            steps[key] = steps.get(key, 0) + p
        for s, p in enumerate(self.mu):
            key = labels[s], self.reward[s]
            rewards[key] = rewards.get(key, 0) + p
        h = {axes: _entropy(steps, axes) for axes in ((0,), (2,), (0, 1), (0, 2), (0, 1, 2))}
        values = {
            "fwd": h[2,] + h[0, 1] - h[0, 1, 2],
            "state": h[2,] + h[0,] - h[0, 2],
            "inv": h[0, 1] + h[0, 2] - h[0, 1, 2] - h[0,],
            "reward": _entropy(rewards, (0,)) + _entropy(rewards, (1,)) - _entropy(rewards, (0, 1)),
        }
        return {name: sum(values[term] for term in name.split("+")) for name in self.objectives}

    def q(self):
        """Q* of the actions that each state has, by policy iteration."""
        n, gamma = len(self.states), self.discount
        policy = [0] * n
        while True:
            system = [[(s == t) - gamma * self.transition[s][policy[s]][t] for t in self.states] for s in self.states]
            paid = [
                [sum(p * r for p, r in zip(row, self.reward, strict=True)) for row in rows] for rows in self.transition
            ]
            value = _solve(system, [paid[s][policy[s]] for s in self.states])
            q = [
                {
                    a: paid[s][a] + gamma * sum(p * v for p, v in zip(self.transition[s][a], value, strict=True))
                    for a in self.allowed[s]
                }
                for s in self.states
            ]
            best = [max(row, key=row.get) for row in q]
            if all(q[s][best[s]] == q[s][policy[s]] for s in self.states):
                return q
            policy = best

    def rows(self, state):
        """What each action does, of those that the state has."""
        return {a: self.transition[state][a] for a in self.allowed[state]}

    def sufficient(self, labels, q):
        optimal = [{a for a, value in row.items() if value == max(row.values())} for row in q]
        blocks = [[s for s in self.states if labels[s] == block] for block in set(labels)]
        return {
            "q": all(q[s] == q[block[0]] for block in blocks for s in block),
            "pi_strict": all(optimal[s] == optimal[block[0]] for block in blocks for s in block),
            "pi_weak": all(set.intersection(*(optimal[s] for s in block)) for block in blocks),
        }


def _mean(row, values):
    return sum(p * value for p, value in zip(row, values, strict=True))


def _times(row, matrix):
    return [sum(p * matrix[s][t] for s, p in enumerate(row)) for t in range(len(row))]


def _solve(system, right):
    rows = [[*row, value] for row, value in zip(system, right, strict=True)]
    for i in range(len(rows)):
        pivot = next(j for j in range(i, len(rows)) if rows[j][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for j in range(len(rows)):
            if j != i and rows[j][i]:
                rows[j] = [x - rows[j][i] * y for x, y in zip(rows[j], rows[i], strict=True)]
    return [row[-1] for row in rows]


_LOGS: dict[Fraction, decimal.Decimal] = {}


def _entropy(joint, axes):
    marginal = {}
    for key, p in joint.items():
        part = tuple(key[axis] for axis in axes)
        marginal[part] = marginal.get(part, Fraction(0)) + p
    total = decimal.Decimal(0)
    for p in marginal.values():
        if p:
            number = decimal.Decimal(p.numerator) / decimal.Decimal(p.denominator)
            if p not in _LOGS:
                _LOGS[p] = number.ln()
            total -= number * _LOGS[p]
    return total


def check_against_the_oracle(seed, num_states, k, kind="plain"):
    """Values to 60 digits tell maximisers from others after up to three steps; after twenty it takes 300."""
    with decimal.localcontext() as context:
        context.prec = 60 if k <= 3 else 300
        _LOGS.clear()
        _check_against_the_oracle(seed, num_states, k, kind, decimal.Decimal(10) ** -(context.prec * 3 // 4))


def _check_against_the_oracle(seed, num_states, k, kind, smallest):
    oracle = Oracle(np.random.default_rng(seed), num_states, k, kind)
    q, scaled = oracle.q(), {scale: analyse(oracle.mdp(scale), oracle.objectives, k=k) for scale in (1.0, 1e-12, 1e12)}
    apart = {(s, t) for s, t in itertools.product(oracle.states, repeat=2) if oracle.rows(s) != oracle.rows(t)}
    partitions = [tuple(map(int, row)) for row in all_partitions(num_states)]
    values = [oracle.values(labels) for labels in partitions]
    sufficient = [oracle.sufficient(labels, q) for labels in partitions]
    for name in oracle.objectives:
        best = max(value[name] for value in values)
        maximal = np.array([best - value[name] < smallest for value in values])
        for analysis in scaled.values():
            np.testing.assert_array_equal(analysis.maximal[name], maximal, err_msg=f"seed {seed}, {name}")
        found = search_maximisers(oracle.mdp(), name, k=k)
        expected = set(itertools.compress(partitions, maximal))
        assert {tuple(map(int, row)) for row in found.labels} == expected
        assert [maximises(oracle.mdp(), labels, name, k=k) for labels in partitions] == maximal.tolist()
        pairs, enumerated = analyse_pairs(oracle.mdp(), name, k=k), scaled[1.0].verdicts[name]
        shown = min(oracle.mu) > 0
        for verdict in (pairs, *(each.verdicts[name] for each in scaled.values())):
            assert (verdict.withheld is None) == shown
        if shown:
            holds = [
                all(each[notion] for each, is_best in zip(sufficient, maximal, strict=True) if is_best)
                for notion in NOTIONS
            ]
            for each in scaled.values():
                verdict = each.verdicts[name]
                assert [verdict.q, verdict.pi_strict, verdict.pi_weak] == holds
            assert [pairs.q, pairs.pi_strict] == holds[:2]
            every = not any(labels[s] == labels[t] for labels in expected for s, t in apart)
            assert pairs.every_reward == enumerated.every_reward == every
        below = [best - value[name] for value, is_best in zip(values, maximal, strict=True) if not is_best]
        if below and min(below) > 1e-250:
            assert enumerated.margin == pytest.approx(float(min(below)), rel=1e-3)
        if name in ("fwd", "state") and shown and kind != "forbids":  # equal rows are an equivalence
            coarsest = coarsest_maximiser(oracle.mdp(), name, k=k)
            assert maximal[scaled[1.0].row(coarsest)]
            assert coarsest.max() == min(map(max, expected))
    for notion in NOTIONS:
        holds = [each[notion] for each in sufficient]
        for analysis in scaled.values():
            np.testing.assert_array_equal(analysis.sufficient[notion], holds, err_msg=f"seed {seed}, {notion}")


@pytest.mark.parametrize("seed", range(12))
def test_random_mdps_against_an_oracle_in_exact_arithmetic(seed):
    check_against_the_oracle(seed, 3 + seed % 2, 1 + seed % 3, KINDS[seed // 3 % 3])


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_two_thousand_random_mdps_against_the_oracle():
    for seed in range(2000):
        kind = KINDS[seed // 12 % 3]
        check_against_the_oracle(1000 + seed, 3 + seed % 3, (1, 2, 3, 3 if kind == "rare" else 20)[seed % 4], kind)


@pytest.mark.parametrize("prime", PRIMES)
def test_remainders_are_those_of_whole_numbers(prime):
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, prime, (5, 7)), rng.integers(0, prime, (7, 7))
    one[0], other[:, 0] = prime - 1, prime - 1  # the largest products
    exact = one.astype(object) @ other.astype(object) % prime
    np.testing.assert_array_equal(multiply(one, other, prime), exact.astype(np.int64))
    whole = np.linalg.matrix_power(other.astype(object), 9) % prime
    np.testing.assert_array_equal(power(other, 9, prime), whole.astype(np.int64))
    np.testing.assert_array_equal(divide(multiply(one, other, prime), other[:1], prime) * other[:1] % prime, exact)


@pytest.mark.parametrize("num_levels", [4, 10, 15, 40])
def test_rare_states_do_not_change_a_verdict(num_levels):
    lock = combination_lock(num_levels)
    assert check_conditions(lock) == ()
    verdict = analyse_pairs(lock, "fwd")
    assert (verdict.q, verdict.pi_strict, verdict.pi_weak) == (True, True, True)
    assert {"q", "pi_weak"} <= set(sufficient_notions(lock, coarsest_maximiser(lock, "fwd")))


@pytest.mark.parametrize("num_states", [5, 20, 25, 60])
def test_a_long_river_has_one_maximiser_however_rare_its_end(num_states):
    swim = river_swim(num_states)
    for objective in ("fwd", "state"):
        assert len(search_maximisers(swim, objective, limit=50).labels) == 1
        assert analyse_pairs(swim, objective).q
    ratios = swim.occupancy[1:] / swim.occupancy[:-1]  # detailed balance
    forward, backward = np.diagonal(swim.chain, 1), np.diagonal(swim.chain, -1)
    np.testing.assert_allclose(ratios, forward / backward, rtol=1e-12)


@pytest.mark.parametrize("gap", [1e-2, 1e-5, 1e-9])
def test_nearly_equal_rows_are_not_equal(gap):
    rows = [[0, 0, 0.5, 0.5], [0, 0, 0.5 + gap, 0.5 - gap], [0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]]
    verdict = analyse(FiniteMDP([[row] * 2 for row in rows], [0, 0, 1, 0])).verdicts["fwd"]
    assert (verdict.num_maximisers, verdict.q) == (1, True)


def test_many_steps_do_not_change_a_verdict():
    mdp = garnet(7, 3, 2, seed=1)
    analyses = [analyse(mdp, k=k) for k in (1, 2, 5, 10, 15, 20)]
    for analysis in analyses:
        assert {verdict.num_maximisers for verdict in analysis.verdicts.values()} == {1}
    assert {verdict.num_maximisers for verdict in judge_all_k(analyses).values()} == {1}


def make_forbidden(price):
    """The thesis's figure 2 with a third action that nobody should take, and rewards of 0.5."""
    next_state = np.array([[1, 2, 0], [0, 3, 1], [0, 3, 2], [2, 1, 3]])
    reward = np.where(next_state == 2, 0.5, 0.0)
    reward[:, 2] = price
    return FiniteMDP(np.eye(4)[next_state], reward, "state_action")


@pytest.mark.parametrize("price", [-10.0, -1e9, -1e15, -1e100, -1e250])
def test_a_bad_action_does_not_change_a_verdict(price):
    mdp = make_forbidden(price)
    assert sufficient_notions(mdp, [0, 1, 2, 0]) == ()
    assert sufficient_notions(mdp, [0, 0, 0, 0]) == ()
    assert loss_of_optimality(mdp, [0, 1, 2, 0]).loss == pytest.approx(0.125, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1e-10, 1.0, 1e12])
def test_the_unit_of_rewards_does_not_change_a_verdict(scale):
    mdp, unit = (
        FiniteMDP.deterministic([[1, 2], [0, 3], [0, 3], [2, 1]], np.array([0, 0, 1, 0]) * each) for each in (scale, 1)
    )
    verdicts = analyse(mdp, OBJECTIVES).verdicts
    assert verdicts["fwd"].q
    assert not verdicts["state"].pi_weak
    for name, verdict in analyse(unit, OBJECTIVES).verdicts.items():
        assert dataclasses.replace(verdict, maximum=0) == dataclasses.replace(verdicts[name], maximum=0)
    assert loss_of_optimality(mdp, [0, 1, 2, 0]).loss == pytest.approx(0.25 * scale, rel=1e-9)


@pytest.mark.parametrize("rate", [1e-2, 1e-10, 1e-12, 1e-17, 1e-200])
def test_a_stationary_distribution_is_exact_however_slow_its_chain(rate):
    chain = np.array([[1 - rate, rate], [rate / 2, 1 - rate / 2]])
    np.testing.assert_allclose(stationary_distribution(chain), [1 / 3, 2 / 3], rtol=1e-15)
