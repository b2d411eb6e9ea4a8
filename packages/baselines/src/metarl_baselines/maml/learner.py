"""MAML as a learner of `rlcore.meta`: trials are played and adapted in, and the step to them is learned through.

In the shape descriptions `M` denotes the tasks of an iteration, `A` the batches of a trial, `C` the rows of a batch.
"""

from functools import partial
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import optax
from metarl_envs import Benchmark, check_actions
from rlcore.policy_gradient import losses
from rlcore.types import Metrics, Params
from rlcore.updates import make_update_epochs

from metarl_baselines.gradient import (
    Data,
    GradientLearner,
    OuterTerms,
    Played,
    adapt_through,
    average,
    last_batch,
    make_outer_step,
    reconstruct,
)
from metarl_baselines.maml.adaptation import MAMLAdaptation
from metarl_baselines.maml.config import MAMLConfig


class MAMLState(NamedTuple):
    """What updates change.

    params: of the policy before it adapts. optimiser: Adam's state, empty for TRPO. inner_kl_coef: a scalar, the weight
    of ProMP's divergence.
    """

    params: Params
    optimiser: optax.OptState
    inner_kl_coef: chex.Array


class MAMLLearner(GradientLearner[MAMLConfig, MAMLAdaptation]):
    """A `MetaLearner`; what does not fit the benchmark is refused when it is made, before anything is computed.

    Args:
      config: the options.
      benchmark: what will be played.

    Raises:
      ValueError: MAML cannot play the benchmark, or the config does not fit it.
    """

    def __init__(self, config: MAMLConfig, benchmark: Benchmark) -> None:
        super().__init__(config, benchmark, MAMLAdaptation(config, check_actions(benchmark)))
        promp = config.outer == "promp"
        self.num_updates = config.promp.num_epochs if promp else 1
        self._optimiser = optax.adam(config.promp.learning_rate) if promp else optax.identity()
        self._reconstruct = jax.jit(self.reconstruct)
        self._step = jax.jit(make_outer_step(config.trpo, self.outcome, exploration_coef=config.exploration_coef))
        self._adapt_coef = jax.jit(self.adapt_inner_kl_coef)
        self._update_epochs = make_update_epochs(self.promp_update)

    def init(self, key: chex.PRNGKey) -> tuple[MAMLState, Data]:
        """See `MetaLearner`."""
        params = self.adaptation.network.init(key, jnp.zeros((1, self.obs_size)))
        coef = jnp.asarray(self.config.promp.inner_kl_coef, jnp.float32)
        return MAMLState(params, self._optimiser.init(params), coef), self.init_data()

    def update(self, agent: MAMLState, data: Data, key: chex.PRNGKey) -> tuple[MAMLState, Metrics]:
        """See `MetaLearner`."""
        played, metrics = self._reconstruct(agent.params, data)
        if self.config.outer == "promp":
            agent, learned = self._update_epochs(agent, played, key, self.config.promp.num_epochs, 1)
            target = self.config.promp.target_inner_kl
            if target is not None:
                agent = agent._replace(inner_kl_coef=self._adapt_coef(agent, played, target))
                learned = {**learned, "inner/kl_coef": agent.inner_kl_coef}
        else:
            params, learned = self._step(agent.params, data.ids, played)
            agent = agent._replace(params=params)
        return agent, {**metrics, **learned}

    def reconstruct(self, params: Params, data: Data) -> tuple[Played, Metrics]:
        """Trials `[M, A, C]` as they were played, and how far they were adapted in."""
        again = partial(reconstruct, self.adaptation, self.config.adaptation, params, params)
        played, adapted = jax.vmap(again)(data.episodes)
        changes = jax.tree.map(jnp.subtract, adapted, self.adaptation.begin(params, jax.random.key(0), len(data.ids)))
        metrics = {
            "policy/entropy": jnp.mean(played.policy.entropy()),
            "inner/change": jnp.mean(jax.vmap(optax.tree.norm)(changes)),
        }
        return played, metrics

    def outcome(self, params: Params, own: chex.Array, played: Played) -> OuterTerms:
        """What parameters make of a trial `[A, C]`; no task has anything of its own."""
        del own
        return adapt_through(self.adaptation, params, params, played)

    def promp_update(self, agent: MAMLState, played: Played) -> tuple[MAMLState, Metrics]:
        """One gradient step of ProMP on trials `[M, A, C]`."""
        grads, metrics = jax.grad(self.promp_loss, has_aux=True)(agent.params, agent.inner_kl_coef, played)
        updates, optimiser = self._optimiser.update(grads, agent.optimiser, agent.params)
        return agent._replace(params=optax.apply_updates(agent.params, updates), optimiser=optimiser), metrics

    def promp_loss(self, params: Params, inner_kl_coef: chex.Array, played: Played) -> tuple[chex.Array, Metrics]:
        """L_clip after the last inner step + eta KL before it, means over tasks (Rothfuss et al., 2019, equation 9)."""
        config = self.config.promp

        def of_task(played: Played) -> tuple[chex.Array, chex.Array, chex.Array]:
            found, last = adapt_through(self.adaptation, params, params, played), last_batch(played)
            loss = losses.clipped_surrogate_loss(
                found.log_prob, last.log_prob, last.advantage, config.clip, last.episodes.weight
            )
            return loss, found.kl, found.inner_kl

        loss, kl, inner_kl = average(of_task, played)
        metrics = {"loss/policy": loss, "policy/kl": kl, "inner/kl": inner_kl}
        return loss + inner_kl_coef * inner_kl, metrics

    def adapt_inner_kl_coef(self, agent: MAMLState, played: Played, target: float) -> chex.Array:
        """The weight of ProMP's divergence in the next iteration, a scalar, from what it came to on `[M, A, C]`."""
        kl = (
            self.promp_loss(agent.params, agent.inner_kl_coef, played)[1]["inner/kl"] / self.config.adaptation.num_steps
        )
        return adapt_coef(agent.inner_kl_coef, kl, target)


def adapt_coef(coef: chex.Array, kl: chex.Array, target: float) -> chex.Array:
    """Half the coefficient of a divergence below target / 1.5, twice that of one above 1.5 target, else the same."""
    return jnp.where(kl < target / 1.5, coef / 2, jnp.where(kl > 1.5 * target, 2 * coef, coef))
