"""How much of a vector environment's own speed is left where a baseline acts in it.

    uv run packages/baselines/benchmarks/collection.py --benchmark=half-cheetah-vel-v0 --num_tasks=40
    uv run packages/baselines/benchmarks/collection.py --algorithm=promp

Counts environment steps per CPU second, so that what else runs on the machine matters little; both play the same
actions in the same tasks, because what a simulation costs depends on them.
"""

import time
from collections.abc import Callable

import jax
import metarl_envs
import numpy as np
from absl import app, flags
from metarl_baselines import maesn, maml, promp, rl2
from rlcore.experiment import override
from rlcore.meta import MetaLearner, Plan, TrialPlayer
from rlcore.rollout import make_action_scaling

_ALGORITHMS: dict[str, tuple[Callable[..., Plan], Callable[..., MetaLearner]]] = {
    "rl2": (rl2.preset, rl2.RL2Learner),
    "maml-trpo": (maml.preset, maml.MAMLLearner),
    "promp": (promp.preset, promp.MAMLLearner),
    "maesn": (maesn.preset, maesn.MAESNLearner),
}

_ALGORITHM = flags.DEFINE_enum("algorithm", "rl2", list(_ALGORITHMS), "What acts.")
_BENCHMARK = flags.DEFINE_string("benchmark", "half-cheetah-vel-v0", "A family of vector environments.")
_NUM_TASKS = flags.DEFINE_integer("num_tasks", 40, "Side by side.", lower_bound=1)
_NUM_STEPS = flags.DEFINE_integer("num_steps", 400, "Of each task.", lower_bound=1)
_REPEATS = flags.DEFINE_integer("repeats", 3, "Measurements, of which the medians are shown.", lower_bound=1)


def measure(play: Callable[[], object]) -> float:
    """Environment steps per CPU second, the median of some measurements after one that compiles."""
    play()
    rates = []
    for _ in range(_REPEATS.value):
        begin = time.process_time()
        play()
        rates.append(_NUM_TASKS.value * _NUM_STEPS.value / (time.process_time() - begin))
    return float(np.median(rates))


def main(arguments: list[str]) -> None:
    """Measures both and prints them."""
    del arguments
    benchmark = metarl_envs.benchmark(_BENCHMARK.value)
    preset, make_learner = _ALGORITHMS[_ALGORITHM.value]
    config = override(preset("cpu", benchmark).config, [f"num_tasks_per_iteration={_NUM_TASKS.value}"])
    learner = make_learner(config, benchmark)
    agent, ids = learner.init(jax.random.key(0))[0], np.arange(_NUM_TASKS.value)
    choose = learner.collection.choose
    params = learner.params(agent) if choose is None else choose(agent, ids)
    tasks = benchmark.take_train_tasks(ids)
    env = benchmark.family.make_vec(tasks, seed=0)

    def play_alone(actions: np.ndarray) -> None:
        env.reset(seed=0)
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if (terminated | truncated).any():
                env.reset(options={"reset_mask": terminated | truncated})

    with TrialPlayer(benchmark.family) as player:
        policy, key = learner.collection.policy, jax.random.key(1)
        played = player.play(policy, params, tasks, key, num_steps=_NUM_STEPS.value)
        scale = make_action_scaling(benchmark.family.action_space)
        actions = scale(np.asarray(played.trajectory.transition.action))
        alone = measure(lambda: play_alone(actions))
        acted = measure(lambda: player.play(policy, params, tasks, key, num_steps=_NUM_STEPS.value))
    env.close()
    print(f"{benchmark.name}, {_NUM_TASKS.value} tasks: environment steps per CPU second")
    name = _ALGORITHM.value
    print(f"the vector environment alone {alone:.0f}; {name} acting in it {acted:.0f}, {acted / alone:.0%}")


if __name__ == "__main__":
    app.run(main)
