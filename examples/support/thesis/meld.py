"""Figures of MELD, thesis section 5.3 and appendix D."""

from collections.abc import Callable, Sequence
from functools import partial

from support.thesis.drawing import draw_panels, gather_pictures
from support.thesis.records import (
    Figure,
    Group,
    Need,
    make_training,
    make_variant,
    make_view,
    over_episodes,
    over_steps,
)
from support.variants.meld import ABLATION

_RL2 = "RL2 from pictures: it was trained in 2-D navigation only (train_baseline.py)"
_ARMS = "anything known of arms: none was trained yet, so hours are guesses, and presets may not suit them"
_FIRST_STAGE = "the environment steps of the first stage, in the curves of MELD and SLAC"
_SLAC = "--override=model.reward_evidence=false"
_ABLATION_ITERATIONS = 100


_train = partial(make_training, "train_meld.py")
_train_pearl = partial(make_training, "train_pearl.py")


def _train_twice(
    family: str,
    name: str,
    seed: int,
    *,
    hours: tuple[float, float],
    suffix: str = "v0",
    flags: Sequence[str] = (),
    committed: str = "",
) -> Need:
    """Two stages, of dense and of sparse reward; of the first the run itself is needed."""
    first = _train(f"{family}-dense-{suffix}", f"{name}-dense", seed, num_iterations=100, hours=hours[0], flags=flags)
    own = (*flags, f"--first_stage={{runs}}/{first.place}")
    options = {"num_iterations": 300, "hours": hours[1], "flags": own, "committed": committed, "after": (first,)}
    return _train(f"{family}-sparse-{suffix}", name, seed, **options)


def _compare(family: str, hours: float, num_iterations: int, num_seeds: int, committed: str = "") -> list[Group]:
    """The learners of figure 23 on one family."""
    options = {"num_iterations": num_iterations, "hours": hours}
    kept = (f"meld/{committed}", f"meld/slac-{committed}") if committed else ("", "")
    benchmark = f"{family}-v0"
    pearl = {"num_iterations": 200, "hours": hours / 2}
    return [
        Group("MELD", partial(_train, benchmark, f"{family}/meld", committed=kept[0], **options), num_seeds),
        Group(
            "SLAC",
            partial(_train, benchmark, f"{family}/slac", flags=(_SLAC,), committed=kept[1], **options),
            num_seeds,
        ),
        Group("PEARL", partial(_train_pearl, benchmark, f"{family}/pearl", **pearl), num_seeds),
    ]


_CHEETAH = _compare("half-cheetah-vel-image", 2.1, 600, 3, "cheetah")
_REACHER = _compare("sawyer-reacher", 3, 100, 3)
_PEG = _compare("sawyer-peg", 3, 100, 1)
_SHELF = _compare("sawyer-shelf", 3, 100, 1)
_MULTI_PEG = Group(
    "MELD", partial(_train, "sawyer-multi-peg-v0", "sawyer-multi-peg/meld", num_iterations=500, hours=3), 1
)

_press = partial(_train_twice, "sawyer-button", hours=(1.5, 3))
_BUTTON = partial(_press, "sawyer-button/meld")
_BUTTONS = [
    Group("MELD", _BUTTON, 1),
    Group("SLAC", partial(_press, "sawyer-button/slac", flags=(_SLAC,)), 1),
    Group(
        "PEARL",
        partial(
            _train_pearl,
            "sawyer-button-sparse-v0",
            "sawyer-button/pearl",
            num_iterations=200,
            hours=1.5,
            flags=("--override=training_reward=dense_reward",),
        ),
        1,
    ),
]
_insert = partial(_train_twice, "widowx-ethernet", hours=(1.5, 3))
_ETHERNET = [
    Group("MELD", partial(_insert, "widowx-ethernet/meld"), 1),
    Group("SLAC", partial(_insert, "widowx-ethernet/slac", flags=(_SLAC,)), 1),
]
_NAVIGATION = partial(
    _train_twice, "point-image", "point-image/meld", hours=(0.2, 0.8), suffix="32-v1", committed="meld/sparse"
)


def _make_variant(name: str, batch: int, seed: int) -> Need:
    folder, committed = "point-image/ablations", f"meld/ablations/{name}-{seed}"
    return make_variant("meld", folder, name, seed, _ABLATION_ITERATIONS, batch, hours=0.1, committed=committed)


def _vary(name: str) -> Group:
    variant = ABLATION.variants[name]
    return Group(variant.label, partial(_make_variant, name, variant.batch))


def _show(
    program: str, make: Callable[[int], Need], file: str, flags: Sequence[str], committed: str, seed: int
) -> Need:
    return make_view(program, make(seed), file, flags, committed and f"{committed}-seed{seed}")


FIGURES = {
    "23": Figure(
        "MELD beside other learners: return in test tasks against environment steps",
        "5.3.3",
        (draw_panels,),
        (
            over_steps("half-cheetah-vel-image", _CHEETAH),
            over_steps("sawyer-reacher", _REACHER),
            over_steps("sawyer-peg", _PEG),
            over_steps("sawyer-shelf", _SHELF),
        ),
        lacks=(_RL2, _ARMS, "the line of consistent success"),
    ),
    "24": Figure(
        "Pressing buttons: what the belief predicts of the reward, and both episodes",
        "5.3.3",
        (gather_pictures,),
        others=(
            Group("belief", partial(_show, "evaluate.py", _BUTTON, "belief.png", (), ""), 1),
            Group(
                "film", partial(_show, "record_video.py", _BUTTON, "adaptation_sheet.png", ("--num_tasks=2",), ""), 1
            ),
        ),
        lacks=(_ARMS,),
    ),
    "25": Figure(
        "Pressing buttons, beside other learners",
        "5.3.3",
        (draw_panels,),
        (
            over_steps("return, the last episode", _BUTTONS),
            over_steps("pressed within two episodes", _BUTTONS, "test/found_2"),
        ),
        lacks=(_RL2, _ARMS, _FIRST_STAGE),
    ),
    "28": Figure(
        "Ethernet insertion: return in train tasks, success in test tasks",
        "5.3.3",
        (draw_panels,),
        (
            over_steps("train tasks", _ETHERNET, "train/return_last"),
            over_steps("test tasks", _ETHERNET, "test/success"),
        ),
        lacks=(
            "a random policy: no program tests one",
            "the robot: a simulated twin of it plays",
            _ARMS,
            _FIRST_STAGE,
        ),
    ),
    "36": Figure(
        "Ablations of MELD",
        "D.2.3",
        (draw_panels,),
        tuple(over_steps(title, [_vary(name) for name in names]) for title, names in ABLATION.figures.items()),
        lacks=(
            "the Reacher of the thesis: image navigation with dense reward is in its place",
            "20 and 60 train tasks, and equal environment steps: fewer tasks collect less",
        ),
    ),
    "37": Figure(
        "Image navigation with sparse reward: paths, and return by episode",
        "D.4.1",
        (draw_panels, gather_pictures),
        (over_episodes("return", [Group("MELD", _NAVIGATION)]),),
        (Group("paths", partial(_show, "evaluate.py", _NAVIGATION, "trajectories.png", (), "meld/sparse"), 1),),
    ),
    "38": Figure(
        "Following a velocity that changes within an episode",
        "D.4.2",
        (gather_pictures,),
        others=(
            Group(
                "velocities",
                partial(_show, "evaluate.py", _CHEETAH[0].make, "tracking.png", ("--num_changes=2",), "meld/cheetah"),
                1,
            ),
        ),
    ),
    "41": Figure(
        "Insertion of a peg into one of three boxes: return in train tasks",
        "D.6",
        (draw_panels,),
        (over_steps("sawyer-multi-peg", [_MULTI_PEG], "train/return_last"),),
        lacks=("the robot: a simulated arm plays", _ARMS),
    ),
}
