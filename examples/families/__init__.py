"""Families of tasks to copy and change; `--import=families.NAME` registers one."""
