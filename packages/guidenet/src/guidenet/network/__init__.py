"""Guided networks as functions of their parameters: their options, parts, weights and files."""
