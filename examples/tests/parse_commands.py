"""Parses commands of an example with its own flags, and makes of those of trainers what they would train.

Arguments: the example, and a file of JSON with the flags of each command. What is wrong with one is printed.
"""

import json
import runpy
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1]
sys.path[0] = str(EXAMPLES)

import metarl_envs  # noqa: E402
from absl import flags  # noqa: E402
from rlcore.experiment import override  # noqa: E402
from support.algorithms import ALGORITHMS  # noqa: E402
from support.variants.plans import plan_variants  # noqa: E402

FLAGS = flags.FLAGS


def check_trainer(algorithm: str) -> None:
    benchmark = metarl_envs.benchmark(FLAGS.benchmark)
    config = ALGORITHMS[algorithm].import_package().preset(FLAGS.preset, benchmark).config
    ALGORITHMS[algorithm].make_learner(override(config, FLAGS.override), benchmark)


def check_ablations() -> None:
    options = {"preset": FLAGS.preset, "overrides": FLAGS.override, "num_iterations": FLAGS.num_iterations}
    (name,) = FLAGS.variants
    benchmark = {"pearl": "half-cheetah-vel-v0", "meld": "point-image-dense-32-v1"}[FLAGS.algorithm]
    plan_variants(FLAGS.algorithm, [name], benchmark_name=benchmark, **options)


CHECKS = {
    "train_pearl.py": lambda: check_trainer("pearl"),
    "train_meld.py": lambda: check_trainer("meld"),
    "ablations.py": check_ablations,
}

if __name__ == "__main__":
    example, file = sys.argv[1:]
    runpy.run_path(str(EXAMPLES / example), run_name="example")
    for command in json.loads(Path(file).read_text()):
        FLAGS.unparse_flags()
        try:
            rest = FLAGS([example, *command])[1:]
            if rest:
                raise ValueError(f"unexpected {rest}")
            CHECKS.get(example, lambda: None)()
        except (flags.Error, ValueError) as error:
            print(f"{command}: {error}")
