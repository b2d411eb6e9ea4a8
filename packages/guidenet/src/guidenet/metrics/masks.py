"""How well masks agree: positive IU (thesis B.1.2), mean IU, FB-IU.

All are ratios of pixel counts, so they are computed from counts that are summed over whatever is averaged over. In the
shape descriptions `M` denotes masks, `H, W` pixels, `...` any leading dimensions.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from guidenet.data.files import Labels

Counts = npt.NDArray[np.int64]
"""`[..., 4]` px: true positives, false positives, false negatives, true negatives."""


def count(prediction: npt.NDArray[np.bool_], target: Labels) -> Counts:
    """`[4]` counts of a binary mask; pixels whose target is -1 are not counted.

    Args:
      prediction: `[H, W]`.
      target: `[H, W]`: 1 positive, 0 negative, -1 not scored.

    Raises:
      ValueError: the sizes differ, the prediction is not bool, or the target has a label above 1.
    """
    if prediction.dtype != np.bool_ or prediction.shape != target.shape:
        raise ValueError(
            f"prediction must be bool {list(target.shape)} as its target, got {prediction.dtype} "
            f"{list(prediction.shape)}"
        )
    if target.max(initial=0) > 1:
        raise ValueError(f"target must have labels -1, 0 and 1, got {target.max()}")
    positive, negative = target == 1, target == 0
    return np.array(
        [
            np.count_nonzero(prediction & positive),
            np.count_nonzero(prediction & negative),
            np.count_nonzero(~prediction & positive),
            np.count_nonzero(~prediction & negative),
        ],
        np.int64,
    )


def count_above(scores: npt.NDArray[np.floating], target: Labels, thresholds: npt.ArrayLike) -> Counts:
    """`[N, 4]` counts of the masks where scores are above each of `N` thresholds, in one pass over the pixels.

    Args:
      scores: `[H, W]`.
      target: as for `count`.
      thresholds: `[N]`, ascending.

    Raises:
      ValueError: the sizes differ, or the thresholds do not ascend.
    """
    limits = np.asarray(thresholds)
    if scores.shape != target.shape:
        raise ValueError(f"scores must be {list(target.shape)} as their target, got {list(scores.shape)}")
    if np.any(np.diff(limits) <= 0):
        raise ValueError(f"thresholds must ascend, got {limits.tolist()}")
    passed = np.searchsorted(limits, scores)
    found, missed = [], []
    for label in (1, 0):
        sizes = np.bincount(passed[target == label], minlength=len(limits) + 1)
        above = sizes.sum() - np.cumsum(sizes)[:-1]
        found.append(above)
        missed.append(sizes.sum() - above)
    return np.stack([*found, *missed], axis=-1).astype(np.int64)


def iu(counts: Counts) -> npt.NDArray[np.float64]:
    """`[...]` tp / (tp + fp + fn) of `[..., 4]` counts; 1 where nothing is to be found and nothing was."""
    tp, union = counts[..., 0], counts[..., :3].sum(-1)
    return np.where(union > 0, tp / np.maximum(union, 1), 1.0)


def positive_iu(counts: Counts) -> float:
    """The thesis's metric over all tasks and masks (B.1.2); 1 where nothing is to be found and nothing was.

        sum over i of tp_i / sum over i of (tp_i + fp_i + fn_i)

    Args:
      counts: `[..., 4]` of all masks, or their sum.
    """
    return float(iu(counts.reshape(-1, 4).sum(0)))


def mean_mask_iu(counts: Counts) -> float:
    """The mean over masks of their IU, `[M, 4]`; unlike in `positive_iu` small masks count as much as large ones.

    Raises:
      ValueError: there are no masks.
    """
    if not counts.size:
        raise ValueError("counts must be of masks, got none")
    return float(iu(counts.reshape(-1, 4)).mean())


def mean_iu(counts: Counts, classes: Sequence[int]) -> float:
    """The mean over classes of the IU of all masks of a class together, as for PASCAL-5i.

    Args:
      counts: `[M, 4]`.
      classes: `M`, the class of each mask.

    Raises:
      ValueError: there are no masks, or not as many as classes.
    """
    labels = np.asarray(classes)
    if not len(counts) or len(labels) != len(counts):
        raise ValueError(f"classes must be one for each of the masks, got {len(labels)} for {len(counts)}")
    return float(np.mean([iu(counts[labels == label].sum(0)) for label in np.unique(labels)]))


def fb_iu(counts: Counts) -> float:
    """The mean of the IU of foreground and background, each over all masks together (FB-IoU).

    Args:
      counts: `[..., 4]`.
    """
    total = counts.reshape(-1, 4).sum(0)
    return float((iu(total) + iu(total[[3, 2, 1, 0]])) / 2)


def bootstrap_interval(
    counts: Counts, rng: np.random.Generator, level: float = 0.95, num_samples: int = 1000
) -> tuple[float, float]:
    """An interval of the positive IU, by drawing masks with replacement.

    Args:
      counts: `[M, 4]`, one row for each independent task.
      rng: is advanced.
      level: the share of samples inside.
      num_samples: how many.

    Raises:
      ValueError: there are no masks, or the level is not between 0 and 1.
    """
    if not len(counts):
        raise ValueError("counts must be of masks, got none")
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    # How often each mask is drawn, rather than which: one matrix product.
    times = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=num_samples)
    low, high = np.quantile(iu(times @ counts), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
