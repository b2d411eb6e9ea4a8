"""What can be read back from features by a linear map.

In the shape descriptions `B` denotes rows, `F` features and `P` what is read back.
"""

import numpy as np


def linear_probe(features: np.ndarray, targets: np.ndarray, tested: np.ndarray, *, ridge: float = 1e-3) -> np.ndarray:
    """How far a linear probe is off on rows that it was not fitted to, `[P]`: 0 is exact, 1 is chance.

    The root of the mean squared error over that of the best constant.

    Args:
      features: `[B, F]`
      targets: `[B, P]`
      tested: `[B]` bool, the rows to test on. Rows that are nearly the same, such as frames of one episode, belong on
        the same side.
      ridge: weight of the penalty, on standardised features.

    Raises:
      ValueError: shapes do not fit, or no row is left to fit or to test.
    """
    if features.ndim != 2 or targets.ndim != 2 or not len(features) == len(targets) == len(tested):
        shapes = [list(array.shape) for array in (features, targets, tested)]
        raise ValueError(f"features, targets and tested must be [B, F], [B, P] and [B], got {shapes}")
    if tested.dtype != np.bool_:
        raise ValueError(f"tested must be bool, got {tested.dtype}")
    if tested.all() or not tested.any():
        raise ValueError(f"tested must have rows on both sides, got {int(tested.sum())} of {len(tested)} tested")
    features = standardised(features, ~tested)
    targets = standardised(targets, ~tested)
    predicted = ridge_predictions(features, targets, ~tested, ridge)[tested]
    return np.array([relative_error(predicted[:, i], targets[tested, i]) for i in range(targets.shape[1])])


def standardised(values: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Values `[B, ...]` less their mean and over their deviation on the rows `train: [B]`."""
    values = np.asarray(values, np.float64)
    return (values - values[train].mean(axis=0)) / np.maximum(values[train].std(axis=0), 1e-6)


def ridge_predictions(features: np.ndarray, targets: np.ndarray, train: np.ndarray, penalty: float) -> np.ndarray:
    """Predictions `[B, P]` of a linear probe fitted to the `train` rows."""
    inputs = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    gram = inputs[train].T @ inputs[train] + penalty * train.sum() * np.eye(inputs.shape[1])
    return inputs @ np.linalg.solve(gram, inputs[train].T @ targets[train])


def relative_error(predicted: np.ndarray, target: np.ndarray) -> float:
    """The root of the mean squared error over that of the best constant, of `[B]`; of a constant target, infinite."""
    spread = np.mean((target - target.mean()) ** 2)
    return float(np.sqrt(np.mean((predicted - target) ** 2) / spread)) if spread else float("inf")
