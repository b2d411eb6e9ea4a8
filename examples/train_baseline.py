"""Meta-trains what PEARL and MELD are compared with, then shows how it adapts to tasks that it has never seen.

    uv run examples/train_baseline.py                                                     # RL2, wide goals
    uv run examples/train_baseline.py --benchmark=point-image-dense-32-v1                 # from pictures, beside MELD
    uv run --extra mujoco examples/train_baseline.py --algorithm=rl2 --benchmark=half-cheetah-vel-v0
    uv run examples/train_baseline.py --algorithm=recurrent-sac                           # off-policy, two memories
    uv run examples/train_baseline.py --algorithm=recurrent-sac --override=memory=shared --run_dir=runs/shared
    uv run examples/train_baseline.py --algorithm=varibad                                 # a belief about the task
    uv run examples/train_baseline.py --algorithm=maml-trpo                               # or promp, or maesn
    uv run examples/train_baseline.py --benchmark=point-sparse-v0 --preset=explore        # narrow goals
    uv run examples/train_baseline.py --override=credit=episode --run_dir=runs/myopic     # no credit between episodes
    uv run examples/train_baseline.py --import=mine --benchmark=mine-v0                   # of one's own, in ./mine.py

The same command again goes on where the run stopped. Everything is in --run_dir: config.json, metrics.jsonl,
checkpoints, and at the end adaptation.png and, for navigation, trajectories.png.

RL2, MAML-TRPO, ProMP and MAESN learn on-policy, from what they have just played: many environment steps, few updates.
Recurrent SAC and VariBAD replay whole trials off-policy: few environment steps, and many updates. RL2 and these two
adapt at every step, the others take a gradient step after as many episodes as their config says; the table at the end
tells how many an episode was adapted to.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from rlcore.experiment import main
from support.meta_training import define_training

_ALGORITHMS = ["rl2", "recurrent-sac", "varibad", "maml-trpo", "promp", "maesn"]
_TRAIN = define_training(_ALGORITHMS, default_benchmark="point-sparse-wide-v0")

if __name__ == "__main__":
    main(_TRAIN)
