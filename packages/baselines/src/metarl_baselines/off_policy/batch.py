"""What a gradient step of SAC sees of replayed trials.

In the shape descriptions `B` denotes trials, `S` the steps of a trial.
"""

from typing import NamedTuple

import chex
import jax

from metarl_baselines.trials import Inputs, TrialOptions, Trials, continues, inputs_after, inputs_before


class TrialBatch(NamedTuple):
    """Whole trials `[B, S, ...]`, each from its first step on: what SAC and its representation learn from.

    trials: as they were collected.
    told: `[B, S, ...]` what the memory was told before each action.
    last: `[B, 1, ...]` what it is told behind the last one.
    discount: `[B, S]` 1 where what follows counts, else 0.
    """

    trials: Trials
    told: Inputs
    last: Inputs
    discount: chex.Array

    @property
    def action(self) -> chex.Array:
        """What was done, `[B, S, Da]`."""
        return self.trials.action

    @property
    def reward(self) -> chex.Array:
        """What trains, `[B, S]`."""
        return self.trials.training_reward


def make_batch(options: TrialOptions, trials: Trials) -> TrialBatch:
    """The batch of whole trials `[B, S, ...]`, whose credit crosses the borders of episodes.

    So what follows on a step is what the memory is told at the next one, and only behind the last step something else.
    """
    last = jax.tree.map(lambda leaf: leaf[:, -1:], inputs_after(options, trials))
    return TrialBatch(trials, inputs_before(options, trials), last, continues(options, trials))
