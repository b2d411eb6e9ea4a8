"""Tables, verdicts, pictures and messages of examples/didactic_mdps.py."""

import json

import pytest

LAMP = {
    "states": ["dark", "bright"],
    "actions": ["wait", "switch"],
    "next_state": [[0, 1], [1, 0]],
    "reward": [-1, 1],
    "reward_convention": "arrival",
}
PRINTED = {
    "default": (
        [],
        "figure2, k = 1: 12 of 15 representations",
        "fwd: maximum 2.0000 bits (1 representations), sufficient for Q*.",
        "The maximiser {s0,s3} {s1} {s2} is not sufficient for an optimal policy",
        "earns 4.7500, an optimal one 5.0000",
    ),
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
def directory(tmp_path_factory):
    """Where the files of the cases are."""
    directory = tmp_path_factory.mktemp("didactic")
    (directory / "lamp.json").write_text(json.dumps(LAMP))
    broken = {"transition": [[[0.9]]], "reward": [0], "reward_convention": "state"}
    (directory / "broken.json").write_text(json.dumps(broken))
    return directory


@pytest.mark.parametrize("name", PRINTED)
def test_tables_verdicts_and_pictures(run, directory, name):
    flags, *texts = PRINTED[name]
    result = run("didactic_mdps.py", f"--output={name}.png", *flags, cwd=directory, alone=name == "default")
    assert result.returncode == 0, result.stderr
    for text in texts:
        assert text in result.stdout
    assert (directory / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ERRORS)
def test_user_errors_end_with_a_line_and_code_2(run, directory, name):
    flags, message = ERRORS[name]
    result = run("didactic_mdps.py", f"--output={name}.png", *flags, cwd=directory)
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (directory / f"{name}.png").exists()


def test_help_names_the_flags(run, tmp_path):
    result = run("didactic_mdps.py", "--help", cwd=tmp_path)
    for flag in ("--mdp", "--file", "--objectives", "--k", "--output"):
        assert flag in result.stdout
