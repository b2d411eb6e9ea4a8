"""Data sets where a user has them, in their on-disk formats."""
