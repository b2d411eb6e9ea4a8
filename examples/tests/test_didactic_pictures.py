"""Pictures of didactic MDPs: what is drawn is looked at by the extents of texts, circles and arrows."""

import itertools

import numpy as np
import pytest
from matplotlib.patches import Circle, FancyArrowPatch
from mi_repr import tabular
from support.didactic import graph, text
from support.didactic.layout import place_states
from support.didactic.objectives import Representations, format_blocks
from support.didactic.pictures import make_figure

NAMES = {
    "short": "s{}",
    "words": "room {} of the house",
    "long": "a_very_long_name_{}_" + "that_goes_on_and_on_" * 5,
    "signs": "$x_{}",
}
BY_STATES = "representations, by the states that they alias"
CASES = [  # states, actions, convention, random, names
    (2, 1, "arrival", False, "short"),
    (2, 4, "state_action", True, "words"),
    (3, 2, "arrival", True, "long"),
    (5, 4, "state_action", True, "short"),
    (8, 3, "state", False, "words"),
    (11, 2, "arrival", False, "short"),
    (11, 3, "state_action", True, "long"),
    (12, 1, "arrival", False, "words"),
    (12, 4, "state_action", False, "signs"),
    (20, 2, "arrival", True, "words"),
    (20, 12, "state", False, "short"),
    (30, 2, "state_action", False, "short"),
    (30, 4, "arrival", False, "long"),
    (30, 4, "state_action", True, "short"),
]


def make_mdp(num_states, num_actions, convention="arrival", is_random=False, names="short", seed=0):
    rng = np.random.default_rng(seed)
    shape = (num_states, num_actions)
    if is_random:
        transition = rng.dirichlet(np.full(num_states, 0.3), size=shape)
    else:
        transition = np.eye(num_states)[rng.integers(num_states, size=shape)]
    reward = rng.integers(-1, 2, size=shape if convention == "state_action" else num_states)
    states = tuple(NAMES[names].format(number) for number in range(num_states))
    return tabular.FiniteMDP(transition, reward, convention, states=states)


def make_representations(num_states, num_rows=12, seed=0, name=""):
    rng = np.random.default_rng(seed)
    labels = rng.integers(num_states, size=(num_rows, num_states))
    labels[0], labels[-1] = 0, np.arange(num_states)
    values = {name: np.sort(rng.random(num_rows)) for name in ("fwd", "state", "inv+reward")}
    maximal = {name: column > 0.8 for name, column in values.items()}
    return Representations(
        [name] * num_rows, labels, np.linspace(0, 3, num_rows), values, maximal, np.zeros(num_rows, bool)
    )


def make_verdict(labels):
    example = tabular.Counterexample(tuple(labels.tolist()), "pi_weak", (0, 1), (("a0",), ("a1",)))
    return tabular.Verdict("inv+reward", 1.0, 3, False, False, False, example)


def draw(mdp, shown, verdicts=(), title="mine.json, k = 1"):
    figure = make_figure(mdp, verdicts, shown, title)
    figure.canvas.draw()
    return figure, {axes.get_label(): axes for axes in figure.axes}


def texts_of(axes):
    return [shown for shown in axes.texts if shown.get_text()]


def is_inside(inner, outer, slack=1.0):
    return (
        inner.x0 >= outer.x0 - slack
        and inner.y0 >= outer.y0 - slack
        and inner.x1 <= outer.x1 + slack
        and inner.y1 <= outer.y1 + slack
    )


def check_graph(figure, axes):
    """Names lie in their circles, circles apart, arrows in the axes, which have two fifths of the width at least."""
    assert axes.get_position().width >= 0.4
    circles = [patch for patch in axes.patches if isinstance(patch, Circle)]
    for first, second in itertools.combinations(circles, 2):
        assert np.hypot(*np.subtract(first.center, second.center)) > 1.5 * (first.radius + second.radius)
    for circle, name in zip(circles, texts_of(axes), strict=True):
        assert name.get_fontsize() >= 6.5
        middle = axes.transData.transform(circle.center)
        radius = axes.transData.transform(np.add(circle.center, (circle.radius, 0)))[0] - middle[0]
        assert np.hypot(*(name.get_window_extent().corners() - middle).T).max() < radius
    for arrow in axes.patches:
        if isinstance(arrow, FancyArrowPatch):
            assert is_inside(arrow.get_window_extent(), axes.bbox)
    assert is_inside(axes.title.get_window_extent(), figure.bbox)


def check_keys(axes_by_label, num_rows, numbers=(), title=BY_STATES):
    """Keys lie in their axes and have an entry for each representation, and for each number in a circle."""
    for label, expected in ((title, num_rows), ("states", len(numbers))):
        if expected:
            axes = axes_by_label[label]
            entries = texts_of(axes)
            assert len(entries) == 1 + expected
            for first, second in itertools.combinations(entries, 2):
                assert not first.get_window_extent().overlaps(second.get_window_extent())
            for entry in entries:
                assert is_inside(entry.get_window_extent(), axes.bbox)


def check_objectives(figure, axes):
    ticks = [tick.get_window_extent() for tick in axes.get_xticklabels()]
    assert not any(first.overlaps(second) for first, second in itertools.pairwise(ticks))
    extent = axes.get_tightbbox()
    assert is_inside(extent, figure.bbox)
    keys = [
        entry
        for other in figure.axes
        if other.get_label() not in ("graph", "legend", "objectives")
        for entry in texts_of(other)
    ]
    assert not any(extent.overlaps(entry.get_window_extent()) for entry in keys)
    assert not any(shown.get_window_extent().overlaps(axes.get_legend().get_window_extent()) for shown in figure.texts)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_everything_is_where_it_can_be_read(case):
    mdp, shown = make_mdp(*case), make_representations(case[0])
    figure, axes = draw(mdp, shown, [make_verdict(shown.labels[0])])
    check_graph(figure, axes["graph"])
    numbers = [] if "states" not in axes else [name.get_text() for name in texts_of(axes["graph"])]
    assert bool(numbers) == (case[4] == "long" or (case[4] == "words" and case[0] > 2))
    check_keys(axes, 12, numbers)
    check_objectives(figure, axes["objectives"])
    legend = axes["legend"].get_legend()
    assert is_inside(legend.get_window_extent(), axes["legend"].bbox, slack=8)
    assert [entry.get_text() for entry in legend.get_texts()][: mdp.num_actions] == list(mdp.actions)
    assert axes["graph"].get_title() == "filled alike: aliased by r1, a maximiser of J_inv + I(R;Z)"


def test_numbers_in_circles_are_those_of_files_and_of_the_keys():
    mdp, shown = make_mdp(11, 2, names="long"), make_representations(11)
    _, axes = draw(mdp, shown, [make_verdict(shown.labels[10])])
    assert axes["graph"].get_title().startswith("filled alike: aliased by r11, a maximiser")
    assert [name.get_text() for name in texts_of(axes["graph"])] == [str(number) for number in range(11)]
    key = [entry.get_text() for entry in texts_of(axes["states"])[1:]]
    assert all(line.startswith(f"{number}  a_very_long_name_{number}") for number, line in enumerate(key))
    assert all(line.endswith("...") for line in key)
    entries = [entry.get_text() for entry in texts_of(axes[BY_STATES])]
    assert entries[1] == "r1  all aliased"
    assert entries[2] == f"r2  {format_blocks(shown.labels[1], [str(number) for number in range(11)])}"
    assert entries[12] == "r12  identity"


def test_names_of_several_words_are_wrapped():
    shown = make_representations(12, num_rows=2)
    figure, axes = draw(make_mdp(12, 1, names="words"), shown)
    check_graph(figure, axes["graph"])
    assert "states" not in axes
    assert "\n" in texts_of(axes["graph"])[0].get_text()


def test_states_beyond_thirty_have_no_graph():
    figure, axes = draw(make_mdp(31, 2), make_representations(31, name="a name"), title="x" * 300)
    assert "graph" not in axes
    check_keys(axes, 12, title="representations")
    check_objectives(figure, axes["objectives"])
    assert is_inside(figure.texts[0].get_window_extent(), figure.bbox)
    assert figure.texts[0].get_text().endswith("...")


@pytest.mark.parametrize(("num_rows", "num_states"), [(40, 4), (50, 20)])
def test_a_key_too_long_for_the_picture_is_left_to_the_table(num_rows, num_states):
    mdp, shown = make_mdp(num_states, 2, names="short"), make_representations(num_states, num_rows)
    figure, axes = draw(mdp, shown)
    entries = [entry.get_text() for entry in texts_of(axes[BY_STATES])]
    assert len(entries) == (41 if num_states == 4 else 2)
    assert num_states == 4 or entries[1] == "see the printed table"
    check_objectives(figure, axes["objectives"])


def test_a_maximiser_that_has_no_row_is_not_numbered():
    shown = make_representations(4, num_rows=2)
    _, axes = draw(make_mdp(4, 2), shown, [make_verdict(np.array([0, 0, 0, 1]))])
    assert axes["graph"].get_title() == "filled alike: aliased by a maximiser of J_inv + I(R;Z)"
    fills = [patch.get_facecolor() for patch in axes["graph"].patches if isinstance(patch, Circle)]
    assert fills[0] == fills[1] == fills[2] != fills[3]


def test_values_are_drawn_in_bits():
    shown = make_representations(4)
    _, axes = draw(make_mdp(4, 2), shown)
    np.testing.assert_allclose(axes["objectives"].lines[0].get_ydata(), shown.values["fwd"] / np.log(2))
    assert axes["objectives"].get_ylabel() == "bits"
    assert axes["objectives"].get_xticklabels()[-1].get_text() == f"r12\n{3 / np.log(2):.2f}"


def arrows_of(axes):
    return [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]


def test_two_directions_and_two_actions_are_told_apart():
    mdp = tabular.FiniteMDP.deterministic([[1, 1], [0, 0]], [0, 1])
    figure, axes = draw(mdp, make_representations(2))
    middles = np.array(
        [axes["graph"].transData.transform(arrow.get_path().vertices[1]) for arrow in arrows_of(axes["graph"])]
    )
    assert len(middles) == 4
    gaps = np.linalg.norm(middles[:, None] - middles, axis=2) + 1e9 * np.eye(4)
    assert gaps.min() > 6 / 72 * figure.dpi


@pytest.mark.parametrize("num_actions", [1, 3])
def test_loops_stand_outside(num_actions):
    mdp = tabular.FiniteMDP(
        np.eye(5)[:, None].repeat(num_actions, axis=1), np.zeros(5), state_distribution=np.full(5, 0.2)
    )
    _, axes = draw(mdp, make_representations(5))
    loops = arrows_of(axes["graph"])
    assert len(loops) == 5 * num_actions
    assert all(np.hypot(*loop.get_path().vertices[1:3].mean(axis=0)) > 1.2 for loop in loops)


def test_a_single_state_stands_in_the_middle():
    figure, axes = draw(tabular.FiniteMDP(np.ones((1, 2, 1)), [1]), make_representations(1))
    check_graph(figure, axes["graph"])
    assert len(arrows_of(axes["graph"])) == 2


def test_actions_that_a_state_lacks_have_no_arrow():
    mdp = tabular.FiniteMDP.deterministic([[1, 1], [0, 1]], [0, 1], allowed=[[True, False], [True, True]])
    _, axes = draw(mdp, make_representations(2))
    assert len(arrows_of(axes["graph"])) == 3


def test_names_of_actions_are_shown_as_they_are():
    actions = ("_stay", "$go", "a_name_of_thirty_five_letters_and_more")
    mdp = tabular.FiniteMDP.deterministic(
        [[0, 1, 1], [1, 0, 0]], [0, 1], actions=actions, state_distribution=[0.5, 0.5]
    )
    _, axes = draw(mdp, make_representations(2))
    shown = [entry.get_text() for entry in axes["legend"].get_legend().get_texts()]
    assert shown[:2] == ["_stay", "$go"]
    assert shown[2].startswith("a_name_of_thirty")
    assert shown[2].endswith("...")


def test_unlikely_arrows_are_left_out_and_the_legend_says_so():
    drawn = graph.make_graph(make_mdp(30, 4, is_random=True))
    assert (drawn.arrows > 0).sum() == 150
    assert drawn.arrows[drawn.arrows > 0].min() == drawn.least
    _, axes = draw(make_mdp(11, 4, is_random=True), make_representations(11))
    assert axes["legend"].get_legend().get_title().get_text().startswith("arrows of probability below 0.")
    assert graph.make_graph(make_mdp(30, 4)).least is None


def test_few_states_stand_in_the_order_with_the_shortest_arrows():
    order = [0, 3, 1, 5, 2, 4]
    linked = np.zeros((6, 6), bool)
    linked[order, np.roll(order, 1)] = True
    places = place_states(linked)
    np.testing.assert_allclose(np.linalg.norm(places[order] - np.roll(places[order], 1, axis=0), axis=1), 1)


def test_a_grid_looks_like_a_grid_and_always_the_same():
    cells = np.array(list(itertools.product(range(6), range(5))))
    linked = np.abs(cells[:, None] - cells).sum(axis=2) == 1
    places = place_states(linked)
    np.testing.assert_array_equal(places, place_states(linked))
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    assert distance[linked].max() < 1.6 * distance[linked].min()
    assert distance[linked].mean() < 1.2 * (distance + 9 * np.eye(30)).min(axis=1).mean()
    assert np.abs(places).max() == pytest.approx(1)


def test_springs_do_with_states_that_nothing_links():
    linked = np.zeros((12, 12), bool)
    linked[0, 1] = True
    places = place_states(linked)
    distance = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(12)
    assert distance.min() > 0.3


def test_text_is_cut_wrapped_and_arranged():
    assert text.cut("short", 100, 8) == "short"
    cropped = text.cut("x" * 100, 100, 8)
    assert cropped.endswith("x...")
    assert 85 < text.measure(cropped, 8)[0] <= 100
    assert text.wrap("p0 f2 y1 open", 2) == "p0 f2\ny1 open"
    assert text.wrap("one", 3) == "one"
    assert text.wrap("", 2) == ""
    assert text.arrange(["a", "b", "c"], 40, 8, 9) == [["a", "b"], ["c"]]
    assert text.arrange(["a" * 50, "b"], 60, 8, 9) == [[text.cut("a" * 50, 60, 8), "b"]]
    assert text.arrange(["a" * 50, "b"], 60, 8, 1) == [[text.cut("a" * 50, 23, 8)], ["b"]]
    assert text.arrange(["a"] * 99, 60, 8, 9) is None
    assert text.count_columns(["a", "b", "c"], 500, 9) == 3
    assert text.count_columns(["a" * 50, "b", "c"], 100, 9) == 1
