"""The distribution of a step in exact arithmetic: as remainders of fractions by large primes.

Probabilities such as 1/3 are fractions, and all that the data show is made of them by sums, products and quotients. A
prime p turns every fraction whose denominator it does not divide into one of p numbers, and sums, products and
quotients stay what they are. So equal fractions have equal remainders, and different ones have different remainders by
both primes but for a chance of about 1 in 4e18 for each comparison. After many steps rows may differ by less than any
floating-point number shows: their remainders differ all the same.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

from fractions import Fraction

import numpy as np

from mi_repr.tabular.information.rationals import to_fractions
from mi_repr.tabular.model.chain import recurrent_states
from mi_repr.tabular.model.mdp import FiniteMDP

PRIMES = (2_147_483_647, 2_147_483_629)


def step_residues(mdp: FiniteMDP, k: int) -> tuple[np.ndarray, ...]:
    """p(s_t, a_t, s_{t+k}) by each of `PRIMES`, `[S, A, S]` int64 each; none where some probability is no fraction."""
    given = [mdp.transition, mdp.behaviour, *([] if mdp.state_distribution is None else [mdp.state_distribution])]
    fractions = [to_fractions(rows) for rows in given]
    if any(each is None for each in fractions):
        return ()
    found = []
    for prime in PRIMES:
        transition, behaviour, *distribution = (
            np.array([_residue(value, prime) for value in values], np.int64)[index]
            for values, index in (each for each in fractions if each is not None)
        )
        if any((np.sum(rows, axis=-1) % prime != 1).any() for rows in (transition, behaviour, *distribution)):
            return ()  # each entry is close to a fraction, but they do not sum to 1
        chain = np.sum(behaviour[:, :, None] * transition % prime, axis=1) % prime
        mu = distribution[0] if distribution else _stationary(mdp.chain, chain, prime)
        later = transition.reshape(-1, mdp.num_states)
        if k > 1:
            later = multiply(later, power(chain, k - 1, prime), prime)
        taken = mu[:, None] * behaviour % prime
        found.append(taken[:, :, None] * later.reshape(transition.shape) % prime)
    return tuple(found)


def multiply(one: np.ndarray, other: np.ndarray, prime: int) -> np.ndarray:
    """The product of two matrices of remainders, in halves of 16 bits: a million products of those fit in a float64."""
    (high, low), (other_high, other_low) = (
        ((matrix >> 16).astype(np.float64), (matrix & 0xFFFF).astype(np.float64)) for matrix in (one, other)
    )
    top = (high @ other_high).astype(np.int64) % prime
    middle = (high @ other_low + low @ other_high).astype(np.int64)
    bottom = (low @ other_low).astype(np.int64)
    return (((top << 16) + middle) % prime * 65536 + bottom) % prime


def power(matrix: np.ndarray, exponent: int, prime: int) -> np.ndarray:
    """The power of a matrix of remainders, by squares."""
    result = np.eye(len(matrix), dtype=np.int64)
    while exponent:
        if exponent & 1:
            result = multiply(result, matrix, prime)
        exponent >>= 1
        matrix = multiply(matrix, matrix, prime) if exponent else matrix
    return result


def divide(one: np.ndarray, other: np.ndarray, prime: int) -> np.ndarray:
    """Quotients of remainders, where the divisor is not 0; they broadcast."""
    values, index = np.unique(other, return_inverse=True)
    inverses = np.array([pow(int(value), -1, prime) if value else 0 for value in values], np.int64)
    return one * inverses[index.reshape(other.shape)] % prime


def fingerprints(rows: np.ndarray, prime: int) -> np.ndarray:
    """`[N, 2]`, two random sums of each of `rows: [N, D]` of remainders: different rows have different ones."""
    return multiply(rows, np.random.default_rng(0).integers(0, prime, (rows.shape[1], 2)), prime)


def _residue(value: Fraction, prime: int) -> int:
    return value.numerator * pow(value.denominator, -1, prime) % prime


def _stationary(chain: np.ndarray, residues: np.ndarray, prime: int) -> np.ndarray:
    """`[S]`, the stationary distribution; `chain: [S, S]` says which states recur."""
    recurrent = np.asarray(recurrent_states(chain))
    inner = residues[np.ix_(recurrent, recurrent)]
    size = len(inner)
    system = np.concatenate([inner.T - np.eye(size, dtype=np.int64), np.zeros((size, 1), np.int64)], axis=1) % prime
    system[-1] = 1
    for column in range(size):
        pivot = column + int(np.flatnonzero(system[column:, column])[0])
        system[[column, pivot]] = system[[pivot, column]]
        system[column] = system[column] * pow(int(system[column, column]), -1, prime) % prime
        factors = system[:, column].copy()
        factors[column] = 0
        rows = np.flatnonzero(factors)
        system[rows] = (system[rows] - factors[rows, None] * system[column] % prime) % prime
    mu = np.zeros(len(chain), np.int64)
    mu[recurrent] = system[:, -1]
    return mu
