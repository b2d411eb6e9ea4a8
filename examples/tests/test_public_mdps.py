"""The table of examples/public_mdps.py."""

import pytest


def test_a_row_for_each_mdp(run, tmp_path):
    flags = ["--mdps=figure2,robot,lake", "--objectives=fwd,state,fwd+reward_action", "--nolevine"]
    result = run("public_mdps.py", *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "| MDP | states | fwd | state | fwd+reward_action |",
        "| --- | --- | --- | --- | --- |",
        "| thesis, figure 2 | 4 | Q*, 0.5 | **nothing**, 0.75 |  |",
        "| recycling robot | 2 | Q*, 0.18 | Q*, 0.075 | Q*, 0.34 |",
        "| FrozenLake 4x4 | 16 | Q*, 0.0041 | Q*, 0.0041 | Q*, 0.0041 |",
    ]


@pytest.mark.slow
def test_examples_of_inverse_models(run, tmp_path):
    result = run("public_mdps.py", "--mdps=figure2", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "| levine_periodic | not up to 20 | not up to 20 | 2 |" in result.stdout


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--mdps=mine", "error: mdps must be of figure2, figure3, "),
        ("--objectives=forward", "error: objective 'forward': 'forward' must be one of fwd"),
        ("--mdps=", "error: mdps must name one at least"),
        ("--objectives=", "error: objectives must name one at least"),
        ("--objectives=acdf", "error: objectives must not gain from aliasing, got 'acdf'"),
    ],
)
def test_what_is_unknown_is_refused_in_a_line(run, tmp_path, flag, message):
    result = run("public_mdps.py", flag, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith(message)
    assert len(result.stderr.splitlines()) == 1
