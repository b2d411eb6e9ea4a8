"""Numpy in, masks out: images that are encoded once, exact guidance, and what a user annotates."""
