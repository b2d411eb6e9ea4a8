"""Films how a trained PEARL, MELD or baseline adapts to test tasks, which are rows.

    uv run examples/record_video.py --run_dir=runs/half-cheetah-vel-v0-cpu-0
    uv run examples/record_video.py --run_dir=runs/ant-goal-v0-cpu-0 --num_tasks=2 --output=ant.webp --fps=20
    uv run examples/record_video.py --run_dir=runs/point-image-dense-32-v1-cpu-0 --num_tasks=4
    uv run examples/record_video.py --import=mine --run_dir=runs/mine-v0-cpu-0

PEARL's episodes of a trial are side by side. MELD's follow one another: what it observes, by all of its cameras, what
its belief reconstructs of it, and below the training reward, true and predicted. It needs no display.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from absl import flags
from rlcore.experiment import check_seed, main, output_path, user_errors
from support.films import FilmOptions, write_film
from support.runs import check_sizes, define_import_flag, import_modules, load_run

_RUN_DIR = flags.DEFINE_string("run_dir", None, "The run directory that training wrote.", required=True)
_NUM_TASKS = flags.DEFINE_integer(
    "num_tasks", None, "Test tasks, evenly spread over all; by default 3, or all if there are fewer.", lower_bound=1
)
_NUM_EPISODES = flags.DEFINE_integer(
    "num_episodes",
    None,
    "Episodes of a trial: by default 3; for those that take gradient steps the first, and the first "
    "after each; for MELD as many as it was trained on, which is the most.",
    lower_bound=1,
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the trials.", lower_bound=0)
_EVERY = flags.DEFINE_integer(
    "every", None, "Steps from frame to frame, by default for about 50 frames.", lower_bound=1
)
_FPS = flags.DEFINE_integer("fps", 10, "Frames per second of the film.", lower_bound=1, upper_bound=50)
_OUTPUT = flags.DEFINE_string(
    "output", None, "The film, .gif or .webp, by default adaptation.gif in the run directory."
)
_SHEET = flags.DEFINE_string("sheet", None, "A .png of some of its frames, by default next to the film.")
_OVERRIDE = flags.DEFINE_multi_string(
    "override", [], "A test option of the config, such as num_test_prior_episodes=5 or deterministic_test=false."
)
_IMPORT = define_import_flag()


def record() -> None:
    """Plays the trials and films them."""
    import_modules(_IMPORT.value)
    with user_errors():
        check_seed(_SEED.value)
        algorithm, trained = load_run(_RUN_DIR.value, _OVERRIDE.value)
        check_sizes(algorithm, trained, _NUM_TASKS.value, _NUM_EPISODES.value)
        options = FilmOptions(_NUM_TASKS.value, _NUM_EPISODES.value, _EVERY.value, _SEED.value)
        shoot = algorithm.import_helper("film").prepare(trained, options)
        output = output_path("output", _OUTPUT.value or f"{_RUN_DIR.value}/adaptation.gif", (".gif", ".webp"))
        sheet = output_path("sheet", _SHEET.value or output.with_name(f"{output.stem}_sheet.png"), (".png",))
    write_film(shoot(), output, sheet, _FPS.value)
    print(f"film: {output}, some of its frames: {sheet}")


if __name__ == "__main__":
    main(record)
