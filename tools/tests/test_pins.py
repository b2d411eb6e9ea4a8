import pins
import pytest


def test_parse_pins_keeps_markers_only_of_forked_packages():
    requirements = """\
# a comment
--an-option
uvloop==0.23.0 ; sys_platform != 'win32'
jax==0.12.0.1 ; python_full_version >= '3.12'
jax==0.10.2 ; python_full_version < '3.12'
absl-py==2.5.1
"""
    assert pins.parse_pins(requirements) == [
        "absl-py==2.5.1",
        "jax==0.10.2 ; python_full_version < '3.12'",
        "jax==0.12.0.1 ; python_full_version >= '3.12'",
        "uvloop==0.23.0",
    ]


def test_replace_pins_replaces_only_the_block():
    text = f"a = 1\n{pins.BEGIN}old = []\n{pins.END}b = 2\n"
    block = pins.format_pins("new", ["x==1"])
    assert pins.replace_pins(text, block) == f'a = 1\n{pins.BEGIN}new = [\n  "x==1",\n]\n{pins.END}b = 2\n'


def test_replace_pins_needs_the_comments():
    with pytest.raises(ValueError, match="lacks the comments"):
        pins.replace_pins("a = 1\n", "")


@pytest.mark.parametrize(
    ("pinned", "installed", "expected"),
    [
        (["a-b==1.0"], ("A_b", "1.0"), []),
        (["torch==2.13.0"], ("torch", "2.13.0+cpu"), []),
        (["a==1.0.dev1"], ("a", "1.0.dev1"), []),
        (["a==1.0"], ("a", "1.1"), ["a is 1.1, its pin says a==1.0"]),
        (["a==1.0"], ("b", "1.0"), ["b 1.0 has no pin"]),
        (["a==1.0 ; python_version < '3'", "a==2.0 ; python_version >= '3'"], ("a", "2.0"), []),
        (["a==1.0 ; python_version < '3'"], ("a", "1.0"), ["a 1.0 has no pin"]),
    ],
)
def test_find_mismatches(pinned: list[str], installed: tuple[str, str], expected: list[str]):
    assert pins.find_mismatches(pinned, [installed]) == expected


def test_every_pin_names_one_exact_version():
    tables = pins.tomllib.loads((pins.ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    for pin in tables["constraint-dependencies"] + tables["build-constraint-dependencies"]:
        (specifier,) = pins.Requirement(pin).specifier
        assert specifier.operator == "=="
