"""Meta-trains MELD from images, then shows how it adapts to tasks that it has never seen.

    uv run examples/train_meld.py                                                       # 2-D navigation, dense reward
    uv run examples/train_meld.py --benchmark=point-image-sparse-32-v1 \
        --first_stage=runs/point-image-dense-32-v1-cpu-0                                # then sparse reward
    uv run examples/train_meld.py --benchmark=half-cheetah-vel-image-v0                 # MuJoCo, from a camera
    uv run examples/train_meld.py --override=model.reward_evidence=false                # SLAC: no task inference

The same command again goes on where the run stopped. Everything is in --run_dir: config.json, metrics.jsonl,
checkpoints, and at the end adaptation.png, belief.png and, for navigation, trajectories.png.

With sparse reward it takes two stages (thesis, appendix D.3): --first_stage is a finished run on the same tasks with
dense reward, whose trials and whose model the second stage starts from.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from typing import Any

import meld_jax
from absl import flags
from metarl_envs import Benchmark
from rlcore.experiment import main
from support.meta_training import define_training

_FIRST_STAGE = flags.DEFINE_string("first_stage", None, "Run directory of a first stage with dense reward.")


def load_first_stage(config: meld_jax.MeldConfig, benchmark: Benchmark) -> dict[str, Any]:
    """What training takes besides, where the user named a first stage."""
    if not _FIRST_STAGE.value:
        return {}
    return {"first_stage": meld_jax.load_first_stage(_FIRST_STAGE.value, config, benchmark)}


_TRAIN = define_training("meld", default_benchmark="point-image-dense-32-v1", make_parts=load_first_stage)

if __name__ == "__main__":
    main(_TRAIN)
