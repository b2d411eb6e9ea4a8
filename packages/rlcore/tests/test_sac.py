"""SAC's gradients, options, and its many-steps dispatch, on small random batches."""

import dataclasses
import functools
import math

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from rlcore.networks import EnsembleMLP, TanhNormalPolicy
from rlcore.representation import EndToEnd, RepresentationOutput
from rlcore.sac import SAC, ContinuousHead, DiscreteHead, SACConfig, SACParams, make_optimiser
from rlcore.types import Transition
from rlcore.updates import make_update_many

B, OBS_SIZE, ACTION_SIZE, NUM_ACTIONS = 8, 3, 2, 3
BASE = SACConfig(hidden_sizes=(8,))


def make_batch(discrete=False, leading=(B,)):
    rng = np.random.default_rng(0)
    action = rng.integers(0, NUM_ACTIONS, leading) if discrete else rng.uniform(-0.9, 0.9, (*leading, ACTION_SIZE))
    return Transition(
        obs=jnp.asarray(rng.normal(size=(*leading, OBS_SIZE)), jnp.float32),
        action=jnp.asarray(action, jnp.int32 if discrete else jnp.float32),
        reward=jnp.asarray(rng.normal(size=leading), jnp.float32),
        discount=jnp.asarray(rng.integers(0, 2, leading), jnp.float32),
        next_obs=jnp.asarray(rng.normal(size=(*leading, OBS_SIZE)), jnp.float32),
    )


@functools.cache
def agent(config, discrete=False):
    """SAC and its first state."""
    sac = SAC(config, DiscreteHead(config, NUM_ACTIONS) if discrete else ContinuousHead(config, ACTION_SIZE))
    return sac, sac.init(jax.random.key(0), make_batch(discrete))


@functools.cache
def updated(config, discrete=False):
    """The state before one update, after it, and the metrics. Not jitted: configs share the compiled operations."""
    sac, state = agent(config, discrete)
    return state, *sac.update(state, make_batch(discrete), jax.random.key(1))


def option(**changes):
    return dataclasses.replace(BASE, **changes)


def is_zero(tree):
    return not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(tree))


def max_move(before, after):
    """The largest change of a number, 0 of nothing."""
    return max(jax.tree.leaves(jax.tree.map(lambda a, b: float(np.abs(b - a).max()), before, after)), default=0.0)


# Which loss trains what.


def gradients_of(sac, state, batch):
    """For every metric, and the total as "total": gradients with respect to (params, target), and values."""

    def terms(params, target):
        total, metrics = sac.loss(params, target, batch, jax.random.key(1))
        return {"total": total, **metrics}

    values, pull_back = jax.vjp(terms, state.params, state.target)
    return {name: pull_back({other: jnp.full((), float(other == name)) for other in values}) for name in values}, values


def trained_groups(gradient: SACParams):
    return {name for name, group in gradient._asdict().items() if not is_zero(group)}


@pytest.mark.parametrize("discrete", [False, True], ids=["continuous", "discrete"])
@pytest.mark.parametrize("value_network", [False, True], ids=["target_critics", "value_network"])
def test_each_loss_trains_only_what_it_should(discrete, value_network):
    config = option(value_network=value_network)
    head = DiscreteHead(config, NUM_ACTIONS) if discrete else ContinuousHead(config, ACTION_SIZE)
    sac, batch = SAC(config, head, EndToEnd(nn.Dense(OBS_SIZE))), make_batch(discrete)
    state = sac.init(jax.random.key(0), batch)
    gradients, values = gradients_of(sac, state, batch)

    assert trained_groups(gradients["loss/critic"][0]) == {"critics", "representation"}
    assert trained_groups(gradients["loss/actor"][0]) == {"actor"}
    if value_network:
        assert trained_groups(gradients["loss/value"][0]) == {"value"}
    assert all(is_zero(target) for _, target in gradients.values())

    total = gradients["total"][0]
    chex.assert_trees_all_close(total.actor, gradients["loss/actor"][0].actor, rtol=1e-5)
    chex.assert_trees_all_close(total.critics, gradients["loss/critic"][0].critics, rtol=1e-5)
    chex.assert_trees_all_close(total.representation, gradients["loss/critic"][0].representation, rtol=1e-5)
    excess = values["policy/entropy"] - head.target_entropy
    np.testing.assert_allclose(total.log_temperature, values["policy/temperature"] * excess, rtol=1e-4)


class OwnActor(nn.Module):
    """From a tree of two observations to a policy."""

    @nn.compact
    def __call__(self, obs):
        return TanhNormalPolicy((4,), ACTION_SIZE)(jnp.concatenate([obs["one"], nn.Dense(2)(obs["other"])], -1))


class OwnCritics(nn.Module):
    """The same to critics of actions."""

    @nn.compact
    def __call__(self, obs, action):
        return EnsembleMLP(3, (4,), 1)(obs["one"], nn.Dense(2)(obs["other"]), action)


class Trees:
    """Makes trees of observations."""

    def init(self, key, example):
        del key, example
        return {}

    def apply(self, params, batch, key):
        del params, key
        obs, next_obs = ({"one": leaf, "other": 2 * leaf} for leaf in (batch.obs, batch.next_obs))
        return RepresentationOutput(obs, next_obs, jnp.zeros(()), {})


def test_networks_of_ones_own_take_trees_and_each_loss_trains_its_own():
    sac = SAC(option(tau=0.25), ContinuousHead(BASE, ACTION_SIZE, OwnActor(), OwnCritics()), Trees())
    batch = make_batch(leading=(2, B))
    state = sac.init(jax.random.key(0), batch)
    gradients, _ = gradients_of(sac, state, batch)
    for name, group in (("loss/critic", "critics"), ("loss/actor", "actor")):
        assert trained_groups(gradients[name][0]) == {group}
        assert all(np.asarray(leaf).any() for leaf in jax.tree.leaves(getattr(gradients[name][0], group)))
    chex.assert_trees_all_equal(state.target, state.params.critics)  # the parts of one's own too
    after, metrics = sac.update(state, batch, jax.random.key(1))
    mixed = jax.tree.map(lambda new, old: 0.25 * new + 0.75 * old, after.params.critics, state.target)
    chex.assert_trees_all_close(after.target, mixed, rtol=1e-6, atol=1e-7)
    chex.assert_tree_all_finite((after, metrics))
    obs = sac.representation.apply({}, batch, jax.random.key(2)).obs
    assert sac.act(after.params, obs, jax.random.key(3)).shape == (2, B, ACTION_SIZE)


class Probing:
    """A representation with parameters for each of the things that it makes."""

    def __init__(self, weight):
        self.weight = weight

    def init(self, key, example):
        del key, example
        return {"obs": jnp.ones(()), "next_obs": jnp.ones(()), "loss": jnp.full((), 3.0)}

    def apply(self, params, batch, key):
        del key
        loss = params["loss"] ** 2
        metrics = {"probing/loss": loss}
        return RepresentationOutput(
            params["obs"] * batch.obs, params["next_obs"] * batch.next_obs, loss, metrics, self.weight
        )


def test_representation_learns_from_its_own_loss_and_not_through_the_next_observation():
    batch = make_batch()
    sac = SAC(BASE, ContinuousHead(BASE, ACTION_SIZE), Probing(None))
    state = sac.init(jax.random.key(0), batch)
    gradients, values = gradients_of(sac, state, batch)
    total = gradients["total"][0].representation
    assert total["next_obs"] == 0
    assert total["obs"] != 0
    np.testing.assert_allclose(total["loss"], 6.0)
    np.testing.assert_allclose(values["probing/loss"], 9.0)


@pytest.mark.parametrize("value_network", [False, True], ids=["target_critics", "value_network"])
def test_weights_of_the_representation_count_samples_in_every_loss(value_network):
    config, batch = option(value_network=value_network, discount=0.0, mean_coef=1.0), make_batch(leading=(2, B))
    terms = []
    for weight in (None, jnp.asarray([[2.0], [0.0]]), jnp.zeros((2, B))):
        sac = SAC(config, ContinuousHead(config, ACTION_SIZE), Probing(weight))
        state = sac.init(jax.random.key(0), batch)
        # Both rows alike, noise apart, so that doubling one and dropping the other changes no mean over states.
        alike = jax.tree.map(lambda x: jnp.stack([x[0], x[0]]), batch)
        terms.append(sac.loss(state.params, state.target, alike, jax.random.key(1)))
    (_, plain), (_, half), (nothing, metrics) = terms
    np.testing.assert_allclose(half["loss/critic"], plain["loss/critic"], rtol=1e-5)
    assert half["loss/actor"] != plain["loss/actor"]
    names = {name for name in metrics if name.startswith("loss/")}
    assert names == {"loss/critic", "loss/actor", *(["loss/value"] if value_network else [])}
    assert not any(metrics[name] for name in names)
    np.testing.assert_allclose(nothing, metrics["probing/loss"])
    assert metrics["critic/q"] == plain["critic/q"]


def test_loss_does_not_depend_on_the_arrangement_of_the_batch():
    sac, state = agent(BASE, True)
    batch = make_batch(True, leading=(2, B // 2))
    flat = jax.tree.map(lambda x: x.reshape(B, *x.shape[2:]), batch)
    arranged, expected = (sac.loss(state.params, state.target, b, jax.random.key(0)) for b in (batch, flat))
    chex.assert_trees_all_close(arranged, expected, rtol=1e-5)


# Options.

OPTIONS = [
    {"hidden_sizes": (5, 4), "layer_norm": True, "num_critics": 3},
    {"num_critics": 1},
    {"discount": 0.0},
    {"tau": 1.0},
    {"actor_learning_rate": 0.01},
    {"critic_learning_rate": 0.01},
    {"temperature_learning_rate": 0.01},
    {"decay_from_update": 1, "decay_until_update": 3, "final_learning_rate_share": 0.5},
    {"max_grad_norm": 0.01},
    {"temperature": 0.3},
    {"initial_temperature": 0.2},
    {"target_entropy": 5.0},
    {"reward_scale": 10.0},
    {"value_network": True},
    {"mean_coef": 1.0},
    {"log_std_coef": 1.0},
]


@pytest.mark.parametrize("changes", OPTIONS, ids=lambda changes: ",".join(f"{k}={v}" for k, v in changes.items()))
def test_an_update_with_any_option_moves_everything_and_stays_finite(changes):
    config = option(**changes)
    before, after, metrics = updated(config)
    chex.assert_tree_all_finite((after, metrics))
    assert all(np.shape(value) == () for value in metrics.values())
    still = {
        name for name, group in before.params._asdict().items() if not max_move(group, getattr(after.params, name))
    }
    absent = {"representation"} if config.value_network else {"representation", "value"}
    assert still == absent | ({"log_temperature"} if config.temperature is not None else set())
    assert max_move(before.target, after.target) > 0


def test_every_option_is_in_the_table():
    assert {name for changes in OPTIONS for name in changes} == {field.name for field in dataclasses.fields(SACConfig)}


@pytest.mark.parametrize("changes", [{}, {"value_network": True}, {"temperature": 0.3}])
def test_an_update_with_discrete_actions_stays_finite(changes):
    before, after, metrics = updated(option(**changes), discrete=True)
    chex.assert_tree_all_finite((after, metrics))
    assert max_move(before.params.actor, after.params.actor) > 0


def kernel_shapes(params):
    return [leaf.shape for path, leaf in jax.tree_util.tree_leaves_with_path(params) if "kernel" in str(path[-1])]


def test_hidden_sizes_are_those_of_actor_and_critics():
    params = agent(option(**OPTIONS[0]))[1].params
    assert kernel_shapes(params.actor) == [(OBS_SIZE, 5), (5, 4), (4, 2 * ACTION_SIZE)]
    assert kernel_shapes(params.critics) == [(3, OBS_SIZE + ACTION_SIZE, 5), (3, 5, 4), (3, 4, 1)]


def test_layer_norm_is_the_critics_alone():
    params = agent(option(**OPTIONS[0]))[1].params
    assert "LayerNorm" in str(params.critics)
    assert "LayerNorm" not in str(params.actor)


@pytest.mark.parametrize("options", [BASE, option(num_critics=1)], ids=["2", "1"])
def test_policies_are_judged_by_the_smallest_of_the_critics(options):
    sac, state = agent(options)
    q = np.asarray([4.0, -2.0])[: options.num_critics]
    constant = jax.tree.map(jnp.zeros_like, state.params.critics)
    constant["params"]["VmapMLP_0"]["Dense_1"]["bias"] = jnp.asarray(q[:, None], jnp.float32)
    batch = make_batch()
    np.testing.assert_array_equal(sac.head.q_values(constant, batch.obs, batch.action), np.tile(q[:, None], B))
    terms = sac.head.policy_terms(state.params.actor, constant, batch.obs, jax.random.key(0))
    np.testing.assert_array_equal(terms.q, np.full(B, q.min()))


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_without_a_future_the_critics_regress_on_the_scaled_reward(scale):
    config = option(discount=0.0, reward_scale=scale)
    sac, state = agent(config)
    batch = make_batch()
    q = sac.head.q_values(state.params.critics, batch.obs, batch.action)
    expected = np.mean(np.sum((np.asarray(q) - scale * np.asarray(batch.reward)) ** 2, axis=0))
    np.testing.assert_allclose(updated(config)[2]["loss/critic"], expected, rtol=1e-5)


def test_discount_multiplies_that_of_the_batch():
    config = option(temperature=0.0, discount=0.5)
    sac, state = agent(config, True)
    batch = make_batch(True)
    next_terms = sac.head.policy_terms(state.params.actor, state.target, batch.next_obs, jax.random.key(0))
    target = batch.reward + 0.5 * batch.discount * next_terms.q
    q = sac.head.q_values(state.params.critics, batch.obs, batch.action)
    expected = np.mean(np.sum((np.asarray(q) - np.asarray(target)) ** 2, axis=0))
    np.testing.assert_allclose(updated(config, True)[2]["loss/critic"], expected, rtol=1e-5)


@pytest.mark.parametrize("value_network", [False, True], ids=["target_critics", "value_network"])
@pytest.mark.parametrize("tau", [0.25, 1.0])
def test_target_takes_over_the_share_tau(tau, value_network):
    before, after, _ = updated(option(tau=tau, value_network=value_network))
    source = after.params.value if value_network else after.params.critics
    mixed = jax.tree.map(lambda new, old: tau * new + (1 - tau) * old, source, before.target)
    chex.assert_trees_all_close(after.target, mixed, rtol=1e-6, atol=1e-7)


RATES = {"actor": "actor", "critic": "critics", "temperature": "log_temperature"}


@pytest.mark.parametrize("name", RATES)
def test_learning_rates_are_the_first_step_of_their_own_group(name):
    before, after, _ = updated(option(**{f"{name}_learning_rate": 0.01}))
    for group in RATES.values():
        move = max_move(getattr(before.params, group), getattr(after.params, group))
        np.testing.assert_allclose(move, 0.01 if group == RATES[name] else BASE.actor_learning_rate, rtol=1e-2)


def test_critic_learning_rate_serves_representation_and_value_network():
    optimiser = make_optimiser(option(critic_learning_rate=0.01))
    params = SACParams(*(jnp.ones(()) for _ in SACParams._fields))
    step, _ = optimiser.update(params, optimiser.init(params), params)
    np.testing.assert_allclose(SACParams(0.01, 3e-4, 0.01, 0.01, 3e-4), jnp.asarray(step) * -1, rtol=1e-5)


def test_learning_rates_fall_linearly_to_their_final_share():
    config = option(decay_from_update=2, decay_until_update=6, final_learning_rate_share=0.2, actor_learning_rate=1e-2)
    optimiser = make_optimiser(config)
    params = SACParams(*(jnp.ones(()) for _ in SACParams._fields))
    state, steps = optimiser.init(params), []
    for _ in range(9):
        step, state = jax.jit(optimiser.update)(params, state, params)
        steps.append([-step.actor / 1e-2, -step.critics / 3e-4])
    expected = [1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2]
    np.testing.assert_allclose(steps, np.stack([expected, expected], 1), rtol=1e-4)


@pytest.mark.parametrize("max_grad_norm", [0.01, None])
def test_max_grad_norm_bounds_the_gradient_of_everything_together(max_grad_norm):
    first_moment = optax.tree_utils.tree_get(updated(option(max_grad_norm=max_grad_norm))[1].optimiser, "mu")
    squares = [np.sum(np.square(leaf)) for leaf in jax.tree.leaves(first_moment)]
    norm = np.sqrt(sum(squares)) / 0.1  # one step of Adam's average, beta1 0.9
    assert norm > 0.1 if max_grad_norm is None else math.isclose(norm, max_grad_norm, rel_tol=1e-3)


def test_a_fixed_temperature_stays():
    before, after, metrics = updated(option(temperature=0.3))
    sac = agent(option(temperature=0.3))[0]
    np.testing.assert_allclose([sac.temperature(before.params), sac.temperature(after.params)], 0.3)
    assert "policy/temperature" not in metrics


def test_a_learned_temperature_starts_where_it_is_told():
    state, _, metrics = updated(option(initial_temperature=0.2))
    np.testing.assert_allclose(metrics["policy/temperature"], 0.2, rtol=1e-5)
    np.testing.assert_allclose(agent(option(initial_temperature=0.2))[0].temperature(state.params), 0.2, rtol=1e-5)


def test_target_entropy_asks_the_head_unless_it_is_given():
    assert ContinuousHead(BASE, 6).target_entropy == -6
    np.testing.assert_allclose(DiscreteHead(BASE, 4).target_entropy, 0.4 * np.log(4), rtol=1e-6)
    for changes, sign in (({}, -1), ({"target_entropy": 5.0}, 1)):  # the entropy of 2 actions is at most 2 log 2
        before, after, _ = updated(option(**changes))
        assert np.sign(after.params.log_temperature - before.params.log_temperature) == sign


def test_value_network_replaces_the_target_critics():
    with_value, without = agent(option(value_network=True))[1], agent(BASE)[1]
    chex.assert_trees_all_equal(with_value.target, with_value.params.value)
    chex.assert_trees_all_equal(without.target, without.params.critics)
    assert without.params.value == {}
    assert "loss/value" in updated(option(value_network=True))[2]
    assert "loss/value" not in updated(BASE)[2]


@pytest.mark.parametrize(("name", "moment"), [("mean_coef", "mean"), ("log_std_coef", "log_std")])
def test_penalties_are_mean_squares_of_the_policys_parameters(name, moment):
    batch, config = make_batch(), option(**{name: 2.0})
    (plain, state), (penalised, _) = agent(BASE), agent(config)
    totals = [sac.loss(state.params, state.target, batch, jax.random.key(1))[0] for sac in (plain, penalised)]
    shifted = state.params._replace(actor=jax.tree.map(lambda x: x + 0.5, state.params.actor))
    totals += [sac.loss(shifted, state.target, batch, jax.random.key(1))[0] for sac in (plain, penalised)]
    for difference, params in ((totals[1] - totals[0], state.params), (totals[3] - totals[2], shifted)):
        policy = plain.head._actor.apply(params.actor, batch.obs)
        np.testing.assert_allclose(
            difference, 2 * np.mean(np.asarray(getattr(policy, moment)) ** 2), rtol=1e-3, atol=1e-5
        )


NAN = float("nan")
ERRORS = [
    ("hidden_sizes", (8, 0), "0"),
    ("num_critics", 0, "0"),
    ("discount", -0.1, "-0.1"),
    ("discount", 1.5, "1.5"),
    ("discount", NAN, "nan"),
    ("tau", 0.0, "0.0"),
    ("tau", 1.1, "1.1"),
    ("actor_learning_rate", 0.0, "0.0"),
    ("critic_learning_rate", -1.0, "-1.0"),
    ("temperature_learning_rate", NAN, "nan"),
    ("final_learning_rate_share", 1.5, "1.5"),
    ("decay_from_update", -1, "-1"),
    ("decay_until_update", -2, "-2"),
    ("max_grad_norm", 0.0, "0.0"),
    ("temperature", -0.5, "-0.5"),
    ("initial_temperature", 0.0, "0.0"),
    ("target_entropy", float("nan"), "nan"),
    ("reward_scale", 0.0, "0.0"),
    ("mean_coef", -0.5, "-0.5"),
    ("log_std_coef", -0.5, "-0.5"),
]


@pytest.mark.parametrize(("name", "value", "shown"), ERRORS)
def test_an_impossible_option_is_named_with_its_value(name, value, shown):
    with pytest.raises(ValueError, match=f"{name} .*got {shown}$"):
        option(**{name: value})


def test_a_decay_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="decay_until_update must be at least 11, got 10"):
        option(decay_from_update=10, decay_until_update=10)


@pytest.mark.parametrize("name", ["mean_coef", "log_std_coef"])
def test_penalties_of_continuous_policies_are_refused_with_discrete_actions(name):
    with pytest.raises(ValueError, match=name):
        DiscreteHead(option(**{name: 0.1}), 3)


# Heads.


def test_discrete_expectations_are_exact():
    """Two states, three actions, two critics: everything in a table."""
    config = option(hidden_sizes=())
    head, obs = DiscreteHead(config, 3), jnp.eye(2)
    probs = np.asarray([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    q = np.asarray([[[1.0, 2.0, 3.0], [0.0, 5.0, -1.0]], [[2.0, 0.0, 4.0], [1.0, 1.0, 1.0]]])

    def table(params, values):  # a linear layer on one-hot observations
        return jax.tree.map(lambda x: jnp.asarray(values, jnp.float32) if x.shape == values.shape else x, params)

    actor = table(head.init_actor(jax.random.key(0), obs), np.log(probs))
    critics = table(head.init_critics(jax.random.key(1), obs, jnp.zeros(2, jnp.int32)), q)
    terms = head.policy_terms(actor, critics, obs, jax.random.key(2))
    np.testing.assert_allclose(terms.q, [0.5 * 1 + 0.25 * 0 + 0.25 * 3, 0.1 * 0 + 0.1 * 1 + 0.8 * -1], rtol=1e-5)
    np.testing.assert_allclose(terms.log_prob, np.sum(probs * np.log(probs), 1), rtol=1e-5)
    np.testing.assert_array_equal(terms.penalty, [0, 0])
    np.testing.assert_allclose(head.q_values(critics, obs, jnp.asarray([2, 1])), [[3.0, 5.0], [4.0, 1.0]], rtol=1e-5)

    np.testing.assert_array_equal(head.act(actor, obs, jax.random.key(3), True), [0, 2])
    draws = np.asarray(head.act(actor, jnp.tile(obs[None], (2000, 1, 1)), jax.random.key(4), False))
    assert draws.dtype == np.int32
    np.testing.assert_allclose([(draws == a).mean(0) for a in range(3)], probs.T, atol=0.04)


def test_continuous_actions_stay_in_their_range_and_the_deterministic_one_is_the_mode():
    sac, state = agent(BASE)
    obs = 100 * jnp.ones((64, OBS_SIZE))
    actor = jax.tree.map(lambda x: 10 * x, state.params.actor)
    params = state.params._replace(actor=actor)
    actions = sac.act(params, obs, jax.random.key(0))
    assert actions.shape == (64, ACTION_SIZE)
    assert np.abs(actions).max() <= 1
    one, other = (sac.act(params, obs, jax.random.key(seed), deterministic=True) for seed in (1, 2))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one, sac.head._actor.apply(actor, obs).mode())
    assert len(np.unique(np.asarray(actions)[:, 0])) > 32


# Many steps in one dispatch, on a bandit whose reward is highest in the middle.

NUM_ROWS, NUM_UPDATES, TARGET_ENTROPY = 128, 4, -1.0


@functools.cache
def bandit():
    """SAC, its first state, the data, `sample`, `update_many`, and a list that grows with each trace of `sample`."""
    rates = dict.fromkeys(("actor_learning_rate", "critic_learning_rate", "temperature_learning_rate"), 0.02)
    config = option(discount=0.0, target_entropy=TARGET_ENTROPY, **rates)
    action = jax.random.uniform(jax.random.key(5), (NUM_ROWS, ACTION_SIZE), minval=-1, maxval=1)
    data = make_batch(leading=(NUM_ROWS,))._replace(action=action, reward=-4 * jnp.sum(action**2, -1))
    traces = []

    def sample(data, key):
        traces.append(key)
        rows = jax.random.randint(key, (B,), 0, NUM_ROWS)
        return jax.tree.map(lambda x: x[rows], data)

    sac = SAC(config, ContinuousHead(config, ACTION_SIZE))
    return sac, sac.init(jax.random.key(0), data), data, sample, make_update_many(sac.update, sample), traces


def test_many_updates_equal_the_same_steps_one_by_one():
    sac, state, data, sample, update_many, _ = bandit()
    many, metrics = update_many(jax.tree.map(jnp.copy, state), data, jax.random.key(1), NUM_UPDATES)
    alone, metrics_alone = state, []
    for key in jax.random.split(jax.random.key(1), NUM_UPDATES):
        sample_key, update_key = jax.random.split(key)
        alone, step_metrics = sac.update(alone, sample(data, sample_key), update_key)
        metrics_alone.append(step_metrics)
    chex.assert_trees_all_close(many, alone, rtol=1e-3, atol=1e-5)
    mean = jax.tree.map(lambda *leaves: np.mean(leaves), *metrics_alone)
    chex.assert_trees_all_close(metrics, mean, rtol=1e-4, atol=1e-5)


def test_steps_with_convolutions_give_the_same_numbers_without_a_loop_on_cpu():
    sac, state, data, sample, update_many, _ = bandit()
    alone = make_update_many(sac.update, sample, with_convolutions=True)
    for found, expected in zip(
        alone(jax.tree.map(jnp.copy, state), data, jax.random.key(1), NUM_UPDATES),
        update_many(jax.tree.map(jnp.copy, state), data, jax.random.key(1), NUM_UPDATES),
        strict=True,
    ):
        chex.assert_trees_all_close(found, expected, rtol=1e-3, atol=1e-5)
    assert hasattr(alone, "lower") == (jax.default_backend() != "cpu")  # jitted as a whole elsewhere


def test_many_updates_compile_once_update_in_place_and_bring_the_entropy_to_its_target():
    _, state, data, _, update_many, traces = bandit()
    state, history = jax.tree.map(jnp.copy, state), []
    num_traces = None
    for key in jax.random.split(jax.random.key(2), 300):
        before = state
        state, metrics = update_many(before, data, key, NUM_UPDATES)
        num_traces = len(traces) if num_traces is None else num_traces
        assert before.params.log_temperature.is_deleted()
        history.append(metrics["policy/entropy"])
    assert len(traces) == num_traces
    assert history[0] > 0
    np.testing.assert_allclose(np.mean(history[-100:]), TARGET_ENTROPY, atol=0.3)


def test_compiler_options_are_known_to_this_xla_or_left_out(monkeypatch):
    from rlcore import updates

    assert set(updates._compiler_options()) <= {"xla_cpu_experimental_ynn_fusion_type"}
    monkeypatch.setattr(updates, "_CPU_OPTIONS", {"xla_no_such_option": "1"})
    assert updates._compiler_options.__wrapped__() == {}
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert updates._compiler_options.__wrapped__() == {}
