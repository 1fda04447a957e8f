"""What a newcomer reads: the page about the keys, and the example that comes with the project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from llamaswap_py.config.read import Source, read
from llamaswap_py.config.schema import ANY_NAME, BY_PATH, KEYS, NOT_YET, SAME, Key, Kind
from llamaswap_py.config.tree import Map, Node, inside
from llamaswap_py.config.values import DEFAULT_GROUP, Config, Group
from tests.config.reading import serious, tree

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")
EXAMPLE = (ROOT / "config.yaml").read_text("utf-8")


def default(key: Key) -> str:
    """As the page shows it."""
    if key.default is None:
        return "-"
    if key.default == ():
        return "none"
    if key.kind is Kind.SIZE:
        assert isinstance(key.default, int)
        return f"`{key.default >> 20}MB`" if key.default else "`0`"
    if key.default == "":
        return "empty"
    if isinstance(key.default, bool):
        return f"`{str(key.default).lower()}`"
    if isinstance(key.default, tuple):
        return ", ".join(f"`{each}`" for each in key.default).replace("|", "\\|")
    return f"`{key.default}`"


def row(key: Key) -> str:
    words = f" One of {', '.join(f'`{word}`' for word in key.words)}." if key.words else ""
    return f"| `{key.path}` | {key.kind} | {default(key)} | {key.about}{words}{' *Ours.*' if key.ours else ''} |"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_every_key_is_documented_with_its_kind_and_default(key: Key) -> None:
    assert row(key) in PAGE.splitlines()


def test_nothing_is_documented_that_is_no_key() -> None:
    assert set(re.findall(r"^\| `([^`]+)`", PAGE, re.MULTILINE)) == {key.path for key in KEYS}


BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
VARIABLES = {"BOX_KEY": "k1", "LLAMASWAP_KEY": "k2"}


@pytest.mark.parametrize("text", BLOCKS, ids=range(len(BLOCKS)))
def test_every_example_on_the_page_loads_without_a_word(text: str) -> None:
    found = read([Source("example.yaml", text)], VARIABLES)
    assert serious(found.warnings) == []


def paths(node: Node | None, section: str) -> set[str]:
    """The keys of the table that a mapping uses."""
    found = set()
    for name, value in node.entries.items() if isinstance(node, Map) else ():
        key = next((each for each in (inside(section, name), inside(section, ANY_NAME)) if each in BY_PATH), None)
        if key is not None:
            found |= {key} | paths(value, SAME.get(key, key))
    return found


def test_every_key_is_shown_in_an_example() -> None:
    shown = {path for text in BLOCKS for path in paths(tree(text), "")}
    assert sorted(BY_PATH.keys() - shown) == []


def test_what_is_not_acted_on_yet_is_listed() -> None:
    section = PAGE.partition("## Keys that are not acted on yet")[2]
    assert set(re.findall(r"^- `([^`]+)`", section, re.MULTILINE)) == NOT_YET


# What the program fills in without being told, which daemon/builtin.py finds out.
BUILTIN = {"llama_server": "llama-server", "demo_model": "demo.gguf"}


def test_the_example_reads_cleanly_and_has_the_demonstration_model() -> None:
    reading = read([Source("config.yaml", EXAMPLE)], {}, builtin=BUILTIN)
    assert reading.warnings == ()
    (demo,) = reading.config.models.values()
    assert demo.cmd.startswith("llama-server --model demo.gguf")
    plain = Config(models={"demo": demo}, groups=(Group(DEFAULT_GROUP, ("demo",)),))
    assert [shelf.word for shelf in reading.config.discover] == ["models"]
    assert replace(reading.config, names={}, ports={}, discover=()) == plain


MODELS = ["bigger", "demo", "gpt-oss-120b", "qwen"]


def test_the_example_reads_cleanly_with_everything_in_it_made_active() -> None:
    reading = read([Source("config.yaml", active(EXAMPLE))], {"LLAMASWAP_KEY": "k"}, builtin=BUILTIN)
    assert reading.warnings == ()
    assert (list(reading.config.models), reading.config.preload) == (MODELS, ("qwen",))
    assert (reading.config.api_keys, reading.config.allowed_hosts) == (("k",), ("box.example.org",))
    assert reading.config.models["bigger"].cmd.endswith("--context 32768")


def active(text: str) -> str:
    """Every comment line that looks like YAML, without its `#`."""
    looks = re.compile(r"^( *)# ((?: *[\w-]+: ?.*)|(?: {6}.*)|(?: {4}\$.*)|(?: {4}--.*))$", re.MULTILINE)
    return looks.sub(r"\1\2", text)
