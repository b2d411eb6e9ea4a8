import numpy as np
import pytest
from guidenet.metrics import boundaries, clicks, video
from guidenet.metrics import masks as metrics
from guidenet.metrics.clicks import Click
from guidenet.metrics.video import VideoScore

TARGET = np.array([[1, 1, 0, 0], [1, 1, 0, -1]], np.int16)
PREDICTION = np.array([[1, 0, 1, 0], [1, 0, 0, 1]], bool)
COUNTS = np.array([[2, 1, 2, 2], [0, 0, 4, 6], [30, 10, 0, 60]])


def test_pixels_are_counted_and_unknown_ones_are_not():
    np.testing.assert_array_equal(metrics.count(PREDICTION, TARGET), [2, 1, 2, 2])


def test_many_thresholds_at_once_are_one_after_the_other():
    rng = np.random.default_rng(0)
    scores = rng.integers(-3, 4, (9, 7)).astype(np.float32)
    target = rng.integers(-1, 2, (9, 7)).astype(np.int16)
    thresholds = [-4.0, -1.0, 0.0, 0.5, 3.0]
    found = metrics.count_above(scores, target, thresholds)
    np.testing.assert_array_equal(found, [metrics.count(scores > threshold, target) for threshold in thresholds])
    with pytest.raises(ValueError, match=r"scores must be \[9, 7\] as their target, got \[8, 7\]"):
        metrics.count_above(scores[1:], target, thresholds)
    with pytest.raises(ValueError, match=r"thresholds must ascend, got \[1, 1\]"):
        metrics.count_above(scores, target, [1, 1])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (metrics.positive_iu(COUNTS), 32 / 49),  # (2 + 0 + 30) / (5 + 4 + 40)
        (metrics.positive_iu(np.zeros((0, 4), int)), 1.0),
        (metrics.mean_mask_iu(COUNTS), (2 / 5 + 0 + 30 / 40) / 3),
        (metrics.mean_iu(COUNTS, [3, 3, 8]), (2 / 9 + 30 / 40) / 2),
        (metrics.fb_iu(COUNTS), (32 / 49 + 68 / 85) / 2),  # background: 68 / (68 + 6 + 11)
    ],
)
def test_ious_by_hand(value, expected):
    assert value == pytest.approx(expected, abs=1e-12)


def test_nothing_found_where_nothing_is_is_right():
    np.testing.assert_array_equal(metrics.iu(np.array([[0, 0, 0, 9], [0, 1, 0, 8]])), [1, 0])


def test_interval_of_equal_masks_is_a_point_and_holds_the_value():
    rng = np.random.default_rng(0)
    assert metrics.bootstrap_interval(COUNTS[[0, 0, 0]], rng) == (0.4, 0.4)
    many = np.repeat(COUNTS, 30, axis=0)
    low, high = metrics.bootstrap_interval(many, rng)
    assert 0.4 < low < metrics.positive_iu(many) < high < 0.8
    narrow = metrics.bootstrap_interval(many, rng, level=0.5)
    assert low < narrow[0] < narrow[1] < high


def test_bad_masks_are_refused():
    with pytest.raises(ValueError, match=r"bool \[2, 4\] as its target, got int64 \[2, 4\]"):
        metrics.count(PREDICTION.astype(int), TARGET)
    with pytest.raises(ValueError, match=r"got bool \[2, 3\]"):
        metrics.count(PREDICTION[:, :3], TARGET)
    with pytest.raises(ValueError, match="labels -1, 0 and 1, got 2"):
        metrics.count(PREDICTION, TARGET * 2)
    for function in (metrics.mean_mask_iu, lambda x: metrics.bootstrap_interval(x, np.random.default_rng(0))):
        with pytest.raises(ValueError, match="got none"):
            function(np.zeros((0, 4), int))
    with pytest.raises(ValueError, match="got 2 for 3"):
        metrics.mean_iu(COUNTS, [1, 2])
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 95"):
        metrics.bootstrap_interval(COUNTS, np.random.default_rng(0), level=95)


def square(size, rows, columns):
    mask = np.zeros((size, size), bool)
    mask[rows, columns] = True
    return mask


def test_boundary_is_left_and_above_of_a_change():
    expected = np.zeros((6, 6), bool)
    expected[1:5, 1:5] = True  # around and on a square of 3 px
    expected[2:4, 2:4] = False  # its inner pixels, whose neighbours to the right and below are inside
    np.testing.assert_array_equal(boundaries.boundary(square(6, slice(2, 5), slice(2, 5))), expected)
    np.testing.assert_array_equal(boundaries.boundary(np.array([[1, 0], [1, 0]], bool)), [[True, False], [True, False]])


def test_boundaries_within_the_tolerance_are_found():
    target = square(50, slice(10, 30), slice(10, 30)).astype(np.int16)
    moved = square(50, slice(10, 30), slice(12, 32))
    # The diagonal is 70.7 px: 0.008 of it is rounded up to 1 px, 0.02 to 2 px.
    assert video.boundary_accuracy(moved, target, 0.02) == 1.0
    # A boundary is a ring of 80 px. Of that of the moved square, within 1 px of the other are columns 11 to 30 of
    # rows 9 and 29, and the two pixels beside them in column 11.
    assert boundaries.boundary(moved).sum() == 80
    assert video.boundary_accuracy(moved, target) == pytest.approx(42 / 80)  # precision and recall are equal


def test_edges_may_be_off_by_so_many_pixels():
    target = square(50, slice(10, 30), slice(10, 30)).astype(np.int16)
    moved = square(50, slice(10, 30), slice(13, 33))
    assert boundaries.boundary_f(moved, target, 3) == 1.0
    # Within 2 px are columns 12 to 31 of rows 9 and 29, of 20 px each, and in column 12 the two pixels below and above.
    assert boundaries.boundary_f(moved, target) == pytest.approx(44 / 80)
    unknown = np.where(np.arange(50) >= 31, np.int16(-1), target)
    assert boundaries.boundary_f(moved, unknown, 2) > 44 / 80
    with pytest.raises(ValueError, match="radius must be at least 0, got -1"):
        boundaries.boundary_f(moved, target, -1)


def test_objects_that_are_not_there():
    nothing, something = np.zeros((8, 8), bool), square(8, slice(2, 5), slice(2, 5))
    assert video.boundary_accuracy(nothing, nothing.astype(np.int16)) == 1.0
    assert video.boundary_accuracy(something, nothing.astype(np.int16)) == 0.0
    assert video.boundary_accuracy(nothing, something.astype(np.int16)) == 0.0
    assert video.region_similarity(nothing, nothing.astype(np.int16)) == 1.0
    far = square(40, slice(30, 33), slice(30, 33))
    assert video.boundary_accuracy(far, square(40, slice(2, 5), slice(2, 5)).astype(np.int16)) == 0.0
    with pytest.raises(ValueError, match="tolerance must be at least 0, got -1"):
        video.boundary_accuracy(nothing, nothing.astype(np.int16), -1)


def test_video_scores_are_means_over_frames_then_over_objects():
    target = np.zeros((8, 8), np.int16)
    target[:4, :4] = 1
    target[4:, 4:] = 2
    half = target.copy()
    half[:2] = 0
    scores = video.score_video([target, half], [target, target], (1, 2))
    assert scores[2] == (1.0, 1.0)
    assert scores[1].j == pytest.approx((1 + 0.5) / 2)
    assert 0.5 < scores[1].f < 1
    assert video.mean_score([VideoScore(0.2, 0.4), VideoScore(0.6, 1.0)]) == pytest.approx((0.4, 0.7))
    assert VideoScore(0.4, 0.7).mean == pytest.approx(0.55)
    with pytest.raises(ValueError, match="got 1 for 2"):
        video.score_video([target], [target, target], (1,))
    with pytest.raises(ValueError, match="got none"):
        video.mean_score([])


def test_the_first_click_is_in_the_middle_of_the_object():
    target = square(20, slice(4, 9), slice(10, 17)).astype(np.int16)
    assert clicks.next_click(np.zeros((20, 20), bool), target) == Click(6, 12, True)
    # At the edge of the image the middle is meant as well.
    corner = square(20, slice(0, 5), slice(0, 5)).astype(np.int16)
    assert clicks.next_click(np.zeros((20, 20), bool), corner) == Click(2, 2, True)


def test_clicks_correct_the_deepest_error():
    target = square(20, slice(4, 9), slice(10, 17)).astype(np.int16)
    prediction = target.astype(bool) | square(20, slice(11, 20), slice(0, 9))
    prediction[4, 10] = False
    assert clicks.next_click(prediction, target) == Click(15, 4, False)
    assert clicks.next_click(prediction, target, [Click(15, 4, False)]) != Click(15, 4, False)
    unknown = np.where(prediction & (target == 0), -1, target).astype(np.int16)
    assert clicks.next_click(prediction, unknown) == Click(4, 10, True)
    assert clicks.next_click(target == 1, target) is None


def test_clicks_until_the_goal():
    target = square(10, slice(0, 10), slice(0, 10)).astype(np.int16)
    # Each click adds a row more: IU 0.1, 0.2 ..
    result = clicks.simulate_clicks(lambda made: square(10, slice(0, len(made)), slice(0, 10)), target, 0.85)
    assert result.ius == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    assert (result.num_clicks(0.5), result.num_clicks(0.85), result.num_clicks(0.95)) == (5, 9, 20)
    assert result.num_clicks(0.5, max_clicks=3) == 3
    assert all(click.positive for click in result.clicks)
    stopped = clicks.simulate_clicks(lambda made: np.zeros((10, 10), bool), target, max_clicks=4)
    assert len(set(stopped.clicks)) == len(stopped.ius) == 4
    with pytest.raises(ValueError, match="a positive pixel to be clicked on, got none"):
        clicks.simulate_clicks(lambda made: target == 1, np.zeros((10, 10), np.int16))
    with pytest.raises(ValueError, match="max_clicks must be at least 1, got 0"):
        clicks.simulate_clicks(lambda made: target == 1, target, max_clicks=0)


def test_clicks_stop_where_nothing_is_wrong():
    target = square(10, slice(2, 6), slice(2, 6)).astype(np.int16)
    result = clicks.simulate_clicks(lambda made: target == 1, target, goal=2.0)
    assert result.ius == (1.0,)
    assert result.num_clicks(0.9) == 1
