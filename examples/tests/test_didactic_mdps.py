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
        "figure2, k = 1: 12 of 15 representations, values in bits, * maximal",
        "r8     1.5000    1.0000     1.0000*    0.0000   -                  {s0,s3} {s1} {s2}",
        "fwd: maximum 2.0000 bits (1 representations), sufficient for Q*.",
        "The maximiser {s0,s3} {s1} {s2} is not sufficient for an optimal policy",
        "earns 4.7500, an optimal one 5.0000",
    ),
    "xor": (["--mdp=xor", "--objectives=state"], "The maximiser {s0,s1} is not sufficient"),
    "rows": (["--mdp=figure3", "--objectives=inv,inv+reward", "--rows=5"], "figure3, k = 1: 5 of 203 representations"),
    "k": (["--mdp=figure3_small", "--objectives=inv", "--k=2"], "condition violated (k)"),
    "bandit": (["--mdp=contextual_bandit", "--objectives=fwd+reward_action"], "condition violated (reward)"),
    "policy": (["--mdp=state_dependent_policy", "--objectives=inv"], "condition violated (state_independent_policy)"),
    "merges": (
        ["--max_states=3", "--objectives=fwd,state"],
        "r2    1.0000    1.0000     1.0000*  -               coarsest J_state",
        "r4    1.5000    1.0000     1.0000*  -               a maximiser of J_state",
        "r5    2.0000    2.0000*    1.0000*  Q*              coarsest J_fwd, identity",
    ),
    "grip": (["--mdp=mini_catcher_grip", "--objectives=inv"], "r2    2.5850    2.1405*  -               no fruit"),
    "inverse": (
        ["--mdp=levine_periodic", "--objectives=ac-state,acdf", "--k=2"],
        "ac-state, k = 2: NOT the endogenous state: a maximiser mixes ",
        "acdf, k = 2: the smallest maximiser is the endogenous state.",
    ),
    "endogenous": (
        ["--objectives=fwd", "--endogenous=0,0,1,1"],
        "fwd, k = 1: the endogenous state is kept, and noise with it: the smallest maximiser is {s0} {s1} {s2} {s3}.",
    ),
    "island": (
        ["--file=island.json", "--objectives=fwd"],
        "no verdict: the data never show s4; restrict_to_reachable()",
    ),
    "reachable": (
        ["--file=island.json", "--objectives=fwd", "--restrict_to_reachable"],
        "fwd: maximum 2.0000 bits (1 representations), sufficient for Q*.",
    ),
    "within": (
        ["--objectives=fwd,state", "--within=0.1,0.5"],
        "fwd, up to 0.1 bits below the maximum: no two states can be aliased.",
        "fwd, up to 0.5 bits below the maximum: Q* of aliased states differs by up to 0 (s1,s2), on average by at most",
        "state, up to 0.1 bits below the maximum: Q* of aliased states differs by up to 1 (s0,s3); a policy of the",
    ),
    "file": (["--file=lamp.json", "--objectives=state"], "(optimal are dark: switch; bright: wait)"),
}
ERRORS = {
    "row": (["--file=broken.json"], "error: broken.json: transition[s0, a0] sums to 0.9, must be 1"),
    "objects": (["--file=objects.json"], "error: objects.json: reward[dark] must be a number, got {'a': 1}"),
    "name": (["--file=target.json"], "error: target.json: next_state[bright, switch] must be an integer from 0 to 1"),
    "key": (["--file=rewards.json"], "did you mean 'reward'?"),
    "text": (["--file=cut.json"], "error: cut.json: not JSON: "),
    "array": (["--file=cut.npz"], "error: cut.npz: not an npz file"),
    "missing": (["--file=none.json"], "error: none.json: No such file or directory"),
    "directory": (["--file=folder.json"], "error: folder.json: Is a directory"),
    "suffix": (["--file=mine.yaml"], "error: mine.yaml: must end in .json or .npz"),
    "classes": (["--file=classes.json"], "state_distribution must say which states the data come from"),
    "objective": (["--objectives=forward"], "objective 'forward': 'forward' must be one of fwd, state, inv, reward"),
    "term": (["--objectives=inv+forward"], "objective 'inv+forward': 'forward' must be one of fwd"),
    "no objective": (["--objectives="], "error: objectives must name one at least"),
    "a comma too many": (["--objectives=fwd,,inv"], "objective '': '' must be one of fwd"),
    "cap": (["--max_states=13"], "max_states must be at most 12, got 13"),
    "no bits": (["--within=little"], "error: within must be numbers between commas, got little"),
    "below": (["--within=-1"], "error: within must be bits, at least 0, got -1"),
    "too few": (["--endogenous=0,1"], "error: endogenous must name one for each of the 4 states, got 2"),
    "no number": (["--endogenous=a,b"], "error: endogenous must be numbers between commas, got a,b"),
    "monotone": (
        ["--max_states=2", "--mdp=state_dependent_policy", "--objectives=inv"],
        "the policy depends on the state",
    ),
}
OUTPUTS = {
    "x.foo": "error: output must end in .png or .pdf or .svg, got x.foo",
    "x": "error: output must end in .png or .pdf or .svg, got x",
    "lamp.json/x.png": "error: output lamp.json/x.png cannot be written: ",
    "folder.png": "error: output folder.png cannot be written: Is a directory",
}
FLAGS = ("--k=0", "--k=1.5", "--rows=1", "--rows=many", "--max_states=0", "--mdp=figure9", "--colour=red")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Where the files of the cases are."""
    directory = tmp_path_factory.mktemp("didactic")
    (directory / "lamp.json").write_text(json.dumps(LAMP))
    broken = {"transition": [[[0.9]]], "reward": [0], "reward_convention": "state"}
    (directory / "broken.json").write_text(json.dumps(broken))
    for name, fields in (
        ("objects", {"reward": [{"a": 1}, 0]}),
        ("target", {"next_state": [[0, 1], [1, 2]]}),
        ("rewards", {"rewards": [0, 1]}),
        ("classes", {"next_state": [[0, 0], [1, 1]]}),
    ):
        (directory / f"{name}.json").write_text(json.dumps({**LAMP, **fields}))
    island = {
        "next_state": [[1, 2], [0, 3], [0, 3], [2, 1], [0, 0]],
        "reward": [0, 0, 1, 0, 0],
        "reward_convention": "arrival",
    }
    (directory / "island.json").write_text(json.dumps(island))
    (directory / "cut.json").write_text(json.dumps(LAMP)[:-3])
    (directory / "cut.npz").write_bytes(b"PK")
    for name in ("folder.json", "folder.png"):
        (directory / name).mkdir()
    return directory


@pytest.mark.parametrize("name", PRINTED)
def test_tables_verdicts_and_pictures(run, directory, name):
    flags, *texts = PRINTED[name]
    result = run("didactic_mdps.py", f"--output={name}.png", *flags, cwd=directory, alone=name == "default")
    assert result.returncode == 0, result.stderr
    for text in texts:
        assert text in result.stdout
    assert result.stdout.endswith(f"picture: {name}.png\n")
    assert (directory / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("flags", "output"),
    [
        (["--mdp=xor"], "runs/didactic/xor.png"),
        (["--file=lamp.json"], "runs/didactic/lamp.png"),
        (["--mdp=xor", "--output=new/folder/x.pdf"], "new/folder/x.pdf"),
    ],
)
def test_where_the_picture_goes(run, directory, flags, output):
    result = run("didactic_mdps.py", "--objectives=state", *flags, cwd=directory)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith(f"picture: {output}\n")
    assert (directory / output).stat().st_size > 1000


def check_refused(result, message):
    """A line on stderr, nothing on stdout: so nothing was analysed."""
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


@pytest.mark.parametrize("name", ERRORS)
def test_user_errors_end_with_a_line_and_code_2(run, directory, name):
    flags, message = ERRORS[name]
    check_refused(run("didactic_mdps.py", f"--output={name}.png", *flags, cwd=directory), message)
    assert not (directory / f"{name}.png").exists()


@pytest.mark.parametrize("output", OUTPUTS)
def test_places_for_the_picture_are_looked_at_before_the_analysis(run, directory, output):
    check_refused(run("didactic_mdps.py", f"--output={output}", cwd=directory), OUTPUTS[output])


@pytest.mark.parametrize("flag", FLAGS)
def test_flags_of_a_wrong_kind_are_named(run, directory, flag):
    result = run("didactic_mdps.py", flag, cwd=directory)
    assert result.returncode == 1
    assert result.stderr.startswith("FATAL Flags parsing error: ")
    assert flag.partition("=")[0].lstrip("-") in result.stderr
    assert "Traceback" not in result.stderr


def test_help_names_the_flags(run, tmp_path):
    result = run("didactic_mdps.py", "--help", cwd=tmp_path)
    for flag in ("--mdp", "--file", "--objectives", "--k", "--output"):
        assert flag in result.stdout
