"""RL2 as a learner of `rlcore.meta`: whole trials are played, and PPO learns from the newest ones.

In the shape descriptions `M` denotes the tasks of an iteration, `B` its trials, `S` the steps of a trial.
"""

import chex
import jax
import jax.numpy as jnp
import numpy as np
from metarl_envs import Benchmark, check_actions, check_vector_space, is_picture
from rlcore.experiment import Run
from rlcore.meta import Collection, Testing, Visit, check_num_visited, check_signal, find_difficulty, get_signal
from rlcore.networks import ConvEncoder
from rlcore.policy_gradient import PPO, Experience, PPOBatch, PPOState
from rlcore.types import Metrics, Params
from rlcore.updates import make_update_epochs

from metarl_baselines.policy import TrialPolicy
from metarl_baselines.rl2.baseline import linear_values
from metarl_baselines.rl2.config import RL2Config
from metarl_baselines.rl2.credit import credit_discounts
from metarl_baselines.rl2.network import RecurrentActorCritic, RL2Actor
from metarl_baselines.trials import Inputs, Trials, blank_trials, inputs_after, inputs_before, make_trials

_PICTURE_BYTES = 400_000_000
"""What updates take where pictures are convolved, most of it to compile them on a CPU."""


class RL2Learner:
    """A `MetaLearner`; what does not fit the benchmark is refused when it is made, before anything is computed.

    Args:
      config: the options.
      benchmark: what will be played.

    Raises:
      ValueError: RL2 cannot play the benchmark, or the config does not fit it.
    """

    test_params_name = ".agent.params"
    memory_advice = "lower num_tasks_per_iteration"
    first: Collection | None = None

    def __init__(self, config: RL2Config, benchmark: Benchmark) -> None:
        self.config = config
        family = benchmark.family
        action_size = check_actions(benchmark)
        pictures = is_picture(family.observation_space)
        if pictures and config.baseline == "linear":
            raise ValueError(f"baseline=linear needs observations that are vectors, got pictures of {benchmark.name}")
        if not pictures:
            check_vector_space(benchmark, "observation", family.observation_space)
        check_num_visited(config.num_tasks_per_iteration, benchmark)
        num_tasks = config.num_tasks_per_iteration or benchmark.num_train_tasks
        num_trials, num_steps = num_tasks * config.num_trials_per_task, config.num_episodes * family.horizon
        if config.ppo.num_minibatches > num_trials:
            raise ValueError(
                f"ppo.num_minibatches must be at most the {num_trials} trials of an iteration, got "
                f"{config.ppo.num_minibatches}"
            )
        if config.training_reward != "reward":
            check_signal(config.training_reward, family.signals)
        self._example = blank_trials((num_trials, num_steps), family.observation_space, action_size)
        obs_network = ConvEncoder(config.image_channels, config.num_image_features) if pictures else None
        self.network = RecurrentActorCritic(config, action_size, obs_network)
        self.ppo = PPO(config.ppo, self.network)

        actor = RL2Actor(self.network)
        self.collection = Collection(
            TrialPolicy(actor), num_steps, config.num_trials_per_task, config.num_tasks_per_iteration
        )
        testing = TrialPolicy(actor, config.deterministic_test)
        self.testing = Testing(testing, config.num_test_episodes, every=config.test_every)
        self.signals = {"training_reward": config.training_reward}
        self.num_updates = self.ppo.num_updates
        self.update_bytes = _PICTURE_BYTES if pictures else 0
        self._store, self._assess = jax.jit(store), jax.jit(self.assess)
        self._update_epochs = make_update_epochs(self.ppo.update)

    def init(self, key: chex.PRNGKey) -> tuple[PPOState, Trials]:
        """See `MetaLearner`."""
        data = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), self._example)
        one = jax.tree.map(lambda leaf: leaf[:1, :1], data)
        return self.ppo.init(key, inputs_before(self.config, one)), data

    def params(self, agent: PPOState) -> Params:
        """See `MetaLearner`."""
        return agent.params

    def test_params(self, agent: PPOState) -> Params:
        """See `MetaLearner`."""
        return agent.params

    def difficulty(self, iteration: int) -> float:
        """See `MetaLearner`."""
        return find_difficulty(self.config, iteration)

    def store(self, data: Trials, ids: np.ndarray, visit: Visit, *, first: bool) -> tuple[Trials, int]:
        """See `MetaLearner`: the newest trials take the place of the oldest."""
        del ids, first
        reward = get_signal(visit.trajectory, self.config.training_reward)
        # Only what is stored is traced: an environment may report more at some times than at others.
        visit = visit._replace(trajectory=visit.trajectory._replace(info={}))
        return self._store(data, visit, jnp.asarray(reward, jnp.float32)), visit.num_steps

    def begin(self, agent: PPOState, data: Trials, key: chex.PRNGKey, run: Run) -> tuple[PPOState, Metrics]:
        """See `MetaLearner`."""
        del data, key, run
        return agent, {}

    def update(self, agent: PPOState, data: Trials, key: chex.PRNGKey) -> tuple[PPOState, Metrics]:
        """See `MetaLearner`."""
        agent, batch, assessed = self._assess(agent, data)
        ppo = self.config.ppo
        agent, learned = self._update_epochs(agent, batch, key, ppo.num_epochs, ppo.num_minibatches)
        return agent, {**assessed, **learned}

    def assess(self, agent: PPOState, trials: Trials) -> tuple[PPOState, PPOBatch, Metrics]:
        """What each action of trials `[B, S]` was worth, for gradient steps on `[B, S, ...]`."""
        inputs, played = self.reconstruct(agent.params, trials)
        agent, advantage, target, metrics = self.ppo.assess(agent, jax.tree.map(jnp.transpose, played))
        return agent, PPOBatch(inputs, trials.action, played.log_prob, advantage.T, target.T), metrics

    def reconstruct(self, params: Params, trials: Trials) -> tuple[Inputs, Experience]:
        """What the network was told before each action of trials `[B, S]`, and what it made of it, `[B, S]` too.

        The parameters are still those that played, so what the policy said need not be stored with the trials.
        """
        inputs, after = inputs_before(self.config, trials), inputs_after(self.config, trials)
        policy, value, memory = self.network.apply(params, inputs, method="scan")
        if self.config.baseline == "linear":
            value, next_value = linear_values(self.config, trials)
        else:
            _, next_value, _ = self.network.apply(params, memory, after, method="step")
        log_prob, discounts = policy.log_prob(trials.action), credit_discounts(self.config, trials)
        return inputs, Experience(log_prob, value, next_value, trials.training_reward, *discounts)


def store(data: Trials, visit: Visit, training_reward: chex.Array) -> Trials:
    """The trials `[B, S]` after a visit `[S, M]`: its trials come last, and the first ones go.

    Args:
      data: what was collected before.
      visit: with the benchmark's own reward.
      training_reward: `[S, M]`
    """
    new = make_trials(visit, training_reward)
    return jax.tree.map(lambda old, new: jnp.concatenate([old[new.shape[0] :], new.astype(old.dtype)]), data, new)
