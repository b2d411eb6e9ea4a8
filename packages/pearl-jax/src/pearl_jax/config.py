"""Options of PEARL; `presets` has the sets of them that belong together."""

import dataclasses
import math
from typing import Literal

from rlcore.experiment import check_at_least, check_positive, check_rate, check_types
from rlcore.meta import check_curriculum
from rlcore.sac import SACConfig

ENCODER_LOSSES = ("critic", "actor", "reconstruction")


@dataclasses.dataclass(frozen=True)
class PearlConfig:
    """Options of PEARL (thesis, section 5.2; Rakelly et al., 2019).

    What is inferred, and how:
      sac: the actor-critic.
      latent_size: dimensions of the task variable z.
      encoder: `gaussian`, the product of a factor for each transition (equation 9); `deterministic`, the mean of a
        point for each transition (thesis, figure 18); `recurrent`, a GRU over the transitions in order (figure 16).
      encoder_sizes: widths of the encoder's hidden layers; the last one is also the GRU's.
      factor: what the network says of a Gaussian factor's width: its `variance`, as in the reference, or its
        `precision`, with which a transition that tells nothing can weigh nothing.
      prior_factor: whether N(0, I) is one of the factors of the posterior; the reference leaves it out, so that the
        width of its posterior depends on how many transitions there are, told or not.
      encoder_losses: what trains the encoder through z (thesis, section 5.2.2), one or several: the loss of the
        `critic`, as in the thesis's Algorithm 1; that of the `actor`, for a z with which the policy earns more;
        `reconstruction`, by a network of its own, of rewards and, where `next_obs_in_context`, of next observations or
        their features.
      reconstruction_coef: weight of that loss, the mean squared error of each number.
      image_channels, num_image_features: of the convolutions that make features of pictures, which the critic's loss
        trains; vectors are their own features.
      next_obs_in_context: whether the encoder sees s'; needed only where tasks differ in their dynamics.
      kl_coef: weight beta of KL(q(z|c) || N(0, I)); the deterministic encoder has none.
      kl_reduction: over the tasks of a batch; `mean` pairs it with each task's own critic loss, as the thesis's
        Algorithm 1 does; the reference takes the `sum` while its critic loss is a mean, so its weight grows with
        `meta_batch_size`.
      blank_kl_coef: weight of the same divergence for the posterior given only those transitions of the context whose
        reward is 0, reduced likewise. It teaches that a search without success leaves the belief as wide as it was;
        else the path to a goal found elsewhere narrows it. For sparse rewards; the deterministic encoder has none.
      num_hypotheses: draws of the prior that a trial keeps until its first reward other than 0, weighted by how likely
        what was seen is under each: z of an episode is then one of them, so that what was searched in vain is not
        searched again. 0 draws z from the encoder's posterior always. For sparse rewards; the deterministic encoder
        has no prior to draw from.

    What it is trained on:
      meta_batch_size: tasks of a gradient step, drawn with replacement.
      batch_size: transitions of each for the actor and the critics.
      context_size: transitions of each for the encoder, drawn one by one.
      max_context_episodes: if not 0, the context is made of whole episodes, as at test time: 1 to so many of them, the
        number drawn uniformly.
      require_reward: leave out of the losses of actor, critics and reconstruction the tasks whose context holds no
        reward other than 0: z then says nothing of the task, and learning from the pair blurs what other z say. For
        sparse rewards.
      context_sampler: `recent` draws the context from what was collected at the last visit; `off_policy` from the whole
        buffer; `same_batch` is the actor's and critics' own batch (thesis, figure 17).
      correlated_batch: whether the actor's and critics' batch is a run of transitions (thesis, figure 16).
      training_reward: the signal that trains the actor and the critics: `reward`, or the name of another one that the
        environment reports. The context always holds `reward`, the only one there is at test time.
      replay_capacity: transitions kept of each task.

    How data is collected, in steps counted by the family's horizon: where episodes end early, others follow.
      num_initial_episodes: of every train task before the first gradient step, z from the prior.
      num_tasks_per_iteration: train tasks visited in an iteration, all different; 0 means all there are.
      num_prior_episodes: of each visited task; episodes that begin in this time have z from the prior.
      num_posterior_episodes: then those with z from the posterior given all so far.
      num_extra_episodes: then likewise, for the actor and the critics only.
      num_updates: gradient steps of an iteration.
      ease_from_iteration, ease_until_iteration: between them the difficulty of train tasks rises linearly from 0 to 1,
        where the family has easier versions of its tasks; both 0 leave the tasks alone. Test tasks are never eased.

    How it is tested:
      averaging_rate: what acts at test time is an average of the parameters, to which every update contributes this
        share; 1 is the parameters themselves.
      num_test_episodes: of a trial.
      num_test_prior_episodes: of them with z from the prior; 1 is the thesis's Algorithm 2.
      deterministic_test: whether test actions are the policy's centre, or drawn.
      test_every: iterations between tests.
    """

    sac: SACConfig = dataclasses.field(default_factory=SACConfig)
    latent_size: int = 5
    encoder: Literal["gaussian", "deterministic", "recurrent"] = "gaussian"
    encoder_sizes: tuple[int, ...] = (200, 200, 200)
    factor: Literal["variance", "precision"] = "variance"
    prior_factor: bool = False
    encoder_losses: tuple[str, ...] = ("critic",)
    reconstruction_coef: float = 1.0
    image_channels: tuple[int, ...] = (16, 32, 32)
    num_image_features: int = 32
    next_obs_in_context: bool = False
    kl_coef: float = 0.1
    kl_reduction: Literal["sum", "mean"] = "sum"
    blank_kl_coef: float = 0.0
    num_hypotheses: int = 0

    meta_batch_size: int = 16
    batch_size: int = 256
    context_size: int = 100
    max_context_episodes: int = 0
    require_reward: bool = False
    context_sampler: Literal["recent", "off_policy", "same_batch"] = "recent"
    correlated_batch: bool = False
    training_reward: str = "reward"
    replay_capacity: int = 20_000

    num_initial_episodes: int = 10
    num_tasks_per_iteration: int = 5
    num_prior_episodes: int = 2
    num_posterior_episodes: int = 0
    num_extra_episodes: int = 3
    num_updates: int = 2000
    ease_from_iteration: int = 0
    ease_until_iteration: int = 0

    averaging_rate: float = 1.0
    num_test_episodes: int = 3
    num_test_prior_episodes: int = 1
    deterministic_test: bool = True
    test_every: int = 1

    def __post_init__(self):
        check_types(self)
        for name in ("encoder_sizes", "image_channels"):
            for size in getattr(self, name):
                check_positive(name, size)
        for name in ("latent_size", "num_image_features", "meta_batch_size", "batch_size", "context_size"):
            check_positive(name, getattr(self, name))
        for name in ("replay_capacity", "num_initial_episodes", "num_updates", "num_test_episodes", "test_every"):
            check_positive(name, getattr(self, name))
        for name in ("num_prior_episodes", "num_posterior_episodes", "num_extra_episodes", "num_test_prior_episodes"):
            check_at_least(name, getattr(self, name), 0)
        for name in ("kl_coef", "blank_kl_coef", "max_context_episodes", "num_tasks_per_iteration", "num_hypotheses"):
            check_at_least(name, getattr(self, name), 0)
        check_positive("num_prior_episodes + num_posterior_episodes", self.num_context_episodes)
        check_curriculum(self)
        check_rate("averaging_rate", self.averaging_rate)
        if not self.encoder_losses or len(set(self.encoder_losses) & set(ENCODER_LOSSES)) < len(self.encoder_losses):
            raise ValueError(
                f"encoder_losses must be one or more of {', '.join(ENCODER_LOSSES)}, each once, got "
                f"{', '.join(self.encoder_losses) or 'none'}"
            )
        check_at_least("reconstruction_coef", self.reconstruction_coef, 0)
        if self.reconstruction_coef != 1 and "reconstruction" not in self.encoder_losses:
            raise ValueError(
                "reconstruction_coef must be 1 unless encoder_losses has reconstruction, got "
                f"{self.reconstruction_coef}"
            )
        if self.encoder == "recurrent" and (not self.encoder_sizes or self.max_context_episodes):
            raise ValueError("encoder=recurrent needs encoder_sizes not empty and max_context_episodes=0")
        if self.blank_kl_coef and self.encoder == "recurrent":
            raise ValueError(f"blank_kl_coef must be 0 with encoder=recurrent, got {self.blank_kl_coef}")
        if self.num_hypotheses and self.encoder == "deterministic":
            raise ValueError(f"num_hypotheses must be 0 with encoder=deterministic, got {self.num_hypotheses}")
        if self.context_sampler == "same_batch" and self.max_context_episodes:
            raise ValueError("context_sampler=same_batch needs max_context_episodes=0")

    @property
    def num_context_episodes(self) -> int:
        """Episodes of a visit that the encoder may see."""
        return self.num_prior_episodes + self.num_posterior_episodes

    def num_rows(self, num_tasks: int, num_iterations: int, horizon: int) -> int:
        """Transitions of one task that a run collects, for sizing the replay.

        Visits of a task are binomial. The number is three standard deviations above their mean; in the few tasks that
        are visited more often the oldest transitions make room.
        """
        share = min((self.num_tasks_per_iteration or num_tasks) / num_tasks, 1.0)
        mean = share * num_iterations
        num_visits = min(num_iterations, math.ceil(mean + 3 * math.sqrt(mean * (1 - share))))
        visit = self.num_context_episodes + self.num_extra_episodes
        return (self.num_initial_episodes + num_visits * visit) * horizon
