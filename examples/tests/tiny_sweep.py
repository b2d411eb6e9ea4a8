"""`sweep.py` with the tiny training as one more algorithm."""

import runpy
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[:1] = [str(EXAMPLES), str(Path(__file__).parent)]

    from support.algorithms import ALGORITHMS, Algorithm

    ALGORITHMS["tiny"] = Algorithm("tiny_algorithm", "make_learner", "tests/tiny_training.py")
    sys.argv[0] = str(EXAMPLES / "sweep.py")
    runpy.run_path(sys.argv[0], run_name="__main__")
