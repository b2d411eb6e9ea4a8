"""Figures of PEARL, thesis section 5.2 and appendix C."""

from functools import partial

from support.thesis.drawing import draw_panels
from support.thesis.records import Figure, Group, Need, Panel, make_training, make_variant, over_episodes, over_steps
from support.variants.pearl import ABLATION

_ROBOTS = "baselines on the other families, where presets may not suit"
_VEL_ITERATIONS = 200


_train = partial(make_training, "train_pearl.py")


def _family(name: str, num_iterations: int, hours: float, *, num_seeds: int = 3, committed: bool = False) -> Group:
    """PEARL on one of the six families."""
    place = f"{name}/cpu" if committed else ""
    options = {"num_iterations": num_iterations, "hours": hours, "committed": place}
    return Group("PEARL", partial(_train, f"{name}-v0", f"{name}/pearl", **options), num_seeds)


_THRESHOLDS = {"half-cheetah-vel": (-80.0, -60.0, -45.0)}
_VEL = _family("half-cheetah-vel", _VEL_ITERATIONS, 0.9, committed=True)
_FAMILIES = {
    "half-cheetah-dir": _family("half-cheetah-dir", 80, 0.2, committed=True),
    "half-cheetah-vel": _VEL,
    "humanoid-dir": _family("humanoid-dir", 200, 3, num_seeds=2),
    "ant-fwd-back": _family("ant-fwd-back", 80, 0.4, committed=True),
    "ant-goal": _family("ant-goal", 200, 1.5),
    "walker-params": _family("walker-params", 200, 1),
}


def _baseline(
    label: str,
    algorithm: str,
    benchmark: str,
    num_iterations: int,
    hours: float,
    *,
    preset: str = "cpu",
    num_seeds: int = 1,
    committed: bool = False,
) -> Group:
    """Something that PEARL is compared with."""
    place = f"baselines/{benchmark}/{algorithm}"
    options = {"num_iterations": num_iterations, "hours": hours, "committed": place if committed else ""}
    flags = (f"--algorithm={algorithm}", f"--preset={preset}")
    make = partial(make_training, "train_baseline.py", f"{benchmark}-v0", place, flags=flags, **options)
    return Group(label, make, num_seeds)


def _navigate(label: str, name: str, *flags: str, wide: bool = False) -> Group:
    """In sparse navigation, with narrow goals or with wide ones."""
    place = f"point-sparse/{name}"
    if wide:
        benchmark, options = "point-sparse-wide-v0", {"num_iterations": 48, "hours": 0.1}
    else:
        benchmark, options = "point-sparse-v0", {"num_iterations": 480, "hours": 0.25}
        flags = ("--preset=explore", *flags)
    return Group(label, partial(_train, benchmark, place, flags=flags, committed=place, **options))


_THESIS = "--override=num_hypotheses=0"
_EXPLORE = _navigate("PEARL", "explore", _THESIS)
_DETERMINISTIC = _navigate("PEARL, deterministic", "deterministic", "--override=encoder=deterministic", _THESIS)
_HYPOTHESES = _navigate("PEARL with hypotheses", "hypotheses")
_WIDE = (
    _navigate("PEARL", "wide", _THESIS, wide=True),
    _navigate("PEARL with hypotheses", "wide-hypotheses", wide=True),
)


_BASELINES = {
    "half-cheetah-vel": (
        _baseline("RL2", "rl2", "half-cheetah-vel", 500, 0.6, num_seeds=3, committed=True),
        _baseline("recurrent SAC", "recurrent-sac", "half-cheetah-vel", 300, 2),
        _baseline("VariBAD", "varibad", "half-cheetah-vel", 300, 2),
        _baseline("ProMP", "promp", "half-cheetah-vel", 150, 0.4, committed=True),
        _baseline("MAML-TRPO", "maml-trpo", "half-cheetah-vel", 150, 0.6, committed=True),
    )
}
_NARROW_BASELINES = (
    _baseline("RL2", "rl2", "point-sparse", 1000, 0.2, preset="explore", num_seeds=3, committed=True),
    _baseline("recurrent SAC", "recurrent-sac", "point-sparse", 600, 0.2, preset="explore", committed=True),
    _baseline("VariBAD", "varibad", "point-sparse", 600, 0.2, preset="explore", committed=True),
    _baseline("MAESN", "maesn", "point-sparse", 300, 0.2, preset="explore", committed=True),
)
_WIDE_BASELINES = (
    _baseline("RL2", "rl2", "point-sparse-wide", 100, 0.05, num_seeds=3, committed=True),
    _baseline("recurrent SAC", "recurrent-sac", "point-sparse-wide", 120, 0.05, num_seeds=3, committed=True),
    _baseline("VariBAD", "varibad", "point-sparse-wide", 120, 0.05, num_seeds=3, committed=True),
    _baseline("MAESN", "maesn", "point-sparse-wide", 100, 0.05, num_seeds=3, committed=True),
    _baseline("ProMP", "promp", "point-sparse-wide", 50, 0.05, num_seeds=3, committed=True),
    _baseline("MAML-TRPO", "maml-trpo", "point-sparse-wide", 50, 0.05, num_seeds=3, committed=True),
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


def _show_families(*, log: bool) -> tuple[Panel, ...]:
    return tuple(
        over_steps(name, [group, *_BASELINES.get(name, ())], log=log, thresholds=_THRESHOLDS.get(name, ()))
        for name, group in _FAMILIES.items()
    )


FIGURES = {
    "14": Figure(
        "Meta-learning continuous control: return in test tasks against environment steps",
        "5.2.3",
        (draw_panels,),
        _show_families(log=False),
        lacks=(_ROBOTS,),
    ),
    "15": Figure(
        "Sparse 2-D navigation: return by episode of a trial",
        "5.2.3",
        (draw_panels,),
        (
            over_episodes("goal radius 0.2 m", [_EXPLORE, _HYPOTHESES, *_NARROW_BASELINES]),
            over_episodes("goal radius 0.8 m", [*_WIDE, *_WIDE_BASELINES]),
            over_steps("goal radius 0.2 m, the last episode of a test", [_EXPLORE, _HYPOTHESES, *_NARROW_BASELINES]),
        ),
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
        _show_families(log=True),
        lacks=(_ROBOTS,),
    ),
}
