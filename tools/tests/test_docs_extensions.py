"""The site's own steps: docstrings from Markdown to what Sphinx reads, and what a page of the API names."""

import api_pages
from markdown_docstrings import Converter


def convert(text):
    return [line for line in Converter(text.strip("\n").split("\n")).convert() if line.strip()]


def test_fields_become_a_definition_list():
    text = """
Options.

What is learned, in steps: others follow.
  sac: the actor-critic, of
    some size.
  mean, std: of |x| in `a*b`s.
"""
    assert convert(text) == [
        "Options.",
        "What is learned, in steps: others follow.",
        "  ``sac``",
        "      the actor-critic, of",
        "      some size.",
        "  ``mean``, ``std``",
        r"      of \|x\| in `a*b`\ s.",
    ]


def test_sections_are_left_to_napoleon():
    assert convert("Makes.\n\nArgs:\n  size: of **it.\n\nAfter.") == [
        "Makes.",
        "Args:",
        r"  size: of \*\*it.",
        "After.",
    ]


def test_code_stays_as_it_is():
    assert convert("See:\n\n    z = a_ * |b|\n\nor\n\n```\nx: *1\n```") == [
        *("See:", "::", "    z = a_ * |b|", "or", "::", "    x: *1"),
    ]


def test_tables():
    assert convert("| name | |\n| --- | --- |\n| a_ | - |")[2:] == [
        r"   * - name",
        "     - ",
        r"   * - a\_",
        r"     - \-",
    ]


def test_a_module_is_shown_with_what_it_defines(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        'from math import pi\n\nA = 1\n"""Said."""\nB = 2\n_C = 3\n"""Private."""\n\ndef f(): ...\n\nclass G: ...\n'
    )
    assert api_pages.find_members(path) == ["A", "f", "G"]
