"""Episodic training of guided networks (thesis 4.3.3, B.1); needs the extra `train`."""

from guidenet.data.material import Material, load_material
from guidenet.training.config import OptimiserConfig, TrainingConfig, training_preset
from guidenet.training.experiment import Experiment
from guidenet.training.learner import Batch, Learner, TrainState
from guidenet.training.run import Options, Training, set_up

__all__ = [
    "Batch",
    "Experiment",
    "Learner",
    "Material",
    "OptimiserConfig",
    "Options",
    "TrainState",
    "Training",
    "TrainingConfig",
    "load_material",
    "set_up",
    "training_preset",
]
