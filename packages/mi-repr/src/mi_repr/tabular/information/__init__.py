"""Objectives and what they lose: values, conditions, margins, and the arithmetic below."""
