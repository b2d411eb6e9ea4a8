"""Whose mistake an error is: the user's is one line, ours keeps its traceback.

Checks all over the package raise `ValueError`, and so do numpy and JAX where we made a mistake. So the kind does not
tell them apart; the place does. What reads the user's input is marked with `user_errors`. Only there is an error the
user's.
"""

import contextlib
from collections.abc import Generator


class UserError(ValueError):
    """Something that the user gave is not as it must be; the message, of one line, says what."""


FILES = (OSError,)
"""Of `user_errors`: files that cannot be written."""

_KINDS = (ValueError, OSError, ModuleNotFoundError)


@contextlib.contextmanager
def user_errors(kinds: tuple[type[Exception], ...] = _KINDS) -> Generator[None]:
    """Errors of the kinds inside are about what the user gave, and become `UserError`.

    Keep the work itself outside: reading, opening and checking belong here, computing does not.

    Args:
      kinds: by default those for bad values, files that cannot be read, and packages that are not installed. Where
        something is written, `FILES`.
    """
    try:
        yield
    except UserError:
        raise
    except kinds as error:
        raise UserError(str(error)) from error
