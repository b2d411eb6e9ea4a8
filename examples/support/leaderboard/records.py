"""Who is on the leaderboard, on which families, and where below examples/results their runs are."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Learner(NamedTuple):
    """A learner.

    name: as shown. folder: of its runs, without the seed, below `baselines/FAMILY`.
    adapts_at_once: to all episodes before the last one of a trial, and to none before that.
    needs_pictures: whether it learns from pictures only.
    """

    name: str
    folder: str
    adapts_at_once: bool = False
    needs_pictures: bool = False


class Place(NamedTuple):
    """Where the runs of a learner on a family are, all without `-seed` and the seed.

    path: of the runs. first_stage: of those that they went on from, seed by seed; empty where there are none.
    """

    path: str
    first_stage: str = ""


class Family(NamedTuple):
    """A family of tasks.

    name: as shown; of its benchmark, without the version.
    places: by the name of the learner, where they are not as usual.
    levels: returns to compare with, by what has them, as measured in the README of metarl-envs or of the results.
    pictures: whether it shows them.
    """

    name: str
    places: Mapping[str, Place] = MappingProxyType({})
    levels: Mapping[str, float] = MappingProxyType({})
    pictures: bool = False

    def find_place(self, learner: Learner) -> Place:
        """Where the learner's runs are, if there are any."""
        return self.places.get(learner.name, Place(f"baselines/{self.name}/{learner.folder}"))

    def takes(self, learner: Learner) -> bool:
        """Whether the learner can be trained on it."""
        return self.pictures or not learner.needs_pictures


LEARNERS = (
    Learner("PEARL", "pearl"),
    Learner("RL2", "rl2"),
    Learner("VariBAD", "varibad"),
    Learner("recurrent SAC", "recurrent-sac"),
    Learner("MAML-TRPO", "maml-trpo", adapts_at_once=True),
    Learner("ProMP", "promp", adapts_at_once=True),
    Learner("MAESN", "maesn", adapts_at_once=True),
    Learner("MELD", "meld", needs_pictures=True),
    Learner("SLAC", "slac", needs_pictures=True),
)


def _robot(name: str, levels: Mapping[str, float] = MappingProxyType({})) -> Family:
    """A family on which PEARL's preset `cpu` is what there is of it."""
    return Family(name, {"PEARL": Place(f"{name}/cpu")}, levels)


def _see(name: str, levels: Mapping[str, float], **places: Place) -> Family:
    """A family that is seen in pictures."""
    return Family(name, places, levels, pictures=True)


FAMILIES = (
    Family("point-sparse-wide", {"PEARL": Place("point-sparse/wide-hypotheses")}, {"knows the goal": 16.1}),
    Family("point-sparse", {"PEARL": Place("point-sparse/hypotheses")}, {"knows the goal": 13.4}),
    _robot("half-cheetah-vel", {"stands still": -283.5}),
    _robot("half-cheetah-dir"),
    _robot("ant-fwd-back", {"stands still": 200}),
    _robot("hopper-params"),
    _robot("humanoid-dir"),
    _robot("ant-goal"),
    _robot("walker-params"),
    _see(
        "point-image-dense",
        {"knows the goal": 15.7},
        MELD=Place("meld/dense"),
        SLAC=Place("meld/slac-dense"),
        PEARL=Place("meld/pearl-dense"),
    ),
    _see(
        "point-image-sparse",
        {"knows the goal": 17.3},
        MELD=Place("meld/sparse", "meld/dense"),
        SLAC=Place("meld/slac-sparse", "meld/slac-dense"),
        PEARL=Place("meld/pearl-sparse"),
    ),
    _see(
        "half-cheetah-vel-image",
        {"stands still": -69},
        MELD=Place("meld/cheetah"),
        SLAC=Place("meld/slac-cheetah"),
        PEARL=Place("meld/pearl-cheetah"),
    ),
)
