"""A model put into a text: every other byte stays, and what cannot be done so is refused."""

from __future__ import annotations

import pytest

from llamaswap_py.config.insert import NotInsertable, with_model

KEYS = {"cmd": "run --port ${PORT}", "aliases": ["q"]}
ENTRY = 'new:\n  cmd: "run --port ${PORT}"\n  aliases: [q]\n'


def indented(by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in ENTRY.splitlines())


WHOLE = "models:\n" + indented(2)

# a text, the same with the model
TEXTS = {
    "nothing": ("", WHOLE),
    "only a remark": ("# mine\n", "# mine\n\n" + WHOLE),
    "no models": ("startPort: 1 # mine\n", "startPort: 1 # mine\n\n" + WHOLE),
    "no models, another document": ("ttl: 1\n---\nb: 2\n", "ttl: 1\n\n" + WHOLE + "---\nb: 2\n"),
    "a blank section": ("models: # mine\nttl: 1\n", "models: # mine\n" + indented(2) + "ttl: 1\n"),
    "a null": ("models: null # mine\nttl: 1\n", "models: # mine\n" + indented(2) + "ttl: 1\n"),
    "empty braces": ("models: {}\n# end\n", WHOLE + "# end\n"),
    "no line break at the end": ("models:\n  a: {cmd: x}", "models:\n  a: {cmd: x}\n" + indented(2)),
    "before what is no model": (
        "models:\n  a:\n    cmd: x # why\n    # ttl: 5\n  # b: no\n\nttl: 1\n",
        "models:\n  a:\n    cmd: x # why\n    # ttl: 5\n" + indented(2) + "  # b: no\n\nttl: 1\n",
    ),
    "below a block of text with a comment in it": (
        "models:\n  a:\n    cmd: |\n      x\n      # y\n\n\n# end\n",
        "models:\n  a:\n    cmd: |\n      x\n      # y\n" + indented(2) + "\n\n# end\n",
    ),
    "with a blank line where there are some": (
        "models:\n  a:\n    cmd: x\n\n  b:\n    cmd: y\n",
        "models:\n  a:\n    cmd: x\n\n  b:\n    cmd: y\n\n" + indented(2),
    ),
    "below an alias": (
        "models:\n  a: &x\n    cmd: y\n  b: *x\n",
        "models:\n  a: &x\n    cmd: y\n  b: *x\n" + indented(2),
    ),
    "below a merge": ("models:\n  <<: {a: {cmd: x}}\n", "models:\n  <<: {a: {cmd: x}}\n" + indented(2)),
    "below a list": (
        "models:\n  a:\n    env:\n    - A=b\nz: [1]\n",
        "models:\n  a:\n    env:\n    - A=b\n" + indented(2) + "z: [1]\n",
    ),
    "below a bracket over lines": (
        "models:\n  a:\n    aliases: [\n      x ]\n...\n",
        "models:\n  a:\n    aliases: [\n      x ]\n" + indented(2) + "...\n",
    ),
    "a byte order mark": ("\ufeffmodels: {}\n", "\ufeff" + WHOLE),
    "line breaks of Windows": ("models: {}\r\nttl: 1\r\n", WHOLE.replace("\n", "\r\n") + "ttl: 1\r\n"),
    "a block of text with such line breaks": (
        "models:\r\n  a:\r\n    cmd: |\r\n      x\r\n\r\nttl: 1\r\n",
        "models:\r\n  a:\r\n    cmd: |\r\n      x\r\n" + indented(2).replace("\n", "\r\n") + "\r\nttl: 1\r\n",
    ),
    "JSON": (
        '{"models": {"a": {"cmd": "x"}}}\n',
        '{"models": {"a": {"cmd": "x"}, "new": {"cmd": "run --port ${PORT}", "aliases": ["q"]}}}\n',
    ),
    "braces with a comma at the end": (
        "models: {a: {cmd: x},\n}\n",
        'models: {a: {cmd: x}, "new": {"cmd": "run --port ${PORT}", "aliases": ["q"]}\n}\n',
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_model_is_put_in_and_the_rest_stays(name: str) -> None:
    before, after = TEXTS[name]
    made = with_model(before, "new", KEYS)
    assert made.text == after
    assert "new" in made.text.splitlines()[made.line - 1]
    added = made.text.count("\n") - before.count("\n")
    assert added in (made.count, made.count + 1) or made.count == 1


def test_the_steps_of_the_file_are_those_of_the_entry() -> None:
    made = with_model("models:\n    a:\n        cmd: x\n", "new", KEYS)
    assert made.text.endswith('    new:\n        cmd: "run --port ${PORT}"\n        aliases: [q]\n')


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("models:\n  new: {cmd: x}\n", "already a model new"),
        ("x-a: &m {a: {cmd: x}}\nmodels: *m\n", "alias"),
        ("models: &m\n  a:\n    cmd: x\nx-b: *m\n", "without changing the rest"),
        ("models: soon\n", "without changing the rest"),
        ("models:\n- a\n", "by their names"),
        ("models:\n  a:\n    cmd: |+\n      x\n\nttl: 1\n", "without changing the rest"),
        ("- a\n", "keys such as"),
        ("word\n", "keys such as"),
        ("{ttl: 1}\n", "in braces"),
        ("models: [\n", "line 2"),
    ],
)
def test_what_has_no_place_for_it_is_left_alone(text: str, reason: str) -> None:
    with pytest.raises(NotInsertable, match=reason):
        with_model(text, "new", KEYS)
