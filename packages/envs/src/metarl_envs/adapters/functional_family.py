"""Task families over a pure JAX environment."""

from gymnasium.vector import AutoresetMode

from metarl_envs.adapters.functional_env import FunctionalEnv
from metarl_envs.adapters.functional_vector import FunctionalVectorEnv
from metarl_envs.arguments import check_count
from metarl_envs.tasks import AnyFuncEnv, Task, TaskFamily, Tasks


class FunctionalFamily(TaskFamily):
    """A family whose steps a `FuncEnv` computes; a subclass brings `sample_tasks`."""

    def __init__(self, functional: AnyFuncEnv, horizon: int) -> None:
        """Makes the family.

        Args:
          functional: its `params` is the task; hashable, and equal to another only if it computes the same.
          horizon: steps after which an episode is truncated.
        """
        self._functional = functional
        self.horizon = check_count("horizon", horizon)
        self.observation_space = functional.observation_space
        self.action_space = functional.action_space

    @property
    def functional(self) -> AnyFuncEnv:
        """The pure JAX environment whose `params` is the task."""
        return self._functional

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> FunctionalVectorEnv:
        """See `TaskFamily.make_vec`; the seed is that of the first `reset`.

        The environments can `render`, which costs nothing until it is called.
        """
        return FunctionalVectorEnv(self._functional, tasks, self.horizon, seed, "rgb_array", AutoresetMode.DISABLED)

    def make_env(self, task: Task, render_mode: str | None = None) -> FunctionalEnv:
        """Plays one task, without a time limit."""
        return FunctionalEnv(self._functional, task, render_mode)

    def make_limited_vec(self, tasks: Tasks, horizon: int, render_mode: str | None = None) -> FunctionalVectorEnv:
        """As `make_vec`, with another horizon and render mode, and with autoreset in the same step."""
        return FunctionalVectorEnv(self._functional, tasks, horizon, render_mode=render_mode)
