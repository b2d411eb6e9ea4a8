"""Text from the command line to values of an annotated type."""

import types
import typing
from collections.abc import Callable
from typing import Any, Literal

_NONE_TYPE = type(None)
_BOOLS = {"true": True, "false": False}
_EXPECTED = {int: "an integer", float: "a number", bool: "true or false", str: "text", _NONE_TYPE: "none"}


def parse(text: str, annotation: Any) -> Any:
    """Returns `text` as a value of `annotation`.

    Knows int, float, bool, str, None, `Literal`, unions of these (the first member that fits wins, None before all) and
    tuples, written `64,64` or `(64, 64)`.

    Raises `ValueError` if the text does not fit, and `TypeError` for an annotation that it does not know.
    """
    origin, members = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return _parse_choice(text, members)
    if origin in (typing.Union, types.UnionType):
        return _parse_union(text, members)
    if origin is tuple:
        return _parse_tuple(text, members)
    if annotation not in _PARSERS:
        raise TypeError(f"cannot parse an option of type {annotation}")
    return _PARSERS[annotation](text)


def describe(annotation: Any) -> str:
    """Returns what `parse` accepts for `annotation`, in words."""
    origin, members = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return "one of " + ", ".join(str(member) for member in members)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe(member) for member in members)
    if origin is tuple and len(members) == 2 and members[1] is Ellipsis:
        return f"a list such as 64,64 where each is {describe(members[0])}"
    if origin is tuple:
        return f"{len(members)} values: {', '.join(describe(member) for member in members)}"
    return _EXPECTED[annotation]


def _parse_choice(text: str, choices: tuple[Any, ...]) -> Any:
    for choice in choices:
        if text == str(choice):
            return choice
    raise ValueError(text)


def _parse_union(text: str, members: tuple[Any, ...]) -> Any:
    for member in sorted(members, key=lambda member: member is not _NONE_TYPE):
        try:
            return parse(text, member)
        except ValueError:
            continue
    raise ValueError(text)


def _parse_tuple(text: str, members: tuple[Any, ...]) -> tuple[Any, ...]:
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    items = [item.strip() for item in text.removesuffix(",").split(",")] if text else []
    if len(members) == 2 and members[1] is Ellipsis:
        members = (members[0],) * len(items)
    if len(items) != len(members):
        raise ValueError(text)
    return tuple(parse(item, member) for item, member in zip(items, members, strict=True))


def _parse_bool(text: str) -> bool:
    if text.lower() not in _BOOLS:
        raise ValueError(text)
    return _BOOLS[text.lower()]


def _parse_none(text: str) -> None:
    if text.lower() != "none":
        raise ValueError(text)


_PARSERS: dict[Any, Callable[[str], Any]] = {
    int: int,
    float: float,
    bool: _parse_bool,
    str: str,
    _NONE_TYPE: _parse_none,
}
