"""The one meta-training loop, with a learner that is nothing like PEARL: a plain policy gradient, on-policy."""

import json
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from rlcore import meta
from rlcore.experiment import NonFiniteError, Run, RunError
from rlcore.rollout import find_ends

HORIZON, NUM_TRAIN = 4, 8


class Cue:
    """A probe: 1 for the action that a cue asks for. obs: the cue, -1 or 1.

    Where the task is positive an episode is a step; else it is two, and what the first one earns is paid at the end.
    """

    def initial(self, rng, params):
        del params
        return jnp.stack([jax.random.rademacher(rng, (), jnp.float32), jnp.zeros(()), jnp.zeros(())])

    def transition(self, state, action, rng, params):
        del params
        return jnp.stack([jax.random.rademacher(rng, (), jnp.float32), state[1] + 1, (2.0 * action - 1) * state[0]])

    def observation(self, state, rng, params):
        del rng, params
        return state[:1]

    def reward(self, state, action, next_state, rng, params):
        del action, rng
        at_the_end = jnp.where(state[1] == 1, state[2], 0.0)  # the second step is paid nothing of its own
        return jnp.where(params > 0, next_state[2], at_the_end)

    def terminal(self, state, rng, params):
        del rng
        return state[1] >= jnp.where(params > 0, 1, 2)

    def transition_info(self, state, action, next_state, params):
        del state, action, next_state, params
        return {}


class Space:
    def sample(self):
        return np.zeros(1, np.float32)


class Family:
    horizon, functional = HORIZON, Cue()
    observation_space = action_space = Space()

    def ease(self, tasks, difficulty):
        del difficulty
        return tasks


class Benchmark:
    """Tasks of value 1 last one step, of value -1 two."""

    name, family, num_train_tasks, num_test_tasks = "cue", Family(), NUM_TRAIN, 2

    def take_train_tasks(self, ids):
        return np.where(ids % 2, 1.0, -1.0).astype(np.float32)

    take_test_tasks = take_train_tasks


class Reinforce:
    """Acts by a linear softmax policy: a `MetaPolicy` without a memory."""

    def begin_trial(self, params, key, num_tasks):
        del params, key
        return jnp.zeros(num_tasks)

    def begin_episode(self, params, memory, key):
        del params, key
        return memory

    def act(self, params, memory, obs, key):
        return jax.random.categorical(key, logits(params, obs)), memory

    def observe(self, params, memory, transition):
        del params, transition
        return memory


def logits(params, obs):
    return obs @ params["kernel"] + jnp.broadcast_to(params["bias"], (*obs.shape[:-1], 2))


class PolicyGradient:
    """The whole learner: what was collected last is what it learns from (Williams, 1992)."""

    test_params_name, signals, num_updates, update_bytes, first = ".agent.params", {}, 1, 0, None
    memory_advice = "collect less"

    def __init__(self, learning_rate=0.3):
        self.optimiser, policy = optax.sgd(learning_rate), Reinforce()
        self.collection = meta.Collection(policy, num_steps=16, num_tasks=6)
        self.testing = meta.Testing(policy, num_episodes=3, num_trials=5, every=2)

    def init(self, key):
        del key
        params = {"kernel": jnp.zeros((1, 2)), "bias": jnp.zeros(2)}
        empty = jnp.zeros((16, 6))
        data = {"obs": empty[..., None], "action": empty.astype(jnp.int32), "to_go": empty}
        return {"params": params, "optimiser": self.optimiser.init(params)}, data

    def params(self, agent):
        return agent["params"]

    test_params = params

    def difficulty(self, iteration):
        return iteration / 10

    def store(self, data, ids, visit, *, first):
        assert not first
        transition, ends = visit.trajectory.transition, find_ends(visit.trajectory)

        def earn(to_go, step):  # from the last step to the first; a border of episodes keeps nothing
            reward, ended = step
            to_go = reward + jnp.where(ended, 0.0, to_go)
            return to_go, to_go

        _, to_go = jax.lax.scan(earn, jnp.zeros(6), (transition.reward, ends), reverse=True)
        return {"obs": transition.obs, "action": transition.action, "to_go": to_go}, visit.num_steps

    def begin(self, agent, data, key, run):
        del data, key, run
        return agent, {}

    @partial(jax.jit, static_argnums=0)
    def update(self, agent, data, key):
        del key

        def loss(params):
            log_prob = jnp.take_along_axis(
                jax.nn.log_softmax(logits(params, data["obs"])), data["action"][..., None], -1
            )
            return -jnp.mean(log_prob[..., 0] * data["to_go"])

        value, grads = jax.value_and_grad(loss)(agent["params"])
        updates, optimiser = self.optimiser.update(grads, agent["optimiser"])
        return {"params": optax.apply_updates(agent["params"], updates), "optimiser": optimiser}, {"loss/actor": value}


def train(run_dir, num_iterations, learner=None):
    run = Run.open(run_dir, {})
    return meta.meta_train(learner or PolicyGradient(), Benchmark(), run, seed=0, num_iterations=num_iterations)


def metrics_of(run_dir):
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]


def test_a_policy_gradient_learns_the_probe_through_the_loop(tmp_path):
    state = train(tmp_path / "run", 60)
    assert int(state.env_steps) == int(state.rows) == 60 * 6 * 16
    last = metrics_of(tmp_path / "run")[-1]
    assert last["train/difficulty"] == 6.0
    assert last["test/return_1"] > 0.8  # of 1
    assert "test/success" not in last
    kernel = state.agent["params"]["kernel"][0]
    assert kernel[1] - kernel[0] > 1


def test_parts_equal_the_whole_to_the_bit(tmp_path):
    whole = train(tmp_path / "whole", 6)
    train(tmp_path / "parts", 3)
    parts = train(tmp_path / "parts", 6)
    for one, other in zip(jax.tree.leaves(whole), jax.tree.leaves(parts), strict=True):
        one, other = (
            jax.random.key_data(leaf) if leaf is whole.key or leaf is parts.key else leaf for leaf in (one, other)
        )
        np.testing.assert_array_equal(one, other)
    assert metrics_of(tmp_path / "parts") == metrics_of(tmp_path / "whole")
    assert [row["iteration"] for row in metrics_of(tmp_path / "whole") if "test/return" in row] == [2, 4, 6]


def test_an_agent_that_diverges_is_named_before_it_is_tested(tmp_path):
    with pytest.raises(NonFiniteError, match=r"params/norm"):
        train(tmp_path / "run", 4, PolicyGradient(learning_rate=float("inf")))
    assert metrics_of(tmp_path / "run") == []


def test_a_run_that_does_not_fit_into_memory_is_refused_before_anything_is_made(tmp_path):
    class Huge(PolicyGradient):
        def init(self, key):
            agent, data = super().init(key)
            return agent, {**data, "reward": jnp.zeros((2**20, 2**20, 2**20), jnp.float32)}

    with pytest.raises(RunError, match="does not fit into memory"):
        train(tmp_path / "run", 1, Huge())
    train(tmp_path / "run", 1)  # the directory is free


class Recurrent(Reinforce):
    """Remembers what it saw in a recurrent state, and where episodes began."""

    class Memory(NamedTuple):
        state: jax.Array
        episode: jax.Array

    def begin_trial(self, params, key, num_tasks):
        return self.Memory(jnp.zeros((num_tasks, 3)), jnp.zeros(num_tasks))

    def begin_episode(self, params, memory, key):
        return memory._replace(episode=memory.episode + 1)

    def act(self, params, memory, obs, key):
        return jnp.sum(memory.state, axis=-1) + 10 * memory.episode, memory

    def observe(self, params, memory, transition):
        seen = jnp.concatenate([transition.obs, transition.action[:, None] / 10, transition.reward[:, None]], axis=-1)
        return memory._replace(state=jnp.tanh(memory.state @ params["kernel"] + seen))


class ByHost(Family):
    """The same cues as a vector environment, one of them each."""

    functional = None

    def make_vec(self, tasks, seed):
        return VectorCue(tasks)


class VectorCue:
    metadata, single_action_space = {"autoreset_mode": "DISABLED"}, None

    def __init__(self, tasks):
        self.tasks, self.num_envs = tasks, len(tasks)

    def reset(self, *, seed=None, options=None):
        if seed is not None:
            self.rng, self.state = np.random.default_rng(seed), np.zeros((self.num_envs, 2), np.float32)
        mask = np.ones(self.num_envs, bool) if options is None else options["reset_mask"]
        self.state[mask] = np.stack([self.rng.choice([-1, 1], mask.sum()), np.zeros(mask.sum())], axis=1)
        return self.state[:, :1], {}

    def step(self, actions):
        reward = np.sin(actions) * self.state[:, 0]
        self.state[:, 1] += 1
        ended = self.state[:, 1] >= np.where(self.tasks > 0, 1, 2)
        return self.state[:, :1], reward, ended, np.zeros_like(ended), {}

    def close(self):
        pass


@pytest.mark.parametrize("family", [Family(), ByHost()], ids=["functional", "host"])
def test_a_recurrent_memory_equals_a_scan_over_the_stored_trial(family):
    """What the policy did tells its memory; the trial as it is stored gives the same one."""
    params = {"kernel": jax.random.normal(jax.random.key(1), (3, 3))}
    tasks = np.asarray([1.0, -1.0, 1.0], np.float32)
    with meta.TrialPlayer(family) as player:
        visit = player.play(Recurrent(), params, tasks, jax.random.key(0), num_steps=11)
    obs, action, reward, _, _ = visit.trajectory.transition

    def step(state, seen):
        obs, action, reward, episode = seen
        expected = jnp.sum(state, axis=-1) + 10 * (episode + 1)
        seen = jnp.concatenate([obs, action[:, None] / 10, reward[:, None]], axis=-1)
        return jnp.tanh(state @ params["kernel"] + seen), expected

    _, expected = jax.lax.scan(step, jnp.zeros((3, 3)), (obs, action, reward, jnp.asarray(visit.episode, jnp.float32)))
    np.testing.assert_allclose(action, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(visit.episode)[-1], [10, 5, 10])
