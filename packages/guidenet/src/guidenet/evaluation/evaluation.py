"""All tasks of a kind, and every score of a method on them."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from guidenet.data.catalogue import Data
from guidenet.data.episodes import Task
from guidenet.data.footage import Footage
from guidenet.data.material import Material, load_material
from guidenet.evaluation.methods import Method
from guidenet.evaluation.tasks import Viewer, click_on, evaluate_tasks
from guidenet.evaluation.video import evaluate_clips
from guidenet.metrics import masks as metrics
from guidenet.network.guided_network import GuidedNetwork, Params

GOALS = (0.85, 0.9)
"""IU to be reached by clicks."""


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """What methods are scored on.

    material: images.
    tasks: binary tasks; empty for video.
    clips: of video.
    seed: of annotations.
    """

    material: Material
    tasks: Sequence[Task]
    clips: Sequence[Footage] = ()
    seed: int = 0

    @classmethod
    def of(
        cls,
        network: GuidedNetwork,
        params: Params,
        data: Data,
        kind: str,
        *,
        role: str = "test",
        num_tasks: int = 1000,
        max_side: int = 384,
        seed: int = 0,
        with_images: bool = False,
    ) -> "Evaluation":
        """Reads the images of a role and sees them through the backbone of a network.

        Args:
          network: whose backbone computes features.
          params: of it.
          data: as from `open_data`.
          kind: of tasks.
          role: `validation` or `test`.
          num_tasks: how many, video aside.
          max_side: px.
          seed: of tasks and annotations.
          with_images: keep images, for methods that need them.

        Raises:
          ValueError: the data have no such tasks.
        """
        if kind not in data.kinds:
            raise ValueError(f"kind must be among {', '.join(data.kinds)} with these data, got {kind}")
        source = data.source(kind, role)
        material = load_material(
            source, network, params["backbone"], max_side, with_images=with_images, with_features=True
        )
        if kind == "video":
            return cls(material, (), data.clips(role), seed)
        return cls(material, source.sample(num_tasks, np.random.default_rng(seed)), (), seed)

    def score(self, method: Method, num_points: int | None) -> dict[str, Any]:
        """Every score at one P, None for dense: `positive_iu`, its `interval`, `update_seconds`, and others by kind."""
        viewer = Viewer(method, self.material)
        row: dict[str, Any] = {"points": num_points}
        if self.clips:
            found = evaluate_clips(viewer, self.clips, num_points, seed=self.seed)
            more: dict[str, Any] = {"j": found.score.j, "f": found.score.f}
            more["frame_seconds"] = float(np.nanmedian(found.frame_seconds))
        else:
            found = evaluate_tasks(viewer, self.tasks, num_points, self.seed)
            classes = [task.query.cls for task in self.tasks]
            more = {"mean_iu": metrics.mean_iu(found.counts, classes), "fb_iu": metrics.fb_iu(found.counts)}
        interval = metrics.bootstrap_interval(found.counts, np.random.default_rng(0))
        return {
            **row,
            "positive_iu": metrics.positive_iu(found.counts),
            "interval": list(interval),
            **more,
            "update_seconds": float(np.median(found.seconds)),
            "counts": found.counts.tolist(),
        }

    def clicks(self, method: Method) -> dict[str, float]:
        """Mean number of clicks to each of `GOALS` on the first 100 tasks, with 20 for those that do not reach it."""
        viewer = Viewer(method, self.material)
        found = [click_on(viewer, task, max(GOALS)) for task in self.tasks[:100]]
        return {f"clicks_to_{round(100 * goal)}": float(np.mean([c.num_clicks(goal) for c in found])) for goal in GOALS}
