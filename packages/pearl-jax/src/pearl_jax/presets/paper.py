"""`thesis` and `reference`: the options of the thesis, and of its released code.

They differ where the document and the code (katerakelly/oyster) do:

- KL weight. Algorithm 1 adds each task's KL to that task's critic loss. The code sums the KL over the tasks of a batch
  and averages the critic loss, which makes the same coefficient `meta_batch_size` times stronger.
- Context. The thesis's transitions are (s, a, s', r); the code leaves s' out unless dynamics differ between tasks.
- Collection. Algorithm 1 draws z from the posterior from the second episode on, and the encoder may see every episode.
  The code draws z from the prior for several episodes, and shows others to the actor and the critics only.
- Updates. Data are "recollected every 1000 meta-training optimization steps"; in the code it is 2000 or 4000.
- Length. The curves of figures 16 and 17 end at a million environment steps; the code goes on for 500 iterations.
- Meta-testing. Algorithm 2 draws z from the posterior from the second episode on; the code draws the first 5 from the
  prior in sparse navigation.
- Tasks. The benchmarks' names say which task set is whose.

Where the thesis names no number, `thesis` has the code's.

Where `thesis` has its numbers of collection from:

- All environment steps, the first collection included: a million, read from the axes of figures 16 and 17
  (half-cheetah-vel). Figure 14's axes are in no text; a reader of it says in the code's issue 28 that ant-goal's ends
  at ten millions and the others at one. For 2-D navigation no figure shows training steps: 500 iterations, as the code.
- Tasks of an iteration: Algorithm 1 visits each of a "batch of training tasks" whose size no text names: the code's, 5
  on locomotion, 10 in sparse navigation. All train tasks at once, 100 of them, would leave ten iterations or so.
- Episodes of a visit, K in Algorithm 1: no text names it: as many as the code plays for encoder, actor and critics.
- Episodes before the first update: none in Algorithm 1, which visits all its tasks; the code's 10.
- Gradient steps between visits: 1000, from the text of section 5.2.2.
- Episodes of a test: the third is reported, "after two trajectories have been aggregated into the context".

`reference` has the code's options for each family, with a replay for what a run collects, up to 16 GB, where the code
has room for a million transitions of each task. In the two-task families the code visits 5 tasks an iteration, the same
ones again and again; here each is visited once, so 2/5 of its steps are collected for the same updates. Two habits of
the code are not copied: tasks visited in an iteration are all different here, and extra episodes go on from the whole
trial's context.

Neither counts the prior among the factors of the posterior (`prior_factor`), both learn with a state-value network, and
both set the entropy's weight through the reward scale.
"""

import dataclasses
from typing import Any

from rlcore.meta import Plan
from rlcore.sac import SACConfig

from pearl_jax.config import PearlConfig
from pearl_jax.presets.traits import Traits, hold

_ITERATIONS = 500
_MAX_BYTES = 16e9
_TWO_TASKS: dict[str, Any] = {"meta_batch_size": 4, "context_size": 256, "num_tasks_per_iteration": 2}
_DIR = _TWO_TASKS | {"num_prior_episodes": 5, "num_extra_episodes": 5}
_FWD_BACK = _TWO_TASKS | {"num_updates": 4000}
_GOAL = {"meta_batch_size": 10, "context_size": 256, "kl_coef": 1.0, "num_updates": 4000}
_PARAMS = {"meta_batch_size": 10, "context_size": 100, "num_updates": 4000}
_LOCOMOTION: dict[str, dict[str, Any]] = {
    "half-cheetah-vel-v0": {"context_size": 100},
    "half-cheetah-vel-slow-v0": {"context_size": 100},
    "half-cheetah-dir-v0": _DIR,
    "ant-fwd-back-v0": _FWD_BACK,
    "ant-fwd-back-reference-v0": _FWD_BACK,
    "ant-goal-v0": _GOAL,
    "ant-goal-reference-v0": _GOAL,
    "humanoid-dir-v0": {"context_size": 256, "num_updates": 4000},
    "walker-params-v0": _PARAMS,
    "walker-params-reference-v0": _PARAMS,
    "hopper-params-v0": _PARAMS,
    "hopper-params-reference-v0": _PARAMS,
}
"""What the code's configuration of each family changes."""

_AXIS_HORIZON, _AXIS_STEPS = 200, 1_000_000
_LONG_AXES = {"ant-goal-v0": 10_000_000, "ant-goal-reference-v0": 10_000_000}
"""Environment steps at which the thesis's curves end, of robots with a horizon of 200."""
_FEWEST_ITERATIONS = 100
"""For users' own benchmarks, whose first collection may take longer than those curves."""


def reference(traits: Traits) -> Plan:
    """What the code does."""
    return _hold_everything(_get_code(traits), traits, _ITERATIONS)


def thesis(traits: Traits) -> Plan:
    """What the text says."""
    code = _get_code(traits)
    config = dataclasses.replace(
        code,
        kl_reduction="mean",
        next_obs_in_context=True,
        num_prior_episodes=1,
        num_posterior_episodes=code.num_context_episodes + code.num_extra_episodes - 1,
        num_extra_episodes=0,
        num_updates=1000,
        num_test_prior_episodes=1,
    )
    num_iterations = _ITERATIONS if traits.short else _count_iterations(config, traits)
    return _hold_everything(config, traits, num_iterations)


def _hold_everything(config: PearlConfig, traits: Traits, num_iterations: int) -> Plan:
    num_rows = config.num_rows(traits.num_tasks, num_iterations, traits.horizon)
    return Plan(hold(config, traits, num_rows, _MAX_BYTES), num_iterations)


def _count_iterations(config: PearlConfig, traits: Traits) -> int:
    """How many iterations end with the axis of the thesis's curves."""
    num_steps = _LONG_AXES.get(traits.name, _AXIS_STEPS) * traits.horizon // _AXIS_HORIZON
    first = traits.num_tasks * config.num_initial_episodes * traits.horizon
    iteration = config.num_tasks_per_iteration * config.num_context_episodes * traits.horizon
    return max((num_steps - first) // iteration, _FEWEST_ITERATIONS)


def _get_code(traits: Traits) -> PearlConfig:
    """The code's options, but for the size of the replay."""
    config = PearlConfig(
        sac=SACConfig(
            hidden_sizes=(300, 300, 300),
            value_network=True,
            temperature=1.0,
            reward_scale=5.0,
            mean_coef=0.0 if traits.discrete else 1e-3,
            log_std_coef=0.0 if traits.discrete else 1e-3,
        ),
        context_size=64,
        next_obs_in_context=traits.own_dynamics,
    )
    config = _navigate(config, traits) if traits.short else _walk(config, traits)
    return dataclasses.replace(config, num_tasks_per_iteration=min(config.num_tasks_per_iteration, traits.num_tasks))


def _walk(config: PearlConfig, traits: Traits) -> PearlConfig:
    options = _LOCOMOTION.get(traits.name, _FWD_BACK if traits.few_tasks else {})
    rewards: dict[str, Any] = {"training_reward": traits.training_reward, "num_test_prior_episodes": 2}
    return dataclasses.replace(config, **(rewards | options))


def _navigate(config: PearlConfig, traits: Traits) -> PearlConfig:
    navigation = dataclasses.replace(
        config,
        sac=dataclasses.replace(config.sac, reward_scale=100.0),
        training_reward=traits.training_reward,
        num_updates=1000,
        num_prior_episodes=10,
        num_extra_episodes=10,
    )
    if not traits.sparse or traits.pictures:
        return navigation
    return dataclasses.replace(
        navigation,
        sac=dataclasses.replace(navigation.sac, discount=0.9),
        kl_coef=1.0,
        context_size=1024,
        num_tasks_per_iteration=10,
        num_prior_episodes=5,
        num_posterior_episodes=45,
        num_extra_episodes=0,
        num_test_episodes=21,
        num_test_prior_episodes=5,
        test_every=10,
    )
