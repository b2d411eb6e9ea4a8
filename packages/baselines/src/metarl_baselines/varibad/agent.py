"""How VariBAD plugs into the one SAC, and how it acts on its belief.

In the shape descriptions `N` denotes tasks side by side, `H` the size of the memory.
"""

import chex
from metarl_envs import Benchmark
from rlcore.sac import SAC, ContinuousHead, SACParams

from metarl_baselines.off_policy import TrialReplayLearner
from metarl_baselines.trials import Inputs, TrialOptions
from metarl_baselines.varibad.config import VariBADConfig
from metarl_baselines.varibad.representation import TaskBelief, join_belief


def make_learner(config: VariBADConfig, benchmark: Benchmark) -> TrialReplayLearner:
    """VariBAD as a learner.

    Args:
      config: the options.
      benchmark: what will be played.

    Raises:
      ValueError: VariBAD cannot play the benchmark, or the config does not fit it.
    """
    return TrialReplayLearner(config, benchmark, lambda action_size: BeliefAgent(config, action_size))


class BeliefAgent:
    """Actor and critics on a belief about the task: a `TrialReplayAgent`."""

    def __init__(self, config: VariBADConfig, action_size: int) -> None:
        self._belief = TaskBelief(config)
        self.sac = SAC(config.sac, ContinuousHead(config.sac, action_size), self._belief)
        self.options: TrialOptions = config
        self.memory_size, self.action_size = config.memory_size, action_size
        self._config = config

    def num_decoded(self, obs_size: int, num_steps: int) -> int:
        """See `TrialReplayAgent`: a whole trial of each belief, with two observations for each of its steps."""
        config = self._config
        step = 2 * obs_size + self.action_size + config.latent_size + sum(config.decoder_sizes)
        return (config.num_beliefs or num_steps) * step

    def act(
        self, params: SACParams, state: chex.Array, inputs: Inputs, key: chex.PRNGKey, deterministic: bool
    ) -> tuple[chex.Array, chex.Array]:
        """See `TrialActor`: nothing is drawn of the belief."""
        belief, state = self._belief.encoder.apply(params.representation.encoder, state, inputs, method="step")
        return self.sac.act(params, join_belief(inputs.obs, belief), key, deterministic), state
