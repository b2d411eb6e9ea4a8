"""Places for the states of a graph: arrows short, circles apart, and arrows clear of the circles on their way.

In the shape descriptions `S` denotes the states, `E` the pairs of states that an arrow links and `C` candidate places.
Nothing is random: a graph always looks the same.
"""

import itertools

import numpy as np

_MOST_ORDERED = 8  # of so many states every order on the circle is tried
_NUM_STEPS = 100  # of the springs
_NUM_SWEEPS, _NUM_FREE_SWEEPS = 24, 8  # of moves, each of every state; the first ones go anywhere
_APART, _CLEAR = 1.0, 0.45  # a circle's distance from others, and from arrows that pass: over the spacing
_PAIR_COST, _PASSING_COST = 20.0, 4.0  # beside the length of an arrow over the spacing


def place_states(linked: np.ndarray) -> np.ndarray:
    """`[S, 2]`, places in the square from -1 to 1, given `linked: [S, S]` bool, whether an arrow leads from s to s'.

    Few states stand on a circle, in the order with the shortest arrows. More are placed by springs as long as the paths
    between them, and then moved one by one where that helps.
    """
    if len(linked) <= _MOST_ORDERED:
        return _place_on_circle(linked)
    links = (linked | linked.T) & ~np.eye(len(linked), dtype=bool)
    return _fill_square(_improve(_fit_springs(links), links))


def _place_on_circle(linked: np.ndarray) -> np.ndarray:
    size = len(linked)
    angles = np.pi / 2 - 2 * np.pi * np.arange(size) / size + (np.pi / 4 if size == 4 else 0)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    if size <= 3:
        return circle - circle.mean(axis=0)
    distance = np.linalg.norm(circle[:, None] - circle[None], axis=2)
    orders = np.array([(0, *rest) for rest in itertools.permutations(range(1, size))])
    lengths = (distance[orders[:, :, None], orders[:, None, :]] * linked).sum(axis=(1, 2))
    return circle[orders[lengths.argmin()]]


def _fit_springs(links: np.ndarray) -> np.ndarray:
    """`[S, 2]`, distances close to the lengths of paths (stress majorisation: Gansner, Koren and North, 2004)."""
    size = len(links)
    steps = np.where(links, 1.0, np.inf)
    np.fill_diagonal(steps, 0)
    for middle in range(size):
        steps = np.minimum(steps, steps[:, middle, None] + steps[middle])
    steps[np.isinf(steps)] = steps[np.isfinite(steps)].max() + 1
    weights = 1 / np.maximum(steps, 1) ** 2
    np.fill_diagonal(weights, 0)
    inverse = np.linalg.pinv(np.diag(weights.sum(axis=1)) - weights)
    places = _scale_classically(steps)
    for _ in range(_NUM_STEPS):
        away = places[:, None] - places
        pull = weights * steps / np.maximum(np.linalg.norm(away, axis=2), 1e-9)
        places = inverse @ (pull[:, :, None] * away).sum(axis=1)
    return _fill_square(places)


def _scale_classically(distances: np.ndarray) -> np.ndarray:
    """`[S, 2]`, the plane that keeps most of `distances: [S, S]` (classical multidimensional scaling)."""
    centring = np.eye(len(distances)) - 1 / len(distances)
    values, vectors = np.linalg.eigh(-0.5 * centring @ distances**2 @ centring)
    places = vectors[:, :-3:-1] * np.sqrt(np.maximum(values[:-3:-1], 0))
    largest = np.abs(places).argmax(axis=0)
    # Equal places would stay equal, so a thousandth of a circle is added.
    angles = 2 * np.pi * np.arange(len(places)) / len(places)
    return places * np.sign(places[largest, [0, 1]] + 1e-12) + 1e-3 * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _fill_square(places: np.ndarray) -> np.ndarray:
    low, high = places.min(axis=0), places.max(axis=0)
    return (places - (low + high) / 2) * 2 / np.maximum((high - low).max(), 1e-9)


def _improve(places: np.ndarray, links: np.ndarray) -> np.ndarray:
    """Moves states while that lowers their costs: by shorter and shorter steps, at first also to anywhere."""
    size, pairs = len(places), np.argwhere(np.triu(links))
    scale = 2 / np.sqrt(size)  # the spacing of states that fill the square evenly
    plane = places @ [1, 1j] / scale
    circle = np.exp(2j * np.pi * np.arange(12) / 12)
    ticks = np.linspace(-1, 1, 9) / scale
    lattice = np.add.outer(ticks, 1j * ticks).ravel()
    for sweep, step in enumerate(np.geomspace(1.0, 0.03, _NUM_SWEEPS)):
        for state in range(size):
            candidates = plane[state] + step * np.append(0, circle)
            if sweep < _NUM_FREE_SWEEPS:
                candidates = np.concatenate([candidates, lattice])
            x, y = np.clip(candidates.real, -1 / scale, 1 / scale), np.clip(candidates.imag, -1 / scale, 1 / scale)
            candidates = x + 1j * y
            plane[state] = candidates[_costs(candidates, state, plane, pairs).argmin()]
    return np.stack([plane.real, plane.imag], axis=1)


def _costs(candidates: np.ndarray, state: int, plane: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """`[C]`, what a state at `candidates: [C]` costs, the others at `plane: [S]`, as complex numbers.

    `pairs: [E, 2]` are joined by arrows. Long arrows cost, close circles, and circles close to arrows. The unit is the
    spacing.
    """
    is_own = (pairs == state).any(axis=1)
    ends, foreign = pairs[is_own].sum(axis=1) - state, plane[pairs[~is_own]]
    apart = np.abs(candidates[:, None] - np.delete(plane, state))
    beside = [_distance_to_arrow(candidates[:, None], foreign[:, 0], foreign[:, 1])]  # [C, E'] and then [C, E'', S]
    others = _distance_to_arrow(plane, candidates[:, None, None], plane[ends, None])
    others[:, :, state] = np.inf
    others[:, np.arange(len(ends)), ends] = np.inf
    beside.append(others.reshape(len(candidates), -1))
    crowding = (np.maximum(0, 1 - apart / _APART) ** 2).sum(axis=1)
    passing = sum((np.maximum(0, 1 - distance / _CLEAR) ** 2).sum(axis=1) for distance in beside)
    return np.abs(candidates[:, None] - plane[ends]).sum(axis=1) + _PAIR_COST * crowding + _PASSING_COST * passing


def _distance_to_arrow(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """From points to straight arrows, as complex numbers that are broadcast."""
    along, across = end - start, point - start
    share = (across * along.conj()).real / np.maximum(np.abs(along) ** 2, 1e-9)
    return np.abs(across - np.clip(share, 0, 1) * along)
