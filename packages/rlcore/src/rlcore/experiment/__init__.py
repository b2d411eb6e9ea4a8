"""What goes around training: run directories, exact resume, metrics, progress, configs and flags."""

from rlcore.experiment.checks import check_at_least, check_choice, check_positive, check_rate, check_seed, check_types
from rlcore.experiment.compilation_cache import enable_compilation_cache
from rlcore.experiment.config import difference, from_dict, override, to_dict
from rlcore.experiment.directory import load_config, package_versions
from rlcore.experiment.errors import NonFiniteError, RunError
from rlcore.experiment.flags import TrainingFlags, define_training_flags, get_run_dir, main, output_path, user_errors
from rlcore.experiment.memory import check_memory, num_bytes
from rlcore.experiment.reading import latest_iteration, restore_latest, restore_part
from rlcore.experiment.reporting.metrics import read_metrics
from rlcore.experiment.reporting.screen import tell
from rlcore.experiment.reporting.trackers import TRACKERS
from rlcore.experiment.run import Run

__all__ = [
    "TRACKERS",
    "NonFiniteError",
    "Run",
    "RunError",
    "TrainingFlags",
    "check_at_least",
    "check_choice",
    "check_memory",
    "check_positive",
    "check_rate",
    "check_seed",
    "check_types",
    "define_training_flags",
    "difference",
    "enable_compilation_cache",
    "from_dict",
    "get_run_dir",
    "latest_iteration",
    "load_config",
    "main",
    "num_bytes",
    "output_path",
    "override",
    "package_versions",
    "read_metrics",
    "restore_latest",
    "restore_part",
    "tell",
    "to_dict",
    "user_errors",
]
