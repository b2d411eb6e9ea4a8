"""A training program in small, run by the tests as a user would run one. Also a module of a toy training step."""

import dataclasses
import signal
import time
from typing import Any, NamedTuple

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import jax
import jax.numpy as jnp
import optax
from rlcore import experiment

Metrics = dict[str, jax.Array]


@dataclasses.dataclass(frozen=True)
class Config:
    """Options of the toy."""

    learning_rate: float = 0.1
    nan_at: int | None = None
    sleep_s: float = 0.0

    def __post_init__(self) -> None:
        experiment.check_positive("learning_rate", self.learning_rate)


class State(NamedTuple):
    """A state with every kind of leaf that training has."""

    params: dict[str, jax.Array]
    opt_state: optax.OptState
    replay: jax.Array
    full: jax.Array
    iteration: jax.Array
    key: jax.Array


def make_optimizer(config: Config) -> optax.GradientTransformation:
    """Returns the optimizer of the toy."""
    return optax.adam(config.learning_rate)


def init_state(config: Config, seed: int) -> State:
    """Returns the state before the first iteration."""
    key, params_key = jax.random.split(jax.random.key(seed))
    params = {"w": jax.random.normal(params_key, (4,)), "b": jnp.zeros(())}
    return State(
        params=params,
        opt_state=make_optimizer(config).init(params),
        replay=jnp.zeros((16, 4), jnp.uint8),
        full=jnp.zeros((), bool),
        iteration=jnp.zeros((), jnp.int32),
        key=key,
    )


def step(config: Config, state: State) -> tuple[State, Metrics]:
    """Collects a row of noise into the replay and fits a line to all rows."""
    key, noise_key = jax.random.split(state.key)
    row = jax.random.randint(noise_key, (4,), 0, 255).astype(jnp.uint8)
    replay = state.replay.at[state.iteration % 16].set(row)

    def loss_fn(params: dict[str, jax.Array]) -> jax.Array:
        return jnp.mean(jnp.square((replay / 255.0) @ params["w"] + params["b"] - 1.0))

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    updates, opt_state = make_optimizer(config).update(grads, state.opt_state, state.params)
    iteration = state.iteration + 1
    nan_at = -1 if config.nan_at is None else config.nan_at
    metrics = {"loss/fit": jnp.where(iteration == nan_at, jnp.nan, loss), "test/return": -loss}
    params: Any = optax.apply_updates(state.params, updates)
    return State(params, opt_state, replay, iteration >= 16, iteration, key), metrics


init_fn = jax.jit(init_state, static_argnums=(0, 1))
step_fn = jax.jit(step, static_argnums=0, donate_argnums=1)


def train(config: Config, seed: int, num_iterations: int, run: experiment.Run) -> State:
    """Trains up to `num_iterations`."""
    with run:
        state, start = run.restore(init_fn(config, seed))
        for iteration in run.iterations(start, num_iterations):
            state, metrics = step_fn(config, state)
            time.sleep(config.sleep_s)
            run.finish_iteration(iteration, state, metrics)
    return state


def main() -> None:
    """Runs the program with flags."""
    training_flags = experiment.define_training_flags(
        default_benchmark="noise",
        default_preset="tiny",
        presets={"tiny": "small", "cpu": "larger"},
        default_checkpoint_every=2,
    )

    def run_program() -> None:
        experiment.enable_compilation_cache()
        with experiment.user_errors():
            config = experiment.override(Config(), training_flags.override.value)
            run = experiment.Run.open(
                experiment.get_run_dir(training_flags),
                {"seed": training_flags.seed.value, **experiment.to_dict(config)},
                checkpoint_every=training_flags.checkpoint_every.value,
            )
        state = train(config, training_flags.seed.value, training_flags.num_iterations.value or 5, run)
        for number in range(1000):  # more than a pipe holds
            print(number, state.params["w"].sum() * jnp.ones(20))
        print("the end", flush=True)
        (experiment.get_run_dir(training_flags) / "report").write_text("done")

    experiment.main(run_program)


if __name__ == "__main__":
    main()
