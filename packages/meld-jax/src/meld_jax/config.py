"""Options of MELD; `presets` has the sets of them that belong together."""

import dataclasses
from typing import Literal

from rlcore.experiment import check_at_least, check_positive, check_rate, check_types
from rlcore.sac import SACConfig


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Options of the latent state model (thesis, equations 13 to 15 and appendix D.1).

    Networks:
      image_network: `conv`, strided convolutions and their transposes (appendix D.1); `patches`, which divides a
        picture into squares and merges them by matrix products, for CPUs.
      depth: channels of the narrowest layer of either.
      standardise_images: whether each pixel is seen, and explained, from its mean in the first trials and in units of
        its standard deviation there. Else what varies most, such as a patterned floor, is all that is learned for long.
      hidden_sizes: widths of the hidden layers of every other network.
      activation: of all layers of the model.
      z1_size, z2_size: dimensions of the two layers of the latent state.
      memory: how z2 follows from its predecessor: `plain`, by a network alone; `gated`, the share of it that is written
        anew is learned, so that it can stay what it was for long.
      min_std: added to every standard deviation.

    Evidence:
      reward_evidence: whether rewards are evidence (equation 13), seen by the posterior and to be explained; without
        them this is SLAC.
      reward_copies: how often the posterior's networks see the reward, one number beside many features.
      mark_resets: whether the dynamics are told that an episode begins; without it they must see that.

    Weights:
      image_std, reward_std: standard deviations of the two likelihoods; pixels are in [0, 1], or standardised.
      reward_coef: weight of the reward's likelihood.
      kl_coef: weight of the divergence of posterior and dynamics.

    What is acted on:
      belief: `moments`, means and standard deviations of both layers; `sample`, a sample of them.
      previous_belief: whether actor and critics also see the belief one frame before and the action since, which tell
        of velocities before the latent state has learned to keep them.
    """

    image_network: Literal["conv", "patches"] = "conv"
    depth: int = 32
    standardise_images: bool = False
    hidden_sizes: tuple[int, ...] = (32, 32)
    activation: Literal["relu", "leaky_relu"] = "relu"
    z1_size: int = 32
    z2_size: int = 256
    memory: Literal["plain", "gated"] = "plain"
    min_std: float = 1e-5
    reward_evidence: bool = True
    reward_copies: int = 32
    mark_resets: bool = True
    image_std: float = 0.1**0.5
    reward_std: float = 0.2
    reward_coef: float = 10.0
    kl_coef: float = 1.0
    belief: Literal["moments", "sample"] = "moments"
    previous_belief: bool = False

    def __post_init__(self):
        check_types(self)
        check_positive("number of hidden_sizes", len(self.hidden_sizes))
        for size in self.hidden_sizes:
            check_positive("hidden_sizes", size)
        for name in ("depth", "z1_size", "z2_size", "min_std", "reward_copies", "image_std", "reward_std"):
            check_positive(name, getattr(self, name))
        check_at_least("reward_coef", self.reward_coef, 0)
        check_at_least("kl_coef", self.kl_coef, 0)

    @property
    def belief_size(self) -> int:
        """Numbers of the belief at one frame."""
        return (self.z1_size + self.z2_size) * (2 if self.belief == "moments" else 1)

    @property
    def has_convolutions(self) -> bool:
        """Whether pictures are convolved."""
        return self.image_network == "conv"


@dataclasses.dataclass(frozen=True)
class MeldConfig:
    """Options of MELD (thesis, section 5.3).

    model: the latent state model.
    sac: the actor-critic.

    What is learned from:
      num_episodes: of a trial, over which the belief is carried.
      training_reward: the signal that the model explains: `reward`, or the name of another one that the environment
        reports (equation 36). The posterior always sees `reward`, all that there is at test time.
      critic_reward: what trains the critics: the `training` reward, as in the thesis, or the posterior's `evidence`,
        `reward`. A dense reward makes the agent wait where it is near to all goals that it holds possible.
      second_stage_reward: the signal that the posterior of a second stage will see, stored beside the others (appendix
        D.3).
      replay_capacity: trials kept of each task.
      expert_share: probability that a trial of a batch comes from the first stage, where there is one.

    How it is learned:
      model_learning_rate: Adam's step size for the model.
      max_model_grad_norm: clip the model's gradient to this norm.
      model_batch_size: trials of a gradient step on the model, of tasks drawn with replacement.
      num_decoded_frames: frames of these trials, drawn anew for each step, whose pictures the step explains: decoding
        is most of its work, and neighbours are alike; 0 means all.
      policy_batch_size: trials whose beliefs are inferred at once for gradient steps of actor and critics alone.
      policy_steps_per_batch: how many such steps learn from these beliefs, which do not change while the model does
        not.
      num_transitions: of the trials of a batch that a step of actor and critics learns from; 0 means all.
      num_model_updates, num_policy_updates: gradient steps of an iteration, in this order, each on batches of its own.
      num_joint_updates: then gradient steps that train both on one batch, on which beliefs are inferred once.

    How data is collected, in trials:
      num_initial_trials: of every train task before the first gradient step, by random actions.
      num_initial_updates: gradient steps on the model that follow.
      num_tasks_per_iteration: train tasks visited in an iteration, one trial each, all different; 0 means all.

    How it is tested:
      averaging_rate: what acts at test time is an average of the parameters, to which every update contributes this
        share; 1 is the parameters themselves. It begins, as a mean, when actor and critics begin to learn.
      deterministic_test: whether test actions are the policy's centre, or drawn.
      num_test_trials: of each test task, over which results are averaged.
      test_every: iterations between tests.
    """

    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    sac: SACConfig = dataclasses.field(default_factory=SACConfig)

    num_episodes: int = 1
    training_reward: str = "reward"
    critic_reward: Literal["training", "evidence"] = "training"
    second_stage_reward: str = "reward"
    replay_capacity: int = 100
    expert_share: float = 0.3

    model_learning_rate: float = 1e-4
    max_model_grad_norm: float = 1e6
    model_batch_size: int = 12
    num_decoded_frames: int = 0
    policy_batch_size: int = 20
    policy_steps_per_batch: int = 1
    num_transitions: int = 512
    num_model_updates: int = 640
    num_policy_updates: int = 640
    num_joint_updates: int = 0

    num_initial_trials: int = 2
    num_initial_updates: int = 1800
    num_tasks_per_iteration: int = 20

    averaging_rate: float = 1.0
    deterministic_test: bool = False
    num_test_trials: int = 1
    test_every: int = 1

    def __post_init__(self):
        check_types(self)
        for name in ("num_episodes", "replay_capacity", "model_batch_size", "policy_batch_size"):
            check_positive(name, getattr(self, name))
        for name in ("num_initial_trials", "num_test_trials", "test_every", "max_model_grad_norm"):
            check_positive(name, getattr(self, name))
        for name in ("num_transitions", "num_model_updates", "num_policy_updates", "num_joint_updates"):
            check_at_least(name, getattr(self, name), 0)
        for name in ("num_decoded_frames", "num_initial_updates", "num_tasks_per_iteration"):
            check_at_least(name, getattr(self, name), 0)
        check_positive("policy_steps_per_batch", self.policy_steps_per_batch)
        if self.num_policy_updates % self.policy_steps_per_batch:
            raise ValueError(
                f"num_policy_updates must be a multiple of policy_steps_per_batch={self.policy_steps_per_batch}, got "
                f"{self.num_policy_updates}"
            )
        check_positive("num_model_updates + num_policy_updates + num_joint_updates", self.num_updates)
        check_rate("model_learning_rate", self.model_learning_rate)
        check_rate("averaging_rate", self.averaging_rate)
        check_rate("expert_share", self.expert_share, zero=True)

    @property
    def num_updates(self) -> int:
        """Gradient steps of an iteration, of all kinds."""
        return self.num_model_updates + self.num_policy_updates + self.num_joint_updates
