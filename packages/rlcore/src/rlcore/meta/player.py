"""A trained policy in one environment, step by step: a robot's loop, or anybody's who steps an environment himself."""

from typing import Any

import chex
import jax
import numpy as np

from rlcore.experiment import NonFiniteError
from rlcore.meta.policy import MetaPolicy
from rlcore.meta.trials import begin_trial_and_act, observe_and_act
from rlcore.rollout import make_action_scaling
from rlcore.types import Params, Transition


class Player:
    """Acts and adapts in one environment.

    ```
    player = trained.player()
    obs, _ = env.reset()
    for _ in range(num_steps):
        obs, reward, terminated, truncated, _ = env.step(player.act(obs))
        player.observe(obs, reward, terminated, truncated)
        if terminated or truncated:
            obs, _ = env.reset()
    ```

    Where an episode ends, the next one of the same trial begins; `begin_trial` forgets the task.

    Args:
      policy: what acts and remembers.
      params: the policy's.
      observation_space, action_space: gymnasium's, of the environment. Actions are in its units.
      key: consumed.
    """

    def __init__(
        self, policy: MetaPolicy, params: Params, observation_space: Any, action_space: Any, key: chex.PRNGKey
    ) -> None:
        self._policy, self._params, self._key = policy, params, key
        self._observation_space = observation_space
        self._to_env = make_action_scaling(action_space)
        self.begin_trial()

    def begin_trial(self) -> None:
        """Forgets all that was seen."""
        self._memory: Any = None
        self._obs: Any = None
        self._action: np.ndarray | None = None
        self._seen: tuple[Transition, np.ndarray] | None = None

    def act(self, obs: Any) -> np.ndarray:
        """What to do where `obs` is seen, in the environment's units.

        Raises:
          ValueError: the observation does not fit the observation space, or what the last action led to is not known.
          NonFiniteError: the observation is not finite, or the agent's action is not.
        """
        if self._action is not None:
            raise ValueError("act was called twice: call observe with what env.step returned")
        self._obs, (self._key, act_key) = self._one(obs), jax.random.split(self._key)
        if self._seen is None:
            action, self._memory = begin_trial_and_act(self._policy, self._params, self._obs, act_key, 1)
        else:
            action, self._memory = observe_and_act(
                self._policy, self._params, self._memory, *self._seen, self._obs, act_key
            )
        action = np.asarray(action)
        if not np.isfinite(action).all():
            raise NonFiniteError(f"the agent's action is {action[0]}")
        self._action = action
        return self._to_env(action)[0]

    def observe(self, obs: Any, reward: float, terminated: bool, truncated: bool) -> None:
        """Takes in what the last action led to: what `env.step` returned, in its order.

        Raises:
          ValueError: there was no action, or the observation does not fit.
          NonFiniteError: the observation or the reward is not finite.
        """
        if self._action is None:
            raise ValueError("observe was called without act before it")
        if not np.isfinite(reward):
            raise NonFiniteError(f"the environment's reward is {reward}")
        transition = Transition(
            obs=self._obs,
            action=self._action,
            reward=np.asarray([reward], np.float32),
            discount=np.asarray([not terminated], np.float32),
            next_obs=self._one(obs),
        )
        self._seen, self._action = (transition, np.asarray([bool(terminated) or bool(truncated)])), None

    def _one(self, obs: Any) -> Any:
        """The observation as that of one environment side by side with no other, `[1, ...]`; a copy."""
        space = self._observation_space
        one = jax.tree.map(lambda leaf: np.array(leaf)[None], obs)
        if hasattr(space, "dtype") and space.shape is not None:
            array = np.array(obs)
            if array.shape != space.shape or not np.can_cast(array.dtype, space.dtype, "same_kind"):
                raise ValueError(f"obs must fit {space}, got {array.dtype}{list(array.shape)}")
            one = array.astype(space.dtype)[None]
        for leaf in jax.tree.leaves(one):
            if np.issubdtype(leaf.dtype, np.inexact) and not np.isfinite(leaf).all():
                raise NonFiniteError(f"the environment's observation is {leaf[0]}")
        return one
