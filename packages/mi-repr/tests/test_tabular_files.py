"""Malformed files: one line for each, which names the file, the key, and the row by the state's name."""

import io
import json
import pickle
import re
import zipfile

import numpy as np
import pytest
from mi_repr.tabular import FiniteMDP, load_mdp

LAMP = {
    "states": ["dark", "bright"],
    "actions": ["wait", "switch"],
    "next_state": [[0, 1], [1, 0]],
    "reward": [-1, 1],
    "reward_convention": "arrival",
}
CHANCE = [[[1, 0], [0.5, 0.5]], [[0, 1], [1, 0]]]
RANDOM = {**{key: value for key, value in LAMP.items() if key != "next_state"}, "transition": CHANCE}
BY_ACTION = {**LAMP, "reward": [[0, 1], [2, 3]], "reward_convention": "state_action"}


def with_text(key, text, fields=LAMP):
    """JSON in which a key has a value that json.dumps would not write so."""
    return json.dumps({**fields, key: "HERE"}).replace('"HERE"', text)


CHANGED = {
    "reward of objects": ({**LAMP, "reward": [{"a": 1}, 0]}, "reward[dark] must be a number, got {'a': 1}"),
    "reward of strings": ({**LAMP, "reward": [0, "x"]}, "reward[bright] must be a number, got 'x'"),
    "reward as digits": ({**LAMP, "reward": ["0", 1]}, "reward[dark] must be a number, got '0'"),
    "reward a number": ({**LAMP, "reward": 1}, "reward must be a list with an entry for each state, got 1"),
    "reward an object": ({**LAMP, "reward": {"dark": 0}}, "reward must be a list with an entry for each state, got {"),
    "reward empty": ({**LAMP, "reward": []}, "reward must have 2 entries, one for each state, got 0"),
    "reward too long": ({**LAMP, "reward": [0, 1, 2]}, "reward must have 2 entries, one for each state, got 3"),
    "reward nested": ({**LAMP, "reward": [[0], [1]]}, "reward[dark] must be a number, got [0]"),
    "reward half nested": ({**LAMP, "reward": [0, [1]]}, "reward[bright] must be a number, got [1]"),
    "reward with null": ({**LAMP, "reward": [0, None]}, "reward[bright] must be a number, got None"),
    "reward true": ({**LAMP, "reward": [0, True]}, "reward[bright] must be a number, got True"),
    "reward null": ({**LAMP, "reward": None}, "key 'reward' is missing"),
    "reward cut": ({**LAMP, "reward": [0, "x" * 200]}, f"reward[bright] must be a number, got '{'x' * 55} ..."),
    "reward by action flat": (
        {**BY_ACTION, "reward": [0, 1]},
        "reward[dark] must be a list with an entry for each action, got 0",
    ),
    "reward by action ragged": (
        {**BY_ACTION, "reward": [[0, 1], [2]]},
        "reward[bright] must have 2 entries, one for each action, got 1",
    ),
    "reward by action true": (
        {**BY_ACTION, "reward": [[0, 1], [2, False]]},
        "reward[bright, switch] must be a number, got False",
    ),
    "transition a number": (
        {**RANDOM, "transition": 0.5},
        "transition must be a list with an entry for each of the states, got 0.5",
    ),
    "transition empty": (
        {**RANDOM, "transition": []},
        "transition must be a list with an entry for each of the states, got []",
    ),
    "transition of empty rows": (
        {**RANDOM, "transition": [[], []]},
        "transition[dark] must be a list with an entry for each of the actions, got []",
    ),
    "transition without a state": (
        {**RANDOM, "transition": CHANCE[:1]},
        "states must name the 1 entries of transition, got 2 names",
    ),
    "transition without an action": (
        {**RANDOM, "transition": [CHANCE[0], CHANCE[1][:1]]},
        "transition[bright] must have 2 entries, one for each action, got 1",
    ),
    "transition without a next state": (
        {**RANDOM, "transition": [CHANCE[0], [[0, 1], [1]]]},
        "transition[bright, switch] must have 2 entries, one for each state, got 1",
    ),
    "transition too flat": (
        {**RANDOM, "transition": [[0.5, 0.5], [0.5, 0.5]]},
        "transition[dark, wait] must be a list with an entry for each state, got 0.5",
    ),
    "transition too deep": (
        {**RANDOM, "transition": [[[[1], 0], [0, 1]], [[0, 1], [1, 0]]]},
        "transition[dark, wait, dark] must be a number, got [1]",
    ),
    "transition true": (
        {**RANDOM, "transition": [CHANCE[0], [[False, True], [1, 0]]]},
        "transition[bright, wait, dark] must be a number, got False",
    ),
    "transition of strings": (
        {**RANDOM, "transition": [CHANCE[0], [[0, 1], ["1", 0]]]},
        "transition[bright, switch, dark] must be a number, got '1'",
    ),
    "transition sum": (
        {**RANDOM, "transition": [CHANCE[0], [[0, 0.9], [1, 0]]]},
        "transition[bright, wait] sums to 0.9, must be 1",
    ),
    "transition negative": (
        {**RANDOM, "transition": [CHANCE[0], [[-1, 2], [1, 0]]]},
        "transition[bright, wait, dark] is -1, must not be negative",
    ),
    "both tables": ({**LAMP, **RANDOM}, "one of the keys 'transition' and 'next_state' must be there, and only one"),
    "no table": ({**LAMP, "next_state": None}, "one of the keys 'transition' and 'next_state' must be there"),
    "next_state of floats": (
        {**LAMP, "next_state": [[0, 1], [1.0, 0]]},
        "next_state[bright, wait] must be an integer from 0 to 1, got 1.0",
    ),
    "next_state negative": (
        {**LAMP, "next_state": [[0, -1], [1, 0]]},
        "next_state[dark, switch] must be an integer from 0 to 1, got -1",
    ),
    "next_state too large": (
        {**LAMP, "next_state": [[0, 1], [1, 2]]},
        "next_state[bright, switch] must be an integer from 0 to 1, got 2",
    ),
    "next_state huge": (
        {**LAMP, "next_state": [[0, 1], [1, 10**30]]},
        f"next_state[bright, switch] must be an integer from 0 to 1, got {10**30}",
    ),
    "next_state ragged": (
        {**LAMP, "next_state": [[0, 1], [1]]},
        "next_state[bright] must have 2 entries, one for each action, got 1",
    ),
    "next_state flat": (
        {**LAMP, "next_state": [0, 1]},
        "next_state[dark] must be a list with an entry for each of the actions, got 0",
    ),
    "next_state by name": (
        {**LAMP, "next_state": [["dark", "bright"], [1, 0]]},
        "next_state[dark, wait] must be an integer from 0 to 1, got 'dark'",
    ),
    "next_state true": (
        {**LAMP, "next_state": [[0, 1], [True, 0]]},
        "next_state[bright, wait] must be an integer from 0 to 1, got True",
    ),
    "policy sum": ({**LAMP, "policy": [[0.5, 0.5], [0.5, 0.4]]}, "policy[bright] sums to 0.9, must be 1"),
    "policy flat": (
        {**LAMP, "policy": [0.5, 0.5]},
        "policy[dark] must be a list with an entry for each action, got 0.5",
    ),
    "policy of a state": ({**LAMP, "policy": [[1, 0]]}, "policy must have 2 entries, one for each state, got 1"),
    "policy negative": (
        {**LAMP, "policy": [[0.5, 0.5], [1.5, -0.5]]},
        "policy[bright, switch] is -0.5, must not be negative",
    ),
    "policy true": ({**LAMP, "policy": [[True, False], [1, 0]]}, "policy[dark, wait] must be a number, got True"),
    "discount 1": ({**LAMP, "discount": 1}, "discount must be a number, at least 0 and below 1, got 1"),
    "discount a string": ({**LAMP, "discount": "0.9"}, "discount must be a number, got '0.9'"),
    "discount a list": ({**LAMP, "discount": [0.9]}, "discount must be a number, got [0.9]"),
    "discount true": ({**LAMP, "discount": True}, "discount must be a number, got True"),
    "convention unknown": (
        {**BY_ACTION, "reward_convention": "state-action"},
        "reward_convention must be one of arrival, state, state_action, transition, random, got 'state-action'",
    ),
    "convention a list": (
        {**LAMP, "reward_convention": ["arrival"]},
        "reward_convention must be a string, got ['arrival']",
    ),
    "convention missing": ({**LAMP, "reward_convention": None}, "key 'reward_convention' is missing"),
    "distribution sum": ({**LAMP, "state_distribution": [0.5, 0.4]}, "state_distribution sums to 0.9, must be 1"),
    "distribution negative": (
        {**LAMP, "state_distribution": [1.5, -0.5]},
        "state_distribution[bright] is -0.5, must not be negative",
    ),
    "distribution by name": (
        {**LAMP, "state_distribution": {"dark": 1}},
        "state_distribution must be a list with an entry for each state, got {'dark': 1}",
    ),
    "allowed a word": (
        {**LAMP, "allowed": [[True, True], ["yes", True]]},
        "allowed[bright, wait] must be true or false, got 'yes'",
    ),
    "allowed 2": ({**LAMP, "allowed": [[1, 1], [1, 2]]}, "allowed[bright, switch] must be true or false, got 2"),
    "allowed nothing": (
        {**LAMP, "allowed": [[True, True], [False, False]]},
        "state bright must have an action that is allowed",
    ),
    "allowed ragged": (
        {**LAMP, "allowed": [[True, True], [True]]},
        "allowed[bright] must have 2 entries, one for each action, got 1",
    ),
    "allowed and policy": (
        {**LAMP, "allowed": [[True, True], [True, False]], "policy": [[0.5, 0.5], [0.5, 0.5]]},
        "policy[bright, switch] must be 0: the state lacks that action",
    ),
    "names twice": (
        {**LAMP, "states": ["dark", "dark"]},
        "states must be 2 different names, but 'dark' is there twice",
    ),
    "names of numbers": ({**LAMP, "states": ["dark", 1]}, "states must be a list of strings, got ['dark', 1]"),
    "names in a string": ({**LAMP, "actions": "ab"}, "actions must be a list of strings, got 'ab'"),
    "names too many": (
        {**LAMP, "actions": ["wait", "switch", "kick"]},
        "actions must name the 2 entries of next_state[dark], got 3 names",
    ),
    "no names": ({**LAMP, "states": []}, "states must name the 2 entries of next_state, got 0 names"),
    "a name without letters": (
        {**LAMP, "states": ["dark", " "]},
        "states[1] must be a name that can be printed in a line, got ' '",
    ),
    "a name of two lines": (
        {**LAMP, "actions": ["wait\nhere", "switch"]},
        r"actions[0] must be a name that can be printed in a line, got 'wait\nhere'",
    ),
    "near miss": ({**LAMP, "rewards": [0, 1]}, "key 'rewards' is unknown, the keys are reward, "),
    "unknown": ({**LAMP, "colour": "red"}, "key 'colour' is unknown, the keys are reward, "),
    "unnamed states": (
        {key: LAMP[key] for key in ("next_state", "reward_convention")} | {"reward": [0, "x"]},
        "reward[s1] must be a number, got 'x'",
    ),
}
WRITTEN = {
    "NaN": (with_text("reward", "[0, NaN]"), "reward[bright] is nan, must be finite"),
    "Infinity": (with_text("reward", "[0, Infinity]"), "reward[bright] is inf, must be finite"),
    "-Infinity": (with_text("reward", "[-Infinity, 0]"), "reward[dark] is -inf, must be finite"),
    "NaN in a transition": (
        with_text("transition", "[[[NaN, 1], [0, 1]], [[0, 1], [1, 0]]]", RANDOM),
        "transition[dark, wait, dark] is nan, must be finite",
    ),
    "NaN as discount": (with_text("discount", "NaN"), "discount must be a number, at least 0 and below 1, got nan"),
    "400 digits": (with_text("reward", f"[0, {'9' * 400}]"), "reward[bright] is inf, must be finite"),
    "5000 digits": (with_text("reward", f"[0, -{'9' * 5000}]"), "reward[bright] is -inf, must be finite"),
    "too large a power": (with_text("reward", "[0, 1e999]"), "reward[bright] is inf, must be finite"),
    "key twice": ('{"reward": [0, 1], "reward": [1, 0]}', "key 'reward' is there twice"),
    "nested key twice": (with_text("reward", '{"dark": 1, "dark": 2}'), "key 'dark' is there twice"),
    "trailing comma": (with_text("reward", "[0, 1,]"), "not JSON: "),
    "cut": (json.dumps(LAMP)[:-5], "not JSON: "),
    "single quotes": (repr(LAMP), "not JSON: "),
    "a list": (json.dumps([LAMP]), "must hold an object of keys and values, got list"),
    "a number": ("3", "must hold an object of keys and values, got int"),
    "deep": ("[" * 100_000, "not JSON of an MDP: lists in lists in lists without end"),
    "nothing": ("", "is empty"),
    "blanks": (" \n", "is empty"),
    "byte order mark": ("\ufeff" + json.dumps(LAMP), "not JSON: must be text in UTF-8, without a byte order mark"),
}
ARRAYS = {
    "a scalar": ({**LAMP, "reward": np.float64(3)}, "reward must be a list with an entry for each state, got 3.0"),
    "a scalar as table": (
        {**LAMP, "next_state": 3},
        "next_state must be a list with an entry for each of the states, got 3",
    ),
    "booleans": ({**LAMP, "reward": [True, False]}, "reward[dark] must be a number, got True"),
    "complex": ({**LAMP, "reward": [1, 1j]}, "reward[dark] must be a number, got (1+0j)"),
    "strings": ({**LAMP, "reward": ["0", "1"]}, "reward[dark] must be a number, got '0'"),
    "dates": ({**LAMP, "reward": np.zeros(2, "datetime64[s]")}, "reward[dark] must be a number, got datetime"),
    "nan": ({**LAMP, "reward": [0, np.nan]}, "reward[bright] is nan, must be finite"),
    "floats as next_state": (
        {**LAMP, "next_state": np.eye(2)},
        "next_state[dark, wait] must be an integer from 0 to 1, got 1.0",
    ),
    "shape": ({**RANDOM, "transition": np.eye(2)}, "transition[dark, wait] must be a list with an entry for each"),
    "empty": ({**LAMP, "next_state": np.zeros((0, 2), int)}, "next_state must be a list with an entry for each"),
    "names of numbers": ({**LAMP, "states": [1, 2]}, "states must be a list of strings, got [1, 2]"),
    "convention of two": (
        {**LAMP, "reward_convention": ["arrival", "state"]},
        "reward_convention must be a string, got ['arrival', 'state']",
    ),
    "discount of two": ({**LAMP, "discount": [0.9, 0.8]}, "discount must be a number, got [0.9, 0.8]"),
    "objects": (
        {**LAMP, "reward": np.array([{"a": 1}, None])},
        "key 'reward' cannot be read, must be an array of numbers or strings",
    ),
    "near miss": ({**LAMP, "polcy": np.eye(2)}, "key 'polcy' is unknown"),
}


def zipped(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, member in members.items():
            file.writestr(name, member)
    return content.getvalue()


def saved(save, *values, **arrays):
    content = io.BytesIO()
    save(content, *values, **arrays)
    return content.getvalue()


BYTES = {
    "UTF-16": ("mine.json", json.dumps(LAMP).encode("utf-16"), "not JSON: must be text in UTF-8"),
    "UTF-16 without a mark": ("mine.json", json.dumps(LAMP).encode("utf-16-le"), "not JSON: must be text in UTF-8"),
    "nonsense as JSON": ("mine.json", b"\xff\xfe\xfa", "not JSON: must be text in UTF-8"),
    "nonsense as npz": ("mine.npz", b"nonsense", "not an npz file"),
    "empty npz": ("mine.npz", b"", "not an npz file"),
    "pickle": ("mine.npz", pickle.dumps(LAMP), "not an npz file"),
    "one array": ("mine.npz", saved(np.save, np.eye(2)), "not an npz file, but one array"),
    "truncated": ("mine.npz", saved(np.savez, reward=np.eye(2))[:-30], "not an npz file"),
    "truncated array": (
        "mine.npz",
        zipped(**{"reward.npy": saved(np.save, np.eye(9))[:-8]}),
        "key 'reward' cannot be read, must be an array of numbers or strings",
    ),
    "text in npz": ("mine.npz", zipped(reward=b"0 1"), "key 'reward' must be an array of numbers or strings"),
    "suffix": ("mine.yaml", b"reward: 1", "must end in .json or .npz"),
    "no suffix": ("mine", b"{}", "must end in .json or .npz"),
}


def check_refused(path, message):
    """`load_mdp` refuses a file in a line that begins with its path."""
    with pytest.raises(ValueError, match=r"^[^\n]*$") as raised:
        load_mdp(path)
    assert str(raised.value).startswith(f"{path}: {message}")
    assert "inhomogeneous" not in str(raised.value)


@pytest.mark.parametrize("case", CHANGED)
def test_fields_of_a_wrong_kind_or_shape(tmp_path, case):
    fields, message = CHANGED[case]
    (tmp_path / "mine.json").write_text(json.dumps(fields))
    check_refused(tmp_path / "mine.json", message)


@pytest.mark.parametrize("case", WRITTEN)
def test_text_that_is_no_json_or_no_number(tmp_path, case):
    text, message = WRITTEN[case]
    (tmp_path / "mine.json").write_text(text, encoding="utf-8")
    check_refused(tmp_path / "mine.json", message)


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_of_a_wrong_kind_or_shape(tmp_path, case):
    fields, message = ARRAYS[case]
    np.savez(tmp_path / "mine.npz", **{key: np.array(value) for key, value in fields.items()})
    check_refused(tmp_path / "mine.npz", message)


@pytest.mark.parametrize("case", BYTES)
def test_content_of_another_format(tmp_path, case):
    name, content, message = BYTES[case]
    (tmp_path / name).write_bytes(content)
    check_refused(tmp_path / name, message)


@pytest.mark.parametrize("name", ["mine.json", "mine.npz"])
def test_a_directory_and_a_file_that_is_not_there(tmp_path, name):
    check_refused(tmp_path / name, "No such file or directory")
    (tmp_path / name).mkdir()
    check_refused(tmp_path / name, "Is a directory")


def test_a_key_that_is_nearly_right_is_guessed(tmp_path):
    for key, guess in (("rewards", "reward"), ("next_states", "next_state"), ("Policy", "policy"), ("colour", None)):
        (tmp_path / "mine.json").write_text(json.dumps({**LAMP, key: 0}))
        with pytest.raises(ValueError, match=f"key '{key}' is unknown") as raised:
            load_mdp(tmp_path / "mine.json")
        assert str(raised.value).endswith(f"; did you mean '{guess}'?" if guess else "layout, reward_values")


def test_what_is_right_is_read_alike_from_both_formats(tmp_path):
    fields = {**BY_ACTION, "allowed": [[1, 0], [True, True]], "policy": [[1, 0], [0.25, 0.75]], "discount": 0}
    (tmp_path / "mine.json").write_text(json.dumps({**fields, "state_distribution": None}))
    np.savez(tmp_path / "mine.npz", **{key: np.array(value) for key, value in fields.items()})
    for mdp in (load_mdp(tmp_path / "mine.json"), load_mdp(str(tmp_path / "mine.npz"))):
        assert mdp.states == ("dark", "bright")
        assert mdp.allowed.tolist() == [[True, False], [True, True]]
        assert mdp.policy.tolist() == [[1, 0], [0.25, 0.75]]
        assert mdp.reward.tolist() == [[0, 0], [2, 3]]  # of an action that a state lacks 0
        assert mdp.transition[1, 0].tolist() == [0, 1]
        assert mdp.state_distribution is None


def test_a_reward_of_minus_infinity_forbids_an_action(tmp_path):
    (tmp_path / "mine.json").write_text(with_text("reward", "[[0, -Infinity], [2, 3]]", BY_ACTION))
    assert load_mdp(tmp_path / "mine.json").allowed.tolist() == [[True, False], [True, True]]


def test_layouts_and_rewards_of_every_kind_can_be_in_a_file(tmp_path):
    rng = np.random.default_rng(0)
    transition = rng.dirichlet(np.ones(3), (3, 2))
    fields = {
        "transition": {"reward": rng.normal(size=(3, 2, 3))},
        "random": {"reward": rng.dirichlet(np.ones(4), (3, 2)), "reward_values": rng.normal(size=4)},
    }
    for convention, values in fields.items():
        expected = FiniteMDP(transition, reward_convention=convention, **values)
        swapped = {**values}
        if convention == "transition":
            swapped["reward"] = values["reward"].swapaxes(0, 1)
        for layout, table, rewards in (
            ({}, transition, values),
            ({"layout": "state_action_next"}, transition, values),
            ({}, transition.swapaxes(0, 1), swapped),
            ({"layout": "action_state_next"}, transition.swapaxes(0, 1), swapped),
        ):
            content = {"transition": table, "reward_convention": convention, **rewards}
            np.savez(tmp_path / "mine.npz", **content, **layout)
            as_lists = {key: np.asarray(value).tolist() for key, value in content.items()}
            (tmp_path / "mine.json").write_text(json.dumps({**as_lists, **layout}))
            for name in ("mine.npz", "mine.json"):
                read = load_mdp(tmp_path / name)
                np.testing.assert_array_equal(read.transition, expected.transition)
                np.testing.assert_array_equal(read.expected_reward, expected.expected_reward)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layout": "SAS"}, "layout must be one of state_action_next, action_state_next, got 'SAS'"),
        ({"layout": 3}, "layout must be a string, got 3"),
        (
            {"layout": "state_action_next", "transition": None, "next_state": [[0, 1], [1, 0]]},
            "key 'layout' is for 'transition', and there is 'next_state'",
        ),
        ({"reward_values": [0, 1]}, "reward_values must be there with reward_convention='random', and only then"),
        ({"reward_values": 1}, "reward_values must be a list with an entry for each of the values, got 1"),
        (
            {"reward_convention": "random", "reward": [[[1], [1, 0]], [[1, 0], [1, 0]]], "reward_values": [0, 1]},
            "reward[dark, wait] must have 2 entries, one for each reward value, got 1",
        ),
        (
            {"reward_convention": "random", "reward": [[[1, 1], [1, 0]], [[1, 0], [1, 0]]], "reward_values": [0, 1]},
            "reward[dark, wait] sums to 2, must be 1",
        ),
        (
            {"reward_convention": "transition", "reward": [[[1, 1], [1, 0]], [[1, 0], [1, "0"]]]},
            "reward[bright, switch, bright] must be a number, got '0'",
        ),
    ],
)
def test_malformed_layouts_and_rewards(tmp_path, fields, message):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**RANDOM, **fields}))
    with pytest.raises(ValueError, match=re.escape(f"{path}: {message}")) as raised:
        load_mdp(path)
    assert "\n" not in str(raised.value)
