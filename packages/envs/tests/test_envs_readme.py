"""The README's first example runs as it is."""

import pathlib
import re

README = pathlib.Path(__file__).parents[1] / "README.md"


def test_first_example_runs(capsys):
    code = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL).group(1)
    exec(compile(code, str(README), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out
