"""Trains an encoder on what a gymnasium environment draws, and says what can be read back from its features.

    uv run --extra pygame examples/pretrain_on_gymnasium.py
    uv run --extra pygame examples/pretrain_on_gymnasium.py --objective=inv --num_steps=10000
    uv run --extra pygame examples/pretrain_on_gymnasium.py --env_id=MountainCar-v0 --override=pretrain.num_updates=500

A uniformly random policy plays. A linear probe then reads the environment's own observation from the features of single
frames that training did not see, beside an encoder that nothing trained. The same command again goes on where it
stopped. Metrics and checkpoints are in --run_dir.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

import dataclasses
import math
from pathlib import Path

import numpy as np
from absl import flags
from mi_repr import deep
from rlcore.experiment import enable_compilation_cache, main, override, tell, user_errors
from support.gymnasium_frames import STATES, Recorded, make_env, record

_ENV_ID = flags.DEFINE_string("env_id", "CartPole-v1", "The environment; its actions must be discrete.")
_OBJECTIVE = flags.DEFINE_enum(
    "objective",
    "fwd",
    list(deep.OBJECTIVES),
    "What trains the encoder: " + "; ".join(f"{name}, {one.description}" for name, one in deep.OBJECTIVES.items()),
)
_NUM_STEPS = flags.DEFINE_integer("num_steps", 20_000, "Frames to train on and to probe.", lower_bound=200)
_SIZE = flags.DEFINE_integer("size", 64, "Pixels a side of the images, as means over areas.", lower_bound=8)
_SEED = flags.DEFINE_integer("seed", 0, "The seed of all randomness.", lower_bound=0)
_RUN_DIR = flags.DEFINE_string(
    "run_dir",
    None,
    "Where metrics and checkpoints go; what is there already goes on. By default runs/<env_id>-<objective>-<seed>.",
)
_OVERRIDE = flags.DEFINE_multi_string(
    "override", [], "An option, as encoder.name=value or pretrain.name=value; may be given many times."
)

_TESTED_SHARE = 0.2
"""Of the frames, the last: the probe is fitted to the others."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What `--override` changes."""

    encoder: deep.EncoderConfig
    pretrain: deep.PretrainConfig


def print_probes(env_id: str, recorded: Recorded, pretrained: deep.Pretrained) -> None:
    """Prints how far a linear probe is off, of the trained and of the untrained encoder."""
    episode = np.cumsum(recorded.episode_ends) - recorded.episode_ends
    tested = episode >= episode[int((1 - _TESTED_SHARE) * len(episode))]
    size = recorded.observations.shape[1]
    names = STATES.get(env_id, [f"observation {i}" for i in range(size)])
    if size > 32:
        print(f"no probe: the observation of {env_id} has {size} numbers")
        return
    if tested.all():
        print("no probe: it needs an episode to be fitted to and one to be tested on")
        return
    tell("probing")
    encoders = {pretrained.objective: pretrained.encoder, "untrained": pretrained.untrained}
    columns = [
        deep.linear_probe(encoder.encode(recorded.frames), recorded.observations, tested)
        for encoder in encoders.values()
    ]
    print("what a linear probe reads back: error over chance, 0 is exact, 1 is chance")
    print(f"{'':24}" + "".join(f"{name:>16}" for name in encoders))
    for name, *errors in zip(names, *columns, strict=True):
        print(f"{name:24}" + "".join(f"{error:16.3f}" for error in errors))
    print("Velocities cannot be seen in one frame, and an encoder sees one.")


def run() -> None:
    """Plays, trains, probes."""
    with user_errors():
        made = deep.OBJECTIVES[_OBJECTIVE.value]
        default = Options(deep.EncoderConfig(**made.encoder), deep.PretrainConfig(**made.pretrain))
        options = override(default, _OVERRIDE.value)
        made.check(options.encoder, options.pretrain)
        env = make_env(_ENV_ID.value)
        recorded = record(env, _NUM_STEPS.value, _SIZE.value, options.pretrain.window_size, _SEED.value)
    run_dir = _RUN_DIR.value or f"runs/{_ENV_ID.value.replace('/', '-')}-{_OBJECTIVE.value}-{_SEED.value}"
    enable_compilation_cache()
    tell(f"training: {len(recorded.frames)} frames of {recorded.episode_ends.sum()} episodes")
    with user_errors():  # what does not fit the recording is said before anything is computed
        pretrained = deep.pretrain(
            recorded.frames,
            recorded.actions,
            _OBJECTIVE.value,
            episode_ends=recorded.episode_ends,
            num_actions=recorded.num_actions,
            encoder=options.encoder,
            config=options.pretrain,
            seed=_SEED.value,
            run_dir=Path(run_dir).expanduser(),
        )
    print(f"{_ENV_ID.value}, {_OBJECTIVE.value}, seed {_SEED.value}")
    if pretrained.information is not None:
        print(f"information on frames kept back: at least {pretrained.information / math.log(2):.2f} bits")
    print_probes(_ENV_ID.value, recorded, pretrained)


if __name__ == "__main__":
    main(run)
