"""Data sets in their on-disk formats, episodes, metrics, and a benchmark that a plain installation can build."""
