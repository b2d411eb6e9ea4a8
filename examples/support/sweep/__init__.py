"""Sweeps: a training for each combination of values and each seed."""
