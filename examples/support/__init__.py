"""What the examples share: flags, runs, tables, pictures and films."""
