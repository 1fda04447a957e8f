"""Flags set in a command as a person wrote it: every other byte stays."""

from __future__ import annotations

import pytest

from llamaswap_py.config.flags import Flags, NotEditable, with_flags
from llamaswap_py.config.insert import NotInsertable

CONTEXT, LAYERS = ("--ctx-size", "-c"), ("--n-gpu-layers", "-ngl", "--gpu-layers")

# a text, the flags, the same text with them
TEXTS: dict[str, tuple[str, Flags, str]] = {
    "in one line": (
        "models:\n  a: # mine\n    cmd: srv -c 4096 --port 1 # why\n    ttl: 5\n",
        {CONTEXT: "8192"},
        "models:\n  a: # mine\n    cmd: srv -c 8192 --port 1 # why\n    ttl: 5\n",
    ),
    "not there yet": (
        "models:\n  a:\n    cmd: srv --port 1 # why\n",
        {CONTEXT: "8192", LAYERS: "9"},
        "models:\n  a:\n    cmd: srv --port 1 --ctx-size 8192 --n-gpu-layers 9 # why\n",
    ),
    "with an equals sign": ("models: {a: {cmd: srv -c=1}}", {CONTEXT: "2"}, "models: {a: {cmd: srv -c=2}}"),
    "in double quotes": (
        'models: {"a": {cmd: "srv -c 1"}}',
        {LAYERS: "2"},
        'models: {"a": {cmd: "srv -c 1 --n-gpu-layers 2"}}',
    ),
    "in single quotes": ("models: {a: {cmd: 'srv -c 1'}}", {CONTEXT: "2"}, "models: {a: {cmd: 'srv -c 2'}}"),
    "twice, of which the last counts": (
        "models:\n  a: {cmd: srv -c 1 --ctx-size 2}\n",
        {CONTEXT: "3"},
        "models:\n  a: {cmd: srv -c 3 --ctx-size 3}\n",
    ),
    "a macro": (
        "macros: {n: 5}\nmodels:\n  a:\n    cmd: srv -ngl ${n}\n",
        {LAYERS: "7"},
        "macros: {n: 5}\nmodels:\n  a:\n    cmd: srv -ngl 7\n",
    ),
    "a block, and a remark in it": (
        "models:\n  a:\n    cmd: |\n      srv\n      # -c 1\n      -c\n      2 \\\n      -x 'y z'\n\n    ttl: 1\n",
        {CONTEXT: "3"},
        "models:\n  a:\n    cmd: |\n      srv\n      # -c 1\n      -c\n      3 \\\n      -x 'y z'\n\n    ttl: 1\n",
    ),
    "a block at whose end it is put": (
        "models:\n  a:\n    cmd: >-\n      srv\n        --port 1\n\n  b: {cmd: x}\n",
        {CONTEXT: "3"},
        "models:\n  a:\n    cmd: >-\n      srv\n        --port 1\n        --ctx-size 3\n\n  b: {cmd: x}\n",
    ),
    "a block at the end of the text": (
        "\ufeffmodels:\n  a:\n    cmd: |\n      srv",
        {CONTEXT: "3"},
        "\ufeffmodels:\n  a:\n    cmd: |\n      srv\n      --ctx-size 3\n",
    ),
    "a longer name that begins the same": (
        "models: {a: {cmd: srv --ctx-size-draft 1 -cmoe 2}}",
        {CONTEXT: "3"},
        "models: {a: {cmd: srv --ctx-size-draft 1 -cmoe 2 --ctx-size 3}}",
    ),
    "a value in quotes": (
        "models:\n  a:\n    cmd: srv -c \"1\" -y\n",
        {CONTEXT: "2"},
        "models:\n  a:\n    cmd: srv -c 2 -y\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_flag_is_given_changes_and_nothing_else(name: str) -> None:
    before, flags, after = TEXTS[name]
    assert with_flags(before, "a", flags) == after
    assert with_flags(after, "a", flags) == after


@pytest.mark.parametrize(
    "text",
    [
        "",
        "models:\n",
        "models: {b: {cmd: x}}",
        "models: {a: {ttl: 1}}",
        "models: {a: x}",
        "models: {a: {cmd: [x]}}",
        "m: &m {cmd: x}\nmodels: {a: *m}",
        "models: {a: {<<: {cmd: x}}}",
        "x: &c srv\nmodels: {a: {cmd: *c}}",
    ],
)
def test_a_command_that_is_not_written_there_is_left_alone(text: str) -> None:
    with pytest.raises(NotEditable, match="written down"):
        with_flags(text, "a", {CONTEXT: "1"})


@pytest.mark.parametrize(
    "text",
    [
        "models: {a: {cmd: &c srv -c 1}, b: {cmd: *c}}",  # the other one would change, too
        "models: {a: {cmd: \"srv -c \\\"1\\\"\"}}",
        "models:\n  a:\n    cmd: 'srv ''-c'\n",
    ],
)  # fmt: skip
def test_what_would_say_something_else_is_refused(text: str) -> None:
    with pytest.raises(NotEditable, match="by hand"):
        with_flags(text, "a", {CONTEXT: "2"})


@pytest.mark.parametrize("command", ["sh -c 'exec srv'", 'sh -c "exec srv"', "python -c pass", "tool --config=x -c y"])
def test_a_flag_of_another_program_is_left_alone(command: str) -> None:
    with pytest.raises(NotEditable, match="means something else"):
        with_flags(f"models:\n  a:\n    cmd: {command}\n", "a", {CONTEXT: "2"})


def test_what_is_no_configuration_is_refused() -> None:
    with pytest.raises(NotInsertable, match="correct that first"):
        with_flags("models: [", "a", {CONTEXT: "2"})


def test_what_would_no_longer_be_yaml_is_left_to_a_person() -> None:
    with pytest.raises(NotEditable, match="by hand"):
        with_flags("models:\n  a:\n    cmd: server\n", "a", {("--note",): "x: y"})
