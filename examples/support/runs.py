"""What several examples check of their flags."""

from metarl_envs import Benchmark


def check_num_tasks(num_tasks: int, benchmark: Benchmark) -> None:
    """Raises ValueError where a benchmark has fewer test tasks."""
    if num_tasks > benchmark.num_test_tasks:
        raise ValueError(f"num_tasks must be at most {benchmark.num_test_tasks} for {benchmark.name}, got {num_tasks}")
