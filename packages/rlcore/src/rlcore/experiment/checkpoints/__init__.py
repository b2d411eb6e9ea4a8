"""Checkpoints of a run, in a format of their own; those of version 0.1.0 are read too."""

from rlcore.experiment.checkpoints.store import clean, find, remove, restore, restore_part, save

__all__ = ["clean", "find", "remove", "restore", "restore_part", "save"]
