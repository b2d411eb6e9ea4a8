"""The README's first example runs as it is."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_first_example_runs(capsys):
    example = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    namespace = {"__name__": "__main__"}
    exec(example, namespace)
    assert "success rate at its last step" in capsys.readouterr().out
    assert namespace["outcome"].returns.shape == (10, 2)
