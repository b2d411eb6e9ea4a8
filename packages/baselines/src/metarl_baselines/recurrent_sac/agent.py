"""How recurrent SAC plugs into the one SAC: memories of actor and critics, or one for both.

In the shape descriptions `B` denotes trials, `S` the steps of a trial, `H` the size of a memory.
"""

import chex
import jax
import jax.numpy as jnp
from metarl_envs import Benchmark
from rlcore.networks import TanhNormalPolicy
from rlcore.representation import RepresentationOutput
from rlcore.sac import SAC, ContinuousHead, SACParams, make_critics
from rlcore.types import Params

from metarl_baselines.off_policy import TrialBatch, TrialReplayAgent, TrialReplayLearner
from metarl_baselines.recurrent_sac.config import RecurrentSACConfig
from metarl_baselines.recurrent_sac.networks import History, Recall, RecurrentActor, RecurrentCritics
from metarl_baselines.trials import Inputs, TrialOptions, append


def make_learner(config: RecurrentSACConfig, benchmark: Benchmark) -> TrialReplayLearner:
    """Recurrent SAC as a learner.

    Args:
      config: the options.
      benchmark: what will be played.

    Raises:
      ValueError: recurrent SAC cannot play the benchmark, or the config does not fit it.
    """

    def make_agent(action_size: int) -> TrialReplayAgent:
        return (SharedMemory if config.memory == "shared" else SeparateMemories)(config, action_size)

    return TrialReplayLearner(config, benchmark, make_agent)


class Histories:
    """The representation of networks that remember for themselves: what a trial told, `History`, without parameters."""

    def init(self, key: chex.PRNGKey, example: TrialBatch) -> Params:
        """No parameters."""
        del key, example
        return {}

    def apply(self, params: Params, batch: TrialBatch, key: chex.PRNGKey) -> RepresentationOutput:
        """What was told before each action, and what followed."""
        del params, key
        return RepresentationOutput(
            History(batch.told), History(batch.told, batch.last), jnp.zeros((), jnp.float32), {}
        )


class SeparateMemories:
    """A memory of the actor and one of the critics, in their own networks: a `TrialReplayAgent`."""

    def __init__(self, config: RecurrentSACConfig, action_size: int) -> None:
        sac = config.sac
        actor, critics = (Recall(config.memory_size, config.embedding_size) for _ in range(2))
        self._actor = RecurrentActor(actor, TanhNormalPolicy(sac.hidden_sizes, action_size))
        head = ContinuousHead(sac, action_size, self._actor, RecurrentCritics(critics, make_critics(sac)))
        self.sac = SAC(sac, head, Histories())
        self.options: TrialOptions = config
        self.memory_size, self.action_size = config.memory_size, action_size

    def num_decoded(self, obs_size: int, num_steps: int) -> int:
        """See `TrialReplayAgent`."""
        del obs_size, num_steps
        return 0

    def act(
        self, params: SACParams, state: chex.Array, inputs: Inputs, key: chex.PRNGKey, deterministic: bool
    ) -> tuple[chex.Array, chex.Array]:
        """See `TrialActor`."""
        policy, state = self._actor.apply(params.actor, state, inputs, method="step")
        return policy.mode() if deterministic else policy.sample_and_log_prob(key)[0], state


class Remembered:
    """The representation of networks without a memory: they see what one memory makes of a trial."""

    def __init__(self, recall: Recall) -> None:
        self.recall = recall

    def init(self, key: chex.PRNGKey, example: TrialBatch) -> Params:
        """The memory's parameters; the key is consumed."""
        return self.recall.init(key, History(example.told))

    def apply(self, params: Params, batch: TrialBatch, key: chex.PRNGKey) -> RepresentationOutput:
        """What is remembered before each action, and of what followed, `[B, S, H + Do]`; the key is not used."""
        del key
        seen = self.recall.apply(params, History(append(batch.told, batch.last)))
        now, then = seen[:, :-1], jax.lax.stop_gradient(seen[:, 1:])
        return RepresentationOutput(now, then, jnp.zeros((), jnp.float32), {})


class SharedMemory:
    """One memory, which the critics' loss trains, and an actor and critics on it: a `TrialReplayAgent`."""

    def __init__(self, config: RecurrentSACConfig, action_size: int) -> None:
        self._recall = Recall(config.memory_size, config.embedding_size)
        self.sac = SAC(config.sac, ContinuousHead(config.sac, action_size), Remembered(self._recall))
        self.options: TrialOptions = config
        self.memory_size, self.action_size = config.memory_size, action_size

    def num_decoded(self, obs_size: int, num_steps: int) -> int:
        """See `TrialReplayAgent`."""
        del obs_size, num_steps
        return 0

    def act(
        self, params: SACParams, state: chex.Array, inputs: Inputs, key: chex.PRNGKey, deterministic: bool
    ) -> tuple[chex.Array, chex.Array]:
        """See `TrialActor`."""
        seen, state = self._recall.apply(params.representation, state, inputs, method="step")
        return self.sac.act(params, seen, key, deterministic), state
