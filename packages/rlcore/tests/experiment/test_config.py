"""Configs: parsing, overriding, comparing and checking."""

import dataclasses
import json
import re
from typing import Any, Literal

import numpy as np
import pytest
from rlcore.experiment import (
    check_at_least,
    check_choice,
    check_positive,
    check_rate,
    check_types,
    difference,
    from_dict,
    override,
    to_dict,
)


@dataclasses.dataclass(frozen=True)
class Sac:
    """A nested part."""

    discount: float = 0.99
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        check_rate("discount", self.discount)
        if self.low > self.high:
            raise ValueError(f"low must be at most high, got {self.low} > {self.high}")


@dataclasses.dataclass(frozen=True)
class Config:
    """An option of every type."""

    num_tasks: int = 2
    rate: float = 0.5
    verbose: bool = False
    name: str = "a"
    limit: int | None = None
    target: float | None = 1.0
    layers: tuple[int, ...] = (64, 64)
    size: tuple[int, float] = (1, 2.0)
    encoder: Literal["conv", "mlp"] = "conv"
    sac: Sac = dataclasses.field(default_factory=Sac)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("num_tasks=3", {"num_tasks": 3}),
        ("rate=1e-3", {"rate": 0.001}),
        ("rate=2", {"rate": 2.0}),
        ("verbose=true", {"verbose": True}),
        ("verbose=False", {"verbose": False}),
        ("name=b=c", {"name": "b=c"}),
        (" name = b ", {"name": "b"}),
        ("limit=7", {"limit": 7}),
        ("limit=none", {"limit": None}),
        ("target=None", {"target": None}),
        ("layers=32", {"layers": (32,)}),
        ("layers=(32, 16)", {"layers": (32, 16)}),
        ("layers=(32,)", {"layers": (32,)}),
        ("layers=()", {"layers": ()}),
        ("size=3,0.5", {"size": (3, 0.5)}),
        ("encoder=mlp", {"encoder": "mlp"}),
        ("sac.discount=0.95", {"sac": Sac(discount=0.95)}),
    ],
)
def test_override(assignment: str, expected: dict[str, Any]) -> None:
    assert override(Config(), [assignment]) == dataclasses.replace(Config(), **expected)


def test_override_keeps_the_type() -> None:
    assert isinstance(override(Config(), ["rate=2"]).rate, float)


def test_the_last_override_of_a_name_counts() -> None:
    assert override(Config(), ["num_tasks=3", "num_tasks=4"]).num_tasks == 4


def test_overrides_that_are_tied_together_are_checked_together() -> None:
    assert override(Config(), ["sac.low=5", "sac.high=6"]).sac == Sac(low=5.0, high=6.0)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("num_tasks", "override must look like name=value, got 'num_tasks'"),
        ("num_tasks=1.5", "num_tasks must be an integer, got '1.5'"),
        ("rate=fast", "rate must be a number, got 'fast'"),
        ("verbose=1", "verbose must be true or false, got '1'"),
        ("limit=x", "limit must be an integer or none, got 'x'"),
        ("layers=64,x", "layers must be a list such as 64,64 where each is an integer, got '64,x'"),
        ("size=1", "size must be 2 values: an integer, a number, got '1'"),
        ("encoder=cnn", "encoder must be one of conv, mlp, got 'cnn'"),
        ("num_task=3", "unknown option 'num_task', did you mean num_tasks?"),
        ("discount=0.9", "unknown option 'discount', did you mean sac.discount?"),
        ("sac=1", "unknown option 'sac', did you mean sac.discount or sac.low or sac.high?"),
        ("sac.discount=2", "sac: discount must be in (0, 1], got 2.0"),
        ("sac.low=5", "sac: low must be at most high, got 5.0 > 1.0"),
    ],
)
def test_override_errors(assignment: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        override(Config(), [assignment])


def test_an_option_like_no_other_lists_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"unknown option 'zzz'; the options are num_tasks, .*, sac\.high$"):
        override(Config(), ["zzz=1"])


def test_to_dict_is_what_json_gives_back() -> None:
    config = to_dict(Config())
    assert config["layers"] == [64, 64]
    assert config["sac"] == {"discount": 0.99, "low": 0.0, "high": 1.0}
    assert json.loads(json.dumps(config)) == config


def test_from_dict_is_the_inverse() -> None:
    config = override(Config(), ["layers=8,4", "limit=3", "sac.discount=0.5"])
    assert from_dict(Config, to_dict(config)) == config


def test_from_dict_refuses_other_fields() -> None:
    values = {"discount": 0.9, "low": 0.0, "height": 1.0}
    with pytest.raises(ValueError, match="the options of Sac are not those of this version; different: height, high"):
        from_dict(Sac, values)


def test_difference() -> None:
    old = to_dict(Config())
    new = to_dict(override(Config(), ["sac.discount=0.95", "layers=1"]))
    assert difference(old, new) == ["layers: [64, 64] (run) != [1] (now)", "sac.discount: 0.99 (run) != 0.95 (now)"]
    assert difference(old, old) == []
    assert difference({"a": None}, {"b": {"c": "x"}}) == [
        "a: null (run) != not set (now)",
        'b.c: not set (run) != "x" (now)',
    ]


def test_checks_pass_good_values() -> None:
    check_positive("n", 1)
    check_at_least("n", 0, 0)
    check_rate("tau", 1)
    check_rate("tau", 0, zero=True)
    check_choice("encoder", "b", ("a", "b"))


@pytest.mark.parametrize(
    ("check", "arguments", "message"),
    [
        (check_positive, ("batch_size", 0), "batch_size must be positive, got 0"),
        (check_positive, ("lr", float("nan")), "lr must be positive, got nan"),
        (check_at_least, ("kl_coef", -1.0, 0), "kl_coef must be at least 0, got -1.0"),
        (check_at_least, ("kl_coef", float("nan"), 0), "kl_coef must be at least 0, got nan"),
        (check_rate, ("tau", 0.0), "tau must be in (0, 1], got 0.0"),
        (check_rate, ("tau", float("nan")), "tau must be in (0, 1], got nan"),
        (check_choice, ("encoder", "c", ("a", "b")), "encoder must be one of a, b, got 'c'"),
    ],
)
def test_checks_name_the_option_and_its_value(check: Any, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check(*arguments)


def test_a_rate_that_may_be_zero() -> None:
    with pytest.raises(ValueError, match=r"^dropout must be in \[0, 1\], got -0.1$"):
        check_rate("dropout", -0.1, zero=True)


@dataclasses.dataclass(frozen=True)
class Typed:
    """A field of each kind."""

    whole: int = 1
    number: float = 1.0
    flag: bool = False
    sizes: tuple[int, ...] = (1,)
    choice: Literal["a", "b"] = "a"
    maybe: float | None = None
    nested: Sac | None = None

    def __post_init__(self):
        check_types(self)


@pytest.mark.parametrize(
    "fields",
    [
        {"whole": np.int64(3)},
        {"number": 2},
        {"number": np.float32(2)},
        {"sizes": ()},
        {"maybe": 0.5},
        {"maybe": 1},
    ],
    ids=str,
)
def test_values_of_their_types_fit(fields):
    Typed(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"whole": 2.0}, "whole must be an integer, got 2.0"),
        ({"whole": True}, "whole must be an integer, got True"),
        ({"whole": "2"}, "whole must be an integer, got '2'"),
        ({"whole": None}, "whole must be an integer, got None"),
        ({"number": "0.5"}, "number must be a number, got '0.5'"),
        ({"number": False}, "number must be a number, got False"),
        ({"flag": 1}, "flag must be true or false, got 1"),
        ({"sizes": [1]}, r"sizes must be a list such as 64,64 where each is an integer, got \[1\]"),
        ({"sizes": (1, 2.5)}, r"sizes must be a list .* got \(1, 2.5\)"),
        ({"choice": 3}, "choice must be one of a, b, got 3"),
        ({"choice": "c"}, "choice must be one of a, b, got 'c'"),
        ({"maybe": "none"}, "maybe must be a number or none, got 'none'"),
    ],
    ids=str,
)
def test_values_of_other_types_are_refused_by_name(fields, message):
    with pytest.raises(ValueError, match=message):
        Typed(**fields)
