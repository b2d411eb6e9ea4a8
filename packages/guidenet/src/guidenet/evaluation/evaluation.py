"""All tasks of a kind, and every score of a method on them."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from guidenet.checks import check_choice
from guidenet.data.collections.record import Data
from guidenet.data.episodes import Task, find_look_alikes
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
          num_tasks: how many; of video all clips are taken.
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

    @property
    def look_alikes(self) -> list[bool] | None:
        """Of interactive tasks whether another object of the same class is in the image; None of other kinds."""
        if self.material.source.kind != "interactive":
            return None
        return find_look_alikes(self.tasks, self.material.source.masks).tolist()

    def score(self, method: Method, num_points: int | None, num_frames: int = 1) -> dict[str, Any]:
        """Every score at one P.

        They are `positive_iu`, its `interval`, `update_seconds`; of tasks `mean_iu`, `fb_iu` and `boundary_f`, the mean
        F of edges within 2 px; of video `j`, `f` and `frame_seconds`. Each task or clip has its `counts`, and a task
        its F in `boundary`.

        Args:
          method: what is scored.
          num_points: P of each kind in each annotated image, None for dense.
          num_frames: S, annotated frames of each clip; 1 of other tasks.

        Raises:
          ValueError: a clip has no frame left to segment, or tasks that are no video are to have several frames.
        """
        viewer = Viewer(method, self.material)
        row: dict[str, Any] = {"points": num_points}
        if self.clips:
            found = evaluate_clips(viewer, self.clips, num_points, num_frames, seed=self.seed)
            more: dict[str, Any] = {"frames": num_frames, "j": found.score.j, "f": found.score.f}
            more["frame_seconds"] = float(np.nanmedian(found.frame_seconds))
        else:
            check_choice("num_frames of tasks that are no video", num_frames, [1])
            found = evaluate_tasks(viewer, self.tasks, num_points, self.seed)
            classes = [task.query.cls for task in self.tasks]
            more = {"mean_iu": metrics.mean_iu(found.counts, classes), "fb_iu": metrics.fb_iu(found.counts)}
            more["boundary_f"] = float(found.boundary.mean())
            more["boundary"] = [round(float(value), 4) for value in found.boundary]
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
        """Mean number of clicks to each of `GOALS`, see `count_clicks`."""
        return {name: float(np.mean(found)) for name, found in self.count_clicks(method).items()}

    def count_clicks(self, method: Method) -> dict[str, list[int]]:
        """Clicks to each of `GOALS` on each of the first 100 tasks, 20 on one that does not reach it."""
        viewer = Viewer(method, self.material)
        chosen = self.tasks[:100]
        by_query = {task.query: click_on(viewer, task, max(GOALS)) for task in dict.fromkeys(chosen)}
        found = [by_query[task.query] for task in chosen]
        return {f"clicks_to_{round(100 * goal)}": [c.num_clicks(goal) for c in found] for goal in GOALS}
