"""Configs are frozen dataclasses, nested where an algorithm has parts; these tools read, change and compare them."""

import dataclasses
import difflib
import json
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

from rlcore.experiment.parsing import describe, parse

ConfigT = TypeVar("ConfigT")


def to_dict(config: Any) -> dict[str, Any]:
    """Returns the dataclass `config` as JSON would give it back: nested dicts, with lists for tuples.

    Raises `TypeError` if a field holds what JSON cannot.
    """
    return json.loads(json.dumps(dataclasses.asdict(config)))


def from_dict(config_type: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
    """Returns the config that `to_dict` made `values` of.

    Args:
      config_type: a frozen dataclass, with nested ones where `values` has dicts.
      values: one entry for each field.

    Raises `ValueError` if the entries are not the fields, as in the config of a run of another version.
    """
    hints = typing.get_type_hints(config_type)
    names = {field.name for field in dataclasses.fields(cast(Any, config_type)) if field.init}
    if names != set(values):
        wrong = ", ".join(sorted(names ^ set(values)))
        raise ValueError(f"the options of {config_type.__name__} are not those of this version; different: {wrong}")

    def convert(hint: Any, value: Any) -> Any:
        if dataclasses.is_dataclass(hint):
            return from_dict(hint, value)
        return tuple(value) if isinstance(value, list) else value

    return config_type(**{name: convert(hints[name], value) for name, value in values.items()})


def override(config: ConfigT, assignments: Iterable[str]) -> ConfigT:
    """Returns `config` with options replaced, so that every `__post_init__` checks the result.

    Args:
      config: a frozen dataclass.
      assignments: `name=value`, where a dot enters a nested config: `sac.discount=0.95`. Each value is parsed by the
        annotation of its field, see `rlcore.experiment.parsing.parse`. The last one of a name counts.

    Raises `ValueError` of one line for an unknown name, a value that does not fit its type, or a check that fails.
    """
    annotations = dict(_annotations(config))
    changes: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals:
            raise ValueError(f"override must look like name=value, got {assignment!r}")
        if name not in annotations:
            raise ValueError(f"unknown option {name!r}{_suggest(name, list(annotations))}")
        try:
            changes[name] = parse(text, annotations[name])
        except ValueError:
            raise ValueError(f"{name} must be {describe(annotations[name])}, got {text!r}") from None
    return _replace(config, changes)


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Returns a line for each option in which the config of a run differs from the one given now.

    Both are dicts as from `to_dict`. A line reads `sac.discount: 0.99 (run) != 0.95 (now)`.
    """
    before, after = dict(_flatten(old)), dict(_flatten(new))
    names = list(before) + [name for name in after if name not in before]
    return [
        f"{name}: {before.get(name, 'not set')} (run) != {after.get(name, 'not set')} (now)"
        for name in names
        if before.get(name) != after.get(name)
    ]


def _annotations(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from _annotations(value, f"{prefix}{field.name}.")
        elif field.init:
            yield prefix + field.name, hints[field.name]


def _replace(config: Any, changes: Mapping[str, Any]) -> Any:
    """Replaces every option of one dataclass at once: its checks may tie several of them together."""
    groups: dict[str, dict[str, Any]] = {}
    fields: dict[str, Any] = {}
    for name, value in changes.items():
        group, dot, rest = name.partition(".")
        if dot:
            groups.setdefault(group, {})[rest] = value
        else:
            fields[name] = value
    for group, nested in groups.items():
        try:
            fields[group] = _replace(getattr(config, group), nested)
        except ValueError as error:
            raise ValueError(f"{group}: {error}") from None
    return dataclasses.replace(config, **fields)


def _suggest(name: str, known: list[str]) -> str:
    nested = [option for option in known if option.startswith(f"{name}.") or option.endswith(f".{name}")]
    close = nested or difflib.get_close_matches(name, known)
    return f", did you mean {' or '.join(close)}?" if close else f"; the options are {', '.join(known)}"


def _flatten(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, json.dumps(value)
