"""Figures of PEARL, thesis section 5.2 and appendix C."""

from functools import partial

from support.thesis.drawing import draw_panels
from support.thesis.records import Figure, Group, Need, make_training, make_variant, over_episodes, over_steps
from support.variants.pearl import ABLATION

_ON_POLICY = "RL2, ProMP and MAML-TRPO: no runs of them on robots here yet (train_baseline.py)"
_VEL_ITERATIONS = 200


_train = partial(make_training, "train_pearl.py")


def _family(name: str, num_iterations: int, hours: float, *, num_seeds: int = 3, committed: bool = False) -> Group:
    """PEARL on one of the six families."""
    place = f"{name}/cpu" if committed else ""
    options = {"num_iterations": num_iterations, "hours": hours, "committed": place}
    return Group("PEARL", partial(_train, f"{name}-v0", f"{name}/pearl", **options), num_seeds)


_VEL = _family("half-cheetah-vel", _VEL_ITERATIONS, 0.9, committed=True)
_FAMILIES = {
    "half-cheetah-dir": _family("half-cheetah-dir", 80, 0.2, committed=True),
    "half-cheetah-vel": _VEL,
    "humanoid-dir": _family("humanoid-dir", 200, 3, num_seeds=2),
    "ant-fwd-back": _family("ant-fwd-back", 80, 0.4, committed=True),
    "ant-goal": _family("ant-goal", 200, 1.5),
    "walker-params": _family("walker-params", 200, 1),
}


def _navigate(label: str, name: str, *flags: str) -> Group:
    """With narrow goals."""
    options = {"num_iterations": 480, "hours": 0.25, "flags": ("--preset=explore", *flags)}
    make = partial(_train, "point-sparse-v0", f"point-sparse/{name}", committed=f"point-sparse/{name}", **options)
    return Group(label, make)


_EXPLORE = _navigate("PEARL", "explore")
_DETERMINISTIC = _navigate("PEARL, deterministic", "deterministic", "--override=encoder=deterministic")
_WIDE = Group(
    "PEARL",
    partial(
        _train, "point-sparse-wide-v0", "point-sparse/wide", num_iterations=24, hours=0.05, committed="point-sparse/cpu"
    ),
)


def _make_variant(name: str, hours: float, seed: int) -> Need:
    committed = f"half-cheetah-vel/ablations/{name}-{seed}"
    folder = "half-cheetah-vel/ablations"
    return make_variant("pearl", folder, name, seed, _VEL_ITERATIONS, 1, hours=hours, committed=committed)


def _ablate(title: str, hours: float) -> tuple[Group, ...]:
    """The variants of a panel; PEARL itself is the run of figure 14, whose options are the same."""
    names = [name for name in ABLATION.figures[title] if name != "pearl"]
    others = (Group(ABLATION.variants[name].label, partial(_make_variant, name, hours)) for name in names)
    return (_VEL, *others)


FIGURES = {
    "14": Figure(
        "Meta-learning continuous control: return in test tasks against environment steps",
        "5.2.3",
        (draw_panels,),
        tuple(over_steps(name, [group]) for name, group in _FAMILIES.items()),
        lacks=(_ON_POLICY,),
    ),
    "15": Figure(
        "Sparse 2-D navigation: return by episode of a trial",
        "5.2.3",
        (draw_panels,),
        (
            over_episodes("goal radius 0.2 m", [_EXPLORE]),
            over_episodes("goal radius 0.8 m", [_WIDE]),
            over_steps("goal radius 0.2 m, the last episode", [_EXPLORE]),
        ),
        lacks=("RL2, MAESN: no runs of them here yet; VariBAD and recurrent SAC: metarl_baselines has none yet",),
    ),
    "16": Figure(
        "Recurrent encoder, on half-cheetah-vel",
        "5.2.3",
        (draw_panels,),
        (over_steps("half-cheetah-vel", _ablate("recurrent encoder (figure 16)", 3)),),
    ),
    "17": Figure(
        "Where contexts are sampled, on half-cheetah-vel",
        "5.2.3",
        (draw_panels,),
        (over_steps("half-cheetah-vel", _ablate("context sampling (figure 17)", 1)),),
    ),
    "18": Figure(
        "Deterministic latent context, in sparse 2-D navigation",
        "5.2.3",
        (draw_panels,),
        (
            over_steps("goal radius 0.2 m, the last episode", [_EXPLORE, _DETERMINISTIC]),
            over_episodes("goal radius 0.2 m", [_EXPLORE, _DETERMINISTIC]),
        ),
    ),
    "34": Figure(
        "Meta-learning continuous control, all environment steps, on a logarithmic axis",
        "C.1",
        (draw_panels,),
        tuple(over_steps(name, [group], log=True) for name, group in _FAMILIES.items()),
        lacks=(_ON_POLICY,),
    ),
}
