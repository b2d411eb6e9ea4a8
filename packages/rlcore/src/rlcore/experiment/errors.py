"""The errors that a user of a training program meets, and what they mean."""


class RunError(ValueError):
    """A run directory cannot be used as asked; the message tells the user why and what to do."""


class NonFiniteError(ArithmeticError):
    """A metric became infinite or not a number, so training stopped before logging or saving that iteration."""
