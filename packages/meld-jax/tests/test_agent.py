"""Gradient steps: the bound by value, what each kind of step changes, where batches come from."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from meld_builders import init_small, make_small_agent, make_up_trials
from meld_jax.agent import MeldData
from meld_jax.filtering import filter_trials
from meld_jax.frames import as_second_stage
from meld_jax.representation import make_policy_batch
from rlcore.replay import add, init_replay
from scipy import stats


@functools.partial(jax.jit, static_argnums=0)
def _loss(agent, params, trials, key):
    return agent.model_loss(params, trials, key)


def _same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        (
            "model.image_std=0.5",
            "model.reward_std=0.7",
            "model.reward_coef=3",
            "model.kl_coef=0.5",
            "model.min_std=0.3",
        ),
        ("model.standardise_images=true",),
    ],
    ids=str,
)
def test_loss_is_minus_the_bound_of_a_frame(overrides):
    """Every term again, in NumPy, frame by frame."""
    agent = make_small_agent(*overrides)
    config = agent.config.model
    trials = make_up_trials(2, lengths=[[3, 3], [2, 1]])
    params = agent.set_background(init_small(agent), trials).model
    pixel_std = config.image_std * np.asarray(params["params"].get("image_scale", 1.0), float)
    loss, (_, metrics) = _loss(agent, params, trials, jax.random.key(1))

    latents, before = filter_trials(agent.model, params, trials, agent.belief.draw_noise(jax.random.key(1), trials))
    image, reward = agent.model.apply(params, latents.z1, latents.z2, method="decode")
    image_term, reward_term, kl = [], [], []
    for trial, frame in np.argwhere(np.asarray(trials.valid)):
        at = trial, frame
        target = np.asarray(trials.image[at]) / 255
        image_term.append(stats.norm.logpdf(target, np.asarray(image[at]), pixel_std).sum())
        if not trials.first[at]:
            reward_term.append(stats.norm.logpdf(trials.training_reward[at], reward[at], config.reward_std))
        mean, std = (np.asarray(leaf[at], float) for leaf in latents.q1)
        expected_mean, expected_std = np.zeros_like(mean), np.ones_like(std)
        if frame:
            expected = agent.model.apply(params, before[at], trials.action[at], trials.first[at], method="expect")
            expected_mean, expected_std = (np.asarray(leaf, float) for leaf in expected)
        kl.append(
            np.sum(np.log(expected_std / std) + (std**2 + (mean - expected_mean) ** 2) / (2 * expected_std**2) - 0.5)
        )
    bound = np.mean(image_term) + config.reward_coef * np.mean(reward_term) - config.kl_coef * np.mean(kl)
    assert float(loss) == pytest.approx(-bound, rel=1e-4)
    assert float(metrics["model/kl"]) == pytest.approx(np.mean(kl), rel=1e-4)


def test_some_frames_stand_for_the_pictures_of_a_trial():
    """The bound estimated from two frames is right on average over the choice of them."""
    agent, sampling = make_small_agent(), make_small_agent("num_decoded_frames=2")
    params = init_small(agent).model
    trials = make_up_trials(2)

    def compare(key):
        estimate, (belief, metrics) = sampling.model_loss(params, trials, key)
        noise_key = jax.random.split(jax.random.clone(key))[1]  # of which the estimate makes its noise
        loss, (same_belief, same_metrics) = agent.model_loss(params, trials, noise_key)
        rest = jnp.abs(belief - same_belief).max() + jnp.abs(metrics["model/kl"] - same_metrics["model/kl"])
        return estimate - loss, rest + jnp.abs(metrics["model/reward_rmse"] - same_metrics["model/reward_rmse"])

    error, rest = jax.jit(jax.vmap(compare))(jax.random.split(jax.random.key(1), 400))
    assert float(rest.max()) == pytest.approx(0, abs=1e-5)
    assert float(error.std()) > 0.01
    assert abs(float(error.mean())) < 4 * float(error.std()) / np.sqrt(400)


def test_without_reward_evidence_rewards_are_nothing_to_explain():
    agent = make_small_agent("model.reward_evidence=false")
    params = init_small(agent).model
    trials = make_up_trials(2)
    other = trials._replace(reward=trials.reward + 1, training_reward=trials.training_reward + 1)
    losses = [_loss(agent, params, t, jax.random.key(1))[0] for t in (trials, other)]
    assert float(losses[0]) == float(losses[1])


def test_the_model_explains_the_training_reward_and_sees_the_other():
    agent = make_small_agent()
    params = init_small(agent).model
    trials = make_up_trials(2)
    _, (belief, metrics) = _loss(agent, params, trials, jax.random.key(1))
    other = trials._replace(training_reward=trials.training_reward + 1)
    _, (same_belief, other_metrics) = _loss(agent, params, other, jax.random.key(1))
    np.testing.assert_array_equal(belief, same_belief)
    assert float(metrics["model/reward_rmse"]) != float(other_metrics["model/reward_rmse"])


def test_the_average_begins_when_actor_and_critics_begin_to_learn():
    """Of random parameters, and of the model at the start, nothing is left."""
    agent = make_small_agent("averaging_rate=0.001")
    state, trials = init_small(agent), make_up_trials(2)
    for update, num_updates in ((agent.update_model, 0), (agent.update_joint, 1)):
        state, _ = jax.jit(update)(state, trials, jax.random.key(1))
        assert state.num_updates == num_updates
        jax.tree.map(np.testing.assert_array_equal, state.average, state.params)
    first = state.params
    state, _ = jax.jit(agent.update_policy)(state, trials, jax.random.key(2))
    half = jax.tree.map(lambda a, b: (a + b) / 2, first, state.params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), state.average, half)


def test_each_kind_of_step_changes_what_it_trains():
    agent = make_small_agent("averaging_rate=0.5", "num_transitions=5")
    state = init_small(agent)._replace(num_updates=jnp.asarray(10, jnp.int32))
    trials = make_up_trials(2)
    model, _ = jax.jit(agent.update_model)(state, trials, jax.random.split(jax.random.key(1))[0])
    policy, _ = jax.jit(agent.update_policy)(state, trials, jax.random.key(1))
    joint, metrics = jax.jit(agent.update_joint)(state, trials, jax.random.key(1))
    before = state.params
    for after, model_moves, policy_moves in ((model, True, False), (policy, False, True), (joint, True, True)):
        params = after.params
        assert _same(params.model, before.model) != model_moves
        assert _same(params.policy.actor, before.policy.actor) != policy_moves
        assert _same(params.policy.critics, before.policy.critics) != policy_moves
        half = jax.tree.map(lambda a, b: (a + b) / 2, params, before)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), after.average, half)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), joint.model, model.model)
    assert {"loss/model", "loss/critic", "model/image_error", "model/reward_rmse"} <= set(metrics)


def test_steps_of_actor_and_critics_share_the_beliefs_of_a_batch():
    agent = make_small_agent("num_policy_updates=3", "policy_steps_per_batch=3", "num_transitions=0")
    state, trials = init_small(agent), make_up_trials(2)
    after, _ = jax.jit(agent.update_policy)(state, trials, jax.random.key(1))

    infer_key, policy_key = jax.random.split(jax.random.key(1))
    belief = agent.belief.infer(state.model, trials, infer_key)
    every_step = jnp.arange(2 * (agent.belief.num_frames - 1))
    batch = make_policy_batch(trials, belief, every_step, trials.training_reward)
    learner = state.learner
    for key in jax.random.split(policy_key, 3):
        learner, _ = jax.jit(agent.sac.update)(learner, batch, jax.random.split(key)[1])
    assert _same(after.model, state.model)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), after.learner.params, learner.params)


def test_critics_learn_from_the_reward_that_the_config_names():
    trials = make_up_trials(2)
    losses = {}
    for option in ("training", "evidence"):
        agent = make_small_agent(f"critic_reward={option}")
        step = jax.jit(agent.update_policy)
        for name, seen in (("two rewards", trials), ("one", trials._replace(training_reward=trials.reward))):
            _, metrics = step(init_small(agent), seen, jax.random.key(1))
            losses[option, name] = float(metrics["loss/critic"])
    assert losses["evidence", "two rewards"] == pytest.approx(losses["training", "one"])
    assert losses["evidence", "one"] == losses["evidence", "two rewards"]
    assert losses["training", "two rewards"] != pytest.approx(losses["training", "one"])


def test_gradient_of_the_model_is_clipped():
    """Adam's first step is the learning rate, but for gradients no larger than its epsilon."""
    for norm, smallest, largest in ((1e6, 0.99e-3, 1.01e-3), (1e-9, 0, 1e-4)):
        agent = make_small_agent(f"max_model_grad_norm={norm}")
        params = {"w": jnp.ones(3)}
        updates, _ = agent.optimiser.update({"w": jnp.full(3, 5.0)}, agent.optimiser.init(params), params)
        assert smallest <= float(jnp.abs(updates["w"]).max()) <= largest


def _fill(agent, num_tasks, num_trials, value):
    replay = init_replay(agent.example_trial(), 10, num_tasks)
    trials = make_up_trials(num_tasks * num_trials)
    trials = trials._replace(training_reward=jnp.full_like(trials.training_reward, value))
    rows = jax.tree.map(lambda leaf: leaf.reshape(num_tasks, num_trials, *leaf.shape[1:]), trials)
    return add(replay, jnp.arange(num_tasks, dtype=jnp.int32), rows)


def test_batches_are_whole_trials_that_were_stored():
    agent = make_small_agent()
    replay = _fill(agent, 3, 2, 1.0)
    batch = jax.jit(agent.sample, static_argnums=2)(MeldData(replay, None), jax.random.key(0), 50)
    stored = np.asarray(replay.data.image[:, :2]).reshape(6, -1)
    drawn = np.asarray(batch.image).reshape(50, -1)
    found = {int(np.flatnonzero((stored == row).all(axis=1))[0]) for row in drawn}
    assert found == set(range(6))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_batches_comes_from_the_first_stage(share):
    agent = make_small_agent(f"expert_share={share}")
    data = MeldData(_fill(agent, 3, 2, 1.0), _fill(agent, 3, 1, 2.0))
    batch = jax.jit(agent.sample, static_argnums=2)(data, jax.random.key(0), 400)
    found = float((batch.training_reward[:, 1] == 2).mean())
    assert found == pytest.approx(share, abs=0.07)


def test_trials_of_a_first_stage_show_the_second_stages_evidence():
    agent = make_small_agent()
    replay = _fill(agent, 2, 1, 1.0)
    converted = as_second_stage(replay)
    np.testing.assert_array_equal(converted.data.reward, replay.data.second_reward)
    np.testing.assert_array_equal(converted.data.training_reward, replay.data.training_reward)


def test_standardised_pixels_are_seen_and_drawn_in_units_of_their_own():
    agent = make_small_agent("model.standardise_images=true")
    trials = make_up_trials(2, lengths=[[3, 3], [2, 1]])
    state = agent.set_background(init_small(agent), trials)
    pixels = np.asarray(trials.image)[np.asarray(trials.valid)] / 255
    mean, scale = pixels.mean(axis=0), np.sqrt(pixels.var(axis=0) + 0.02**2)
    for model in (state.model, state.average.model):
        np.testing.assert_allclose(model["params"]["image_mean"], mean, atol=1e-5)
        np.testing.assert_allclose(model["params"]["image_scale"], scale, atol=1e-5)

    def look(model, image):
        return model.encoder(image)

    def draw(model, z1, z2):
        return model.decoder(jnp.concatenate([z1, z2], axis=-1))

    frame = jax.tree.map(lambda leaf: leaf[:, 0], trials)
    evidence = agent.model.apply(state.model, frame.image, frame.reward, frame.action, frame.first, method="prepare")
    features = agent.model.apply(state.model, (np.asarray(frame.image) / 255 - mean) / scale, method=look)
    np.testing.assert_allclose(evidence.shown[:, : features.shape[-1]], features, rtol=1e-3, atol=1e-4)
    z1, z2 = (jnp.ones((2, size)) for size in (agent.config.model.z1_size, agent.config.model.z2_size))
    difference = agent.model.apply(state.model, z1, z2, method=draw)
    image = agent.model.apply(state.model, z1, z2, method="decode_image")
    np.testing.assert_allclose(image, mean + scale * np.asarray(difference), atol=1e-5)

    after, _ = jax.jit(agent.update_model)(state, trials, jax.random.key(1))
    for name, trained in (("image_mean", False), ("image_scale", False), ("image_bias", True)):
        assert np.array_equal(after.model["params"][name], state.model["params"][name]) != trained


def test_decoder_starts_at_the_mean_picture_of_valid_frames():
    agent = make_small_agent()
    trials = make_up_trials(2, lengths=[[1, 3], [3, 3]])
    state = agent.set_background(init_small(agent), trials)
    expected = np.asarray(trials.image)[np.asarray(trials.valid)].mean(axis=0) / 255
    for model in (state.model, state.average.model):
        np.testing.assert_allclose(model["params"]["image_bias"], expected, atol=1e-5)
