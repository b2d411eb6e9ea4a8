import traceback

import pytest
import readmes

TEXT = """# A title

```python
value = 1
```

```
pip install ./packages/a \\
    "./packages/b[c]"  # comment
uv run examples/a.py --x='1 2' && echo
```

Or `uv run examples/b.py --y`.

    uv run examples/c.py

```py
total = value + missing
```
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(TEXT)
    return path


def test_blocks_say_where_they_are(path):
    assert [(block.line, block.source) for block in readmes.read_blocks(path)] == [
        (4, "value = 1\n"),
        (18, "total = value + missing\n"),
    ]


def test_blocks_run_in_one_namespace_and_show_the_readmes_lines(path):
    namespace = {"missing": 2}
    readmes.run_blocks(path, namespace)
    assert namespace["total"] == 3
    with pytest.raises(NameError, match="missing") as caught:
        readmes.run_blocks(path, {})
    assert traceback.extract_tb(caught.value.__traceback__)[-1].lineno == 18


def test_commands(path):
    assert [(command.line, command.words) for command in readmes.read_commands(path, "pip install")] == [
        (8, ("pip", "install", "./packages/a", "./packages/b[c]")),
    ]
    assert [(command.line, command.words) for command in readmes.read_commands(path, "uv run")] == [
        (10, ("uv", "run", "examples/a.py", "--x=1 2")),
        (13, ("uv", "run", "examples/b.py", "--y")),
        (15, ("uv", "run", "examples/c.py")),
    ]
