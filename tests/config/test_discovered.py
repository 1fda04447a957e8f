"""Models that were found, beside those that are written."""

from __future__ import annotations

import pytest

from llamaswap_py.config.discovered import Discovered
from llamaswap_py.config.read import Reading, Source, read, shelves_in
from llamaswap_py.config.values import Shelf
from llamaswap_py.errors import ConfigError
from tests.config.reading import mistakes, warning


def found(name: str, *aliases: str, **keys: object) -> Discovered:
    return Discovered(name, f"/shelf/{name}.gguf", {"cmd": f"run {name} ${{PORT}}", "aliases": aliases, **keys})  # type: ignore[dict-item]


def reading(text: str, *discovered: Discovered, lenient: bool = False) -> Reading:
    return read([Source("config.yaml", text)], {}, lenient, {}, discovered)


@pytest.mark.parametrize("text", ["globalTTL: 9\n", "globalTTL: 9\nmodels:\n", "globalTTL: 9\nmodels: {}\n"])
def test_they_inherit_as_written_ones_do(text: str) -> None:
    config = reading(text, found("b", "bb"), found("a", metadata={"size": 5, "none": None})).config
    assert [(model.id, model.ttl, model.aliases) for model in config.models.values()] == [
        ("a", 9, ()),
        ("b", 9, ("bb",)),
    ]
    assert dict(config.discovered) == {"a": "/shelf/a.gguf", "b": "/shelf/b.gguf"}
    assert config.models["a"].metadata["size"] == 5


WRITTEN = """
macros: {other: there}
models:
  mine: {cmd: 'x ${PORT}', aliases: [alias, '${other}'], filters: {setParamsByID: {further: {a: 1}}}}
  odd:
selectors: {choice: {strategy: warm, targets: [mine]}}
peers: {box: {proxy: 'http://box:1', models: [far]}}
"""


@pytest.mark.parametrize("name", ["mine", "odd", "alias", "there", "further", "choice", "far", "box/far"])
def test_what_is_written_is_stronger(name: str) -> None:
    config = reading(WRITTEN, found(name, "x"), found("new", name, "y")).config
    assert list(config.models) == ["mine", "new", "odd"]
    assert config.models["mine"].cmd == "x ${PORT}"
    assert config.models["new"].aliases == ("y",)
    assert list(config.discovered) == ["new"]


def test_an_id_is_stronger_than_an_alias_among_them() -> None:
    config = reading("{}", found("a", "b"), found("b")).config
    assert config.models["a"].aliases == ()


def test_written_models_keep_their_ports() -> None:
    config = reading("models: {m: {cmd: '${PORT}'}}", found("a"), found("z")).config
    assert dict(config.ports) == {"m": 5800, "a": 5801, "z": 5802}


def test_groups_may_have_them_as_members() -> None:
    config = reading("groups: {g: {members: [a]}}", found("a")).config
    assert config.groups[0].members == ("a",)


def test_one_that_is_wrong_disables_itself_and_names_its_file() -> None:
    read_loosely = reading("{}", found("a", ttl="soon"), found("b"), lenient=True)
    assert [str(each).split(" ")[0] for each in read_loosely.disabled["a"]] == ["/shelf/a.gguf:"]
    assert set(read_loosely.config.models) == {"a", "b"}


def test_where_models_are_no_mapping_only_that_is_said() -> None:
    with pytest.raises(ConfigError) as caught:
        reading("models: [a]", found("a"))
    assert [each.key for each in caught.value.mistakes] == ["models"]


def test_a_model_without_aliases_needs_none() -> None:
    bare = Discovered("a", "/shelf/a.gguf", {"cmd": "run ${PORT}"})
    assert reading("{}", bare).config.models["a"].aliases == ()


# ------------------------------------------------------------- shelves


def test_each_shelf_remembers_the_file_that_names_it() -> None:
    sources = [Source("/one/a.yaml", "discover: [models, ollama]"), Source("/two/b.yaml", "discover: [models, ollama]")]
    expected = [Shelf("models", "/one/a.yaml"), Shelf("ollama", "/one/a.yaml")]
    expected += [Shelf("models", "/two/b.yaml"), Shelf("ollama", "/two/b.yaml")]
    assert shelves_in(sources, {}) == tuple(expected)
    assert read(sources, {}).config.discover == tuple(expected)


def test_macros_and_variables_are_filled_in() -> None:
    text = "macros: {where: /data}\ndiscover: ['${where}/models', '${env.HOME}', models, models]"
    words = [shelf.word for shelf in shelves_in([Source("a", text)], {"HOME": "/home/me"})]
    assert words == ["/data/models", "/home/me", "models"]


def test_other_mistakes_do_not_keep_shelves_from_being_known() -> None:
    assert shelves_in([Source("a", "discover: [x]\nglobalTTL: soon\nmodels: 5")], {}) == (Shelf("x", "a"),)
    assert shelves_in([Source("a", "models: {}")], {}) == ()


def test_what_is_no_list_of_folders_is_told() -> None:
    assert [each.key for each in mistakes("discover: models")] == ["discover"]
    assert warning("discover: ['']").key == "discover[0]"
