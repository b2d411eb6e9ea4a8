"""The README's examples run as they are."""

import pathlib
import re

import pytest

pytestmark = pytest.mark.wheel

README = pathlib.Path(__file__).parents[1] / "README.md"


@pytest.mark.usefixtures("scratch_registry")
def test_examples_run_in_order(capsys):
    namespace = {"__name__": "__main__"}
    examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    exec(examples[0], namespace)
    assert capsys.readouterr().out == "best possible return 13.4; distance at the end 0.00 m\n"
    for example in examples[1:]:
        exec(example, namespace)
