"""Training in a run directory: the loop on the host, validation, and writing the trained network.

```
<directory>/metrics.jsonl, checkpoints    as in every run; the same command continues where it stopped
<directory>/model.npz                     the network, for `guidenet.load_model`
```
"""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
import numpy.typing as npt
from rlcore.experiment import Run, check_memory, check_seed, tell, to_dict

from guidenet.data.episodes import Task
from guidenet.data.files import UNKNOWN
from guidenet.data.material import Material, load_material, round_up, statistics
from guidenet.data.sources import Source
from guidenet.metrics.masks import count_above, iu
from guidenet.network.guided_network import Params
from guidenet.network.models import load_backbone, pretrained, save_model
from guidenet.training.batches import Drawn, Store, draw, gather, make_stores
from guidenet.training.config import TrainingConfig
from guidenet.training.learner import Learner, TrainState, standardise
from guidenet.training.stopping import Best, init_best, update_best

MODEL = "model.npz"

_SHIFTS = tuple(float(shift) for shift in np.arange(-12, 13) / 4)
"""Changes of the threshold that are tried when training is over."""

_NUM_FOR_STATISTICS = 200
"""Images that the statistics of features are taken from, where features are not kept."""


@dataclasses.dataclass(frozen=True, eq=False)
class Experiment:
    """One training.

    config: its options.
    data: the name of what it is trained on; a run directory is for one name.
    seed: of everything random.
    directory: of this run; no other run uses it.
    checkpoint_every: iterations between checkpoints; 0 takes them as often as costs a twentieth of the time.
    weights: of the backbone, a file; None is the installed ones.
    """

    config: TrainingConfig
    data: str
    seed: int
    directory: Path
    checkpoint_every: int = 0
    weights: Path | None = None

    def __post_init__(self) -> None:
        check_seed(self.seed)

    @property
    def learner(self) -> Learner:
        """What is trained, and how."""
        return Learner(self.config)

    def open_run(self) -> Run:
        """The run directory.

        Raises:
          RunError: it holds something else, a run with other options, or a run that another process is training.
        """
        options = to_dict(self.config)
        identity = {"data": self.data, "seed": self.seed, "training": options}
        return Run.open(self.directory, identity, checkpoint_every=self.checkpoint_every, keep=2)

    def check(self) -> None:
        """Opens and closes the run, and reads the backbone's weights: their errors should come before data are loaded.

        Raises:
          RunError: as `open_run`.
          WeightsMissingError, ValueError: as `load_backbone`.
        """
        load_backbone(self.config.network.backbone, self.weights)
        self.open_run().close()

    def load(self, sources: Sequence[Source]) -> list[Material]:
        """The images of some sources, and the features of these images if training needs them.

        Raises:
          RunError: there is not enough memory.
          WeightsMissingError, ValueError: as `load_backbone`, or a source has no images.
        """
        self._check_memory(sources)
        _, params = pretrained(self.config.network, self.weights)
        materials: list[Material] = []
        for source in sources:
            known = next((m for m in materials if m.source.dataset is source.dataset), None)
            materials.append(self._load(source, params) if known is None else known.with_source(source))
        return materials

    def run(self, train: Sequence[Material], validation: Sequence[Material]) -> Path:
        """Trains from the newest checkpoint on, and writes the network.

        Args:
          train: for each of the config's kinds, in their order.
          validation: of any kinds, of other classes.

        Returns:
          Where the network was written.

        Raises:
          ValueError: the materials are not of the config's kinds.
          NonFiniteError: a loss is not finite; the last checkpoint is intact.
          RunError: as `open_run`.
        """
        config, learner, network = self.config, self.learner, self.learner.network
        kinds = tuple(material.source.kind for material in train)
        if kinds != config.kinds:
            raise ValueError(f"train must be of the kinds {', '.join(config.kinds)}, got {', '.join(kinds)}")
        key, state_key = jax.random.split(jax.random.key(self.seed))
        _, params = pretrained(network.config, self.weights, key)
        if network.config.feature_size:
            sample = train[0]
            if learner.query_images:
                sample = self._load(_few_images(sample.source), params, with_features=True)
            params = standardise(params, *statistics(sample.features))
        frozen = {part: leaves for part, leaves in params.items() if part not in learner.trained_parts}
        stores = make_stores(train, learner)
        tests = make_stores(validation, learner)
        validators = [Validator(learner, *pair) for pair in zip(validation, tests, strict=True)]
        with self.open_run() as run:
            first = learner.init(params, state_key)
            (state, best), start = run.restore((first, init_best(first.average)))
            episodes = config.updates_per_iteration * config.batch_size
            last = start if self._is_over(best) else config.num_iterations
            for iteration in run.iterations(
                start, last, steps_per_iteration=episodes, shown=("validation/positive_iu",)
            ):
                rng = np.random.default_rng([self.seed, iteration])
                losses: list[jax.Array] = []
                for number in range(config.updates_per_iteration):
                    turn = number % len(train)
                    drawn = self._draw(train[turn], rng)
                    state, metrics = _update(learner, state, frozen, stores[turn], drawn)
                    losses.append(metrics["loss"])
                averaged = learner.join(frozen, state.average)
                scores = {f"validation/{v.kind}": v.positive_iu(averaged) for v in validators}
                mean = float(np.mean(list(scores.values())))
                best = update_best(best, state.average, mean)
                run.finish_iteration(
                    iteration,
                    (state, best),
                    {
                        "loss/train": np.mean([float(loss) for loss in losses]),
                        "loss/grad_norm": metrics["grad_norm"],
                        "validation/positive_iu": mean,
                        **scores,
                        "updates": state.num_updates,
                    },
                )
                if self._is_over(best):
                    run.save(iteration, (state, best))
                    break
        changed = learner.query_images or network.config.backbone.record.load is None
        kept = best.params if config.stop_after else state.average
        trained = calibrate(learner.join(frozen, kept), validators)
        save_model(self.directory / MODEL, network, trained, with_backbone=changed)
        return self.directory / MODEL

    def _is_over(self, best: Best) -> bool:
        """Whether validation has not become better for as long as the config waits."""
        patience = self.config.stop_after
        return bool(patience) and int(best.age) >= patience

    def _load(self, source: Source, params: Params, with_features: bool | None = None) -> Material:
        learner = self.learner
        return load_material(
            source,
            learner.network,
            params["backbone"],
            self.config.max_side,
            with_images=learner.support_images,
            with_features=not learner.query_images if with_features is None else with_features,
        )

    def _check_memory(self, sources: Sequence[Source]) -> None:
        """Raises `RunError` unless there is room for all images, were all of them as large as they may be."""
        learner = self.learner
        side = round_up(self.config.max_side, learner.network.multiple)
        image = jax.ShapeDtypeStruct((side, side, 3), np.uint8)
        features = jax.eval_shape(learner.network.look, jax.eval_shape(learner.network.init, jax.random.key(0)), image)
        each = 3 * side * side if learner.support_images else 0
        each += 0 if learner.query_images else 2 * sum(x.size for x in features)
        number = sum(len(dataset.ids) for dataset in {id(s.dataset): s.dataset for s in sources}.values())
        labels = 2 * side * side * sum(len(source.dataset.ids) for source in sources)
        remedy = "choose a smaller max_side, or fewer images"
        tell(check_memory({f"features of {number} images": each * number + labels}, remedy))

    def _draw(self, material: Material, rng: np.random.Generator) -> Drawn:
        config = self.config
        tasks = material.source.sample(config.batch_size, rng)
        if config.points == "log":
            points = np.exp(rng.uniform(0, np.log(config.max_points + 1), config.batch_size)).astype(int)
        else:
            points = rng.integers(1, config.max_points + 1, config.batch_size)
        drawn = draw(material, tasks, [int(number) for number in points], config.loss_step, rng)
        if config.positives_only:
            bare = rng.random(config.batch_size) < config.positives_only
            drawn.annotation[bare] = np.where(drawn.annotation[bare] == 0, UNKNOWN, drawn.annotation[bare])
        return drawn


class Validator:
    """Scores a network on the same tasks of a kind, every time."""

    def __init__(self, learner: Learner, material: Material, store: Store) -> None:
        """Draws the tasks.

        Args:
          learner: how episodes are scored.
          material: images of classes that are not trained on.
          store: the same on the device.
        """
        config, rng = learner.config, np.random.default_rng(0)
        self._learner, self._store = learner, store
        self.kind = material.source.kind
        tasks = material.source.sample(config.num_validation_tasks, rng)
        self._parts = [
            draw(material, part, [config.validation_points] * len(part), 1, rng)
            for part in _parts(tasks, config.batch_size)
        ]

    def positive_iu(self, params: Params) -> float:
        """Of all tasks, with parameters of the whole network."""
        return float(self.positive_ius(params, [0.0])[0])

    def positive_ius(self, params: Params, shifts: Sequence[float]) -> npt.NDArray[np.float64]:
        """`positive_iu` were the threshold higher by each of `shifts`."""
        counts = np.zeros((len(shifts), 4), np.int64)
        for drawn in self._parts:
            logits = np.asarray(_predict(self._learner, params, self._store, drawn))
            for scores, target in zip(logits, drawn.target, strict=True):
                counts += count_above(scores, target.astype(np.int16), shifts)
        return iu(counts)


def calibrate(params: Params, validators: Sequence[Validator]) -> Params:
    """Parameters with the threshold of the best mean positive IU in validation."""
    scores = np.mean([validator.positive_ius(params, _SHIFTS) for validator in validators], axis=0)
    head = params["head"]
    return {**params, "head": {**head, "threshold": head["threshold"] + _SHIFTS[int(np.argmax(scores))]}}


def _parts(tasks: Sequence[Task], size: int) -> list[Sequence[Task]]:
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]


def _few_images(source: Source) -> Source:
    ids = source.dataset.ids
    return dataclasses.replace(source, dataset=source.dataset.select(ids[:: max(1, len(ids) // _NUM_FOR_STATISTICS)]))


@functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
def _update(
    learner: Learner, state: TrainState, frozen: Params, store: Store, drawn: Drawn
) -> tuple[TrainState, dict[str, jax.Array]]:
    return learner.update(state, frozen, gather(store, drawn))


@functools.partial(jax.jit, static_argnums=0)
def _predict(learner: Learner, params: Params, store: Store, drawn: Drawn) -> jax.Array:
    """`[M, H, W]` logits."""
    return learner.logits(params, gather(store, drawn))[:, 0]
