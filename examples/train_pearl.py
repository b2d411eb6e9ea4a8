"""Meta-trains PEARL on a benchmark, then shows how it adapts to tasks that it has never seen.

    uv run examples/train_pearl.py                                                  # wide goals, a minute or two
    uv run examples/train_pearl.py --benchmark=point-sparse-v0 --preset=explore     # narrow goals
    uv run examples/train_pearl.py --benchmark=point-image-dense-32-v1 --run_dir=runs/pearl    # pictures, beside MELD
    uv run examples/train_pearl.py --override=latent_size=3 --override=sac.discount=0.95
    uv run examples/train_pearl.py --import=mine --benchmark=mine-v0                # of one's own, in ./mine.py

The same command again goes on where the run stopped. Everything is in --run_dir: config.json, metrics.jsonl,
checkpoints, and at the end adaptation.png and, for navigation, trajectories.png.

Convolutions turn pictures into features, which take the place of the observation: the critic's loss trains them, and
task inference sees them (thesis, section 5.3.4).
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from rlcore.experiment import main
from support.meta_training import define_training

_TRAIN = define_training("pearl", default_benchmark="point-sparse-wide-v0")

if __name__ == "__main__":
    main(_TRAIN)
