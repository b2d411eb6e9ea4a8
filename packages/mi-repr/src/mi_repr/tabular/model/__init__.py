"""Finite MDPs: their fields, the forms that people have them in, files, and examples."""
