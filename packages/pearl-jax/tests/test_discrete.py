"""Actions that are choices: seen one-hot by the encoder, and numbered as the environment numbers them."""

import dataclasses

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium import spaces
from metarl_envs import Benchmark, from_gymnasium
from pearl_jax import load, open_run, preset, train
from pearl_jax.learner import PearlLearner
from pearl_jax.presets import PRESETS

LENGTH, HORIZON = 5, 4
LEFT, STAY, RIGHT = 3, 4, 5


class Corridor(gymnasium.Env):
    """Five cells, begun in the middle one; each step earns how far to the side that the task names, from -1 to 1."""

    observation_space = spaces.Box(0, 1, (LENGTH,), np.float32)
    action_space = spaces.Discrete(3, start=LEFT)

    def __init__(self, side):
        self.side = side

    def _look(self):
        return np.eye(LENGTH, dtype=np.float32)[self.cell]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = LENGTH // 2
        return self._look(), {}

    def step(self, action):
        assert action in (LEFT, STAY, RIGHT)
        self.cell = int(np.clip(self.cell + action - STAY, 0, LENGTH - 1))
        middle = LENGTH // 2
        return self._look(), self.side * (self.cell - middle) / middle, False, False, {}


def make_benchmark():
    sides = [-1, 1]
    return Benchmark("corridor", from_gymnasium(Corridor, sides, horizon=HORIZON), sides, sides)


def make_config():
    config = preset("tiny", make_benchmark()).config
    return dataclasses.replace(config, context_size=16, num_hypotheses=16, num_updates=300)


def test_the_first_episode_tells_which_way_to_go(tmp_path):
    config, bench = make_config(), make_benchmark()
    run = open_run(tmp_path / "run", config, bench, seed=0)
    train(config, bench, run, seed=0, num_iterations=4)
    trained = load(tmp_path / "run", benchmark=bench)
    returns = np.mean([trained.play(num_episodes=3, seed=i).by_episode(3, HORIZON).returns() for i in range(5)], axis=0)
    assert returns[:, 1].min() > 1.5, (
        returns
    )  # at most 3.5; who always goes the same way has it in one, and loses it in the other
    assert returns[:, 0].mean() < 1, returns
    player, env = trained.player(), Corridor(1)
    obs, _ = env.reset()
    for _ in range(HORIZON):
        action = player.act(obs)
        assert env.action_space.contains(action)
        obs, reward, *_ = env.step(action)
        player.observe(obs, reward, False, False)


def test_the_encoder_sees_choices_one_hot():
    agent = PearlLearner(make_config(), make_benchmark()).agent
    rows = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (2, 3, *leaf.shape)), agent.example_row())
    rows = rows._replace(action=jnp.asarray([[0, 1, 2], [2, 1, 0]], jnp.int32))
    seen = agent.inference.see(agent.init(jax.random.key(0)).learner.params.representation, rows)
    np.testing.assert_array_equal(seen[..., LENGTH : LENGTH + 3], np.eye(3)[np.asarray(rows.action)])


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_takes_choices(name):
    PearlLearner(preset(name, make_benchmark()).config, make_benchmark())
