"""Tables, verdicts, pictures and messages of examples/didactic_mdps.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1]
# One process for all cases: starting it takes longer than they do.
DRIVER = """
import contextlib, io, json, sys
sys.path.insert(0, sys.argv[1])
import didactic_mdps
from absl import flags
results = {}
for name, arguments in json.loads(sys.stdin.read()).items():
    for flag in ("mdp", "file", "objectives", "k", "max_states", "rows", "output"):
        flags.FLAGS[flag].value = flags.FLAGS[flag].default
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            flags.FLAGS(["didactic_mdps", f"--output={name}.png", *arguments])
            didactic_mdps.run()
        except SystemExit as ended:
            code = ended.code
    results[name] = (out.getvalue(), err.getvalue(), code)
print(json.dumps(results))
"""
LAMP = {
    "states": ["dark", "bright"],
    "actions": ["wait", "switch"],
    "next_state": [[0, 1], [1, 0]],
    "reward": [-1, 1],
    "reward_convention": "arrival",
}
PRINTED = {
    "default": ([], "figure2, k = 1: 12 of 15 representations"),
    "fwd": ([], "fwd: maximum 2.0000 bits (1 representations), sufficient for Q*."),
    "state": ([], "The maximiser {s0,s3} {s1} {s2} is not sufficient for an optimal policy"),
    "cost": ([], "earns 4.7500, an optimal one 5.0000"),
    "xor": (["--mdp=xor", "--objectives=state"], "The maximiser {s0,s1} is not sufficient"),
    "rows": (["--mdp=figure3", "--objectives=inv,inv+reward", "--rows=5"], "figure3, k = 1: 5 of 203 representations"),
    "k": (["--mdp=figure3_small", "--objectives=inv", "--k=2"], "condition violated (k)"),
    "bandit": (["--mdp=contextual_bandit", "--objectives=fwd+reward_action"], "condition violated (reward)"),
    "policy": (["--mdp=state_dependent_policy", "--objectives=inv"], "condition violated (state_independent_policy)"),
    "merges": (["--max_states=3", "--objectives=fwd,state"], "coarsest J_state"),
    "grip": (["--mdp=mini_catcher_grip", "--objectives=inv"], "no fruit            2.5850    2.1405*  -"),
    "file": (["--file=lamp.json", "--objectives=state"], "(optimal are dark: switch; bright: wait)"),
}
ERRORS = {
    "row": (["--file=broken.json"], "error: broken.json: transition[s0, a0] sums to 0.9, must be 1\n"),
    "objective": (["--objectives=forward"], "objective 'forward': 'forward' must be one of fwd, state, inv, reward"),
    "cap": (["--max_states=13"], "max_states must be at most 12, got 13"),
    "monotone": (
        ["--max_states=2", "--mdp=state_dependent_policy", "--objectives=inv"],
        "the policy depends on the state",
    ),
    "missing": (["--file=none.json"], "none.json: No such file or directory"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What each case printed, its messages and exit code, and where the pictures are."""
    directory = tmp_path_factory.mktemp("didactic")
    (directory / "lamp.json").write_text(json.dumps(LAMP))
    broken = {"transition": [[[0.9]]], "reward": [0], "reward_convention": "state"}
    (directory / "broken.json").write_text(json.dumps(broken))
    cases = {name: arguments for name, (arguments, _) in {**PRINTED, **ERRORS}.items()}
    process = _run("-c", DRIVER, str(EXAMPLES), input=json.dumps(cases), cwd=directory)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout), directory


def _run(*arguments, **options):
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False, **options)


@pytest.mark.parametrize("name", PRINTED)
def test_tables_verdicts_and_pictures(results, name):
    by_name, directory = results
    printed, messages, code = by_name[name]
    assert code == 0, messages
    assert PRINTED[name][1] in printed
    assert (directory / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ERRORS)
def test_user_errors_end_with_a_line_and_code_2(results, name):
    by_name, directory = results
    _, messages, code = by_name[name]
    assert code == 2
    assert ERRORS[name][1] in messages
    assert len(messages.strip().splitlines()) == 1
    assert not (directory / f"{name}.png").exists()


def test_help_names_the_flags(tmp_path):
    result = _run(EXAMPLES / "didactic_mdps.py", "--help", cwd=tmp_path)
    for flag in ("--mdp", "--file", "--objectives", "--k", "--output"):
        assert flag in result.stdout
