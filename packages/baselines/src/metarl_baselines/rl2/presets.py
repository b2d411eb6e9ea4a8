"""Sets of options that belong together, by name, for a benchmark; traits of the benchmark decide, never its name.

`reference` has the options of the code behind the thesis's curves of RL2, as far as they are known (the branch
`full_code` of jonasrothfuss/ProMP, `rl2_run_sweep.py`): 100 tasks of two episodes, a memory of 64, Adam at 1e-3, five
epochs over the whole batch, clip 0.2, discount 0.99, lambda 1, no entropy, gradients through 32 steps, credit and
inputs that end with the episode, and but for pictures a linear baseline. What differs: that code has an LSTM, and
standardises advantages for each task.
"""

from rlcore.meta import Plan, Preset, Presets, ease
from rlcore.policy_gradient import PPOConfig

from metarl_baselines.rl2.config import RL2Config
from metarl_baselines.traits import Traits, read_traits

_NAVIGATION_ITERATIONS, _LOCOMOTION_ITERATIONS, _PICTURE_ITERATIONS, _TINY_ITERATIONS = 200, 500, 100, 8
_EXPLORE_ITERATIONS = 1000
_REFERENCE_ITERATIONS = 2500


def tiny(traits: Traits) -> Plan:
    """A smoke test."""
    config = RL2Config(
        ppo=PPOConfig(learning_rate=2e-3, num_epochs=4, num_minibatches=min(2, traits.num_tasks)),
        memory_size=32,
        embedding_size=32,
        hidden_sizes=(32,),
        image_channels=(4, 8),
        num_image_features=16,
        training_reward=traits.training_reward,
        num_tasks_per_iteration=min(20, traits.num_tasks),
    )
    return Plan(config, _TINY_ITERATIONS)


def cpu(traits: Traits) -> Plan:
    """Learns on two cores: navigation in minutes, half-cheetah-vel in half an hour; no other robot was tried."""
    num_tasks = min(80 if traits.short else 40, traits.num_tasks)
    num_trials_per_task = -(-20 // num_tasks)  # at least twenty trials, also where tasks are few
    config = RL2Config(
        ppo=PPOConfig(
            learning_rate=1e-3 if traits.short else 5e-4,
            num_epochs=5,
            num_minibatches=4,
            entropy_coef=1e-3,
        ),
        memory_size=128,
        embedding_size=64,
        hidden_sizes=(64,),
        training_reward=traits.training_reward,
        num_tasks_per_iteration=num_tasks,
        num_trials_per_task=num_trials_per_task,
        num_episodes=3,
        test_every=5,
    )
    if traits.pictures:
        return Plan(config, _PICTURE_ITERATIONS)
    return Plan(config, _NAVIGATION_ITERATIONS if traits.short else _LOCOMOTION_ITERATIONS)


def explore(traits: Traits) -> Plan:
    """`cpu` for narrow goals, which are wide at first."""
    return ease(cpu(traits), _EXPLORE_ITERATIONS)


def reference(traits: Traits) -> Plan:
    """What the code behind the thesis's curves does."""
    num_tasks = min(100, traits.num_tasks)
    config = RL2Config(
        ppo=PPOConfig(
            discount=0.99,
            gae_lambda=1.0,
            clip=0.2,
            learning_rate=1e-3,
            num_epochs=5,
            num_minibatches=1,
            max_grad_norm=None,
            **({} if traits.pictures else {"value_coef": 0.0, "value_scale_rate": 0.0}),
        ),
        baseline="network" if traits.pictures else "linear",
        memory_size=64,
        initial_std=1.0,
        credit="episode",
        border_in_memory=False,
        bptt_steps=32,
        training_reward=traits.training_reward,
        num_tasks_per_iteration=num_tasks,
        num_trials_per_task=-(-100 // num_tasks),
        deterministic_test=False,
        test_every=10,
    )
    return Plan(config, _REFERENCE_ITERATIONS)


PRESETS = Presets(
    read_traits,
    {
        "tiny": Preset(tiny, "a smoke test"),
        "cpu": Preset(cpu, "two cores: navigation in minutes, half-cheetah-vel in half an hour"),
        "explore": Preset(explore, "narrow goals on two cores: wide at first"),
        "reference": Preset(reference, "the options of the public code that an algorithm follows: millions of steps"),
    },
)

preset = PRESETS.plan
