"""Tutorials run, and show what they print; and how that is compared."""

from pathlib import Path

import pytest
import tutorials

PAGES = sorted((Path(__file__).resolve().parents[2] / "docs/tutorials").glob("*.md"))
PAGE = """Text.

```python
x = 2
print("x is", x / 3)
```

```text
x is 0.7
```

```python
y = x
```

```python
print(y)
```
"""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_tutorial_shows_what_it_prints(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tutorials.run(page)[1] == []


def test_there_are_five_tutorials():
    assert len(PAGES) == 5


def test_outputs_are_written_and_differences_named(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    text, problems = tutorials.run(path)
    assert text == PAGE.replace("0.7", str(2 / 3)) + "\n```text\n2\n```\n"
    assert problems == [f"{path}:17: the code prints\n2\nand the page shows\n"]


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        ("a 1.00 b 10.0 c 3", True),
        ("a  1.10 b 11.0\nc 3", True),  # numbers up to 15% or 0.15, and spaces, do not count
        ("a 1.20 b 10.0 c 3", False),
        ("a 1.00 b 12.0 c 3", False),
        ("a 1.00 b 10.0 c 4", False),  # whole numbers do
        ("a 1.00 b 10.0 d 3", False),
    ],
)
def test_outputs_are_compared(shown, same):
    assert tutorials.is_same("a 1.00 b 10.0 c 3", shown) is same


def test_numbers_of_a_training_are_not_compared_and_words_are(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(PAGE.replace("Text.", tutorials.TRAINED).replace("0.7", "9.9"))
    assert len(tutorials.run(path)[1]) == 1  # what is printed and not shown
    path.write_text(path.read_text().replace("x is 9.9", "y is 9.9"))
    assert len(tutorials.run(path)[1]) == 2


def test_an_error_is_shown_with_the_line_of_the_page(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("Text.\n\n```python\n1 / 0\n```\n")
    with pytest.raises(ZeroDivisionError) as error:
        tutorials.run(path)
    assert (error.traceback[-1].path, error.traceback[-1].lineno + 1) == (path, 4)
