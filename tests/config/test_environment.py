"""Variables of the environment in a text, before it is YAML."""

from __future__ import annotations

import pytest

from llamaswap_py.errors import Mistake
from tests.config.reading import config, mistake, mistakes, model


def place(found: Mistake) -> tuple[int, int]:
    return found.line, found.column


def test_a_variable_is_filled_in_anywhere_even_in_keys_and_as_structure() -> None:
    text = """
    models:
      ${env.ID}:
        cmd: serve ${env.FLAGS}
        proxy: http://h:1
        aliases: ${env.LIST}
    """
    found = config(text, {"ID": "m", "FLAGS": "-a -b", "LIST": "[x, y]"}).models["m"]
    assert (found.cmd, found.aliases) == ("serve -a -b", ("x", "y"))


def test_quotes_and_backslashes_arrive_whole_in_double_quotes() -> None:
    text = 'models: {m: {cmd: x, proxy: "http://h", description: "${env.ODD}"}}'
    assert config(text, {"ODD": 'a\\b"c'}).models["m"].description == 'a\\b"c'


def test_an_unset_variable_is_told_with_its_place_and_remedy() -> None:
    text = """
    models:
      m:
        cmd: |
          serve ${PORT}
          --key ${env.KEY}
    """
    found = mistake(text)
    assert place(found) == (6, 13)
    assert found.key == "models.m.cmd"
    assert found.message == "the environment variable KEY is not set"
    assert found.remedy.startswith("Set KEY")


def test_every_unset_variable_is_told_and_so_is_what_else_is_wrong() -> None:
    text = """
    apiKeys: ["${env.A}", "${env.B}", "${env.A}"]
    globalTTL: -1
    """
    assert [found.line for found in mistakes(text)] == [2, 2, 3]


def test_an_unset_variable_in_a_key_is_told() -> None:
    assert mistake("models: {'${env.X}': {cmd: x, proxy: 'http://h'}}").key == "models.${env.X}"


def test_a_variable_that_only_a_comment_names_is_not_needed() -> None:
    assert config("logLevel: info # ${env.NOWHERE}\n").log_level == "info"


def test_a_mistake_elsewhere_makes_no_comment_count() -> None:
    """A key that is set twice: the variable of a commented line is not asked for beside it."""
    text = "models: {}\n  # keys: ['${env.NOWHERE}']\nmodels: {}\n"
    assert [found.line for found in mistakes(text)] == [3]


def test_beside_a_mistake_what_is_used_counts_in_values_and_in_blocks() -> None:
    text = "models: {}\nmodels: {}\nlogLevel: ${env.ONE}\nmacros:\n  m: |\n    # ${env.TWO}\n"
    told = [found.message for found in mistakes(text) if "environment" in found.message]
    assert told == ["the environment variable ONE is not set", "the environment variable TWO is not set"]


def test_a_comment_line_inside_a_block_counts_as_content() -> None:
    assert mistake("models:\n  m:\n    cmd: |\n      # ${env.X}\n      x ${PORT}\n").line == 3


def test_where_the_text_is_yaml_only_after_filling_in_every_name_counts() -> None:
    text = "# ${env.NOWHERE}\napiKeys: [${env.KEY}]\n"
    found = mistake(text, env={"KEY": "k"})
    assert (place(found), found.key) == ((1, 3), "")
    assert config(text, {"KEY": "k", "NOWHERE": ""}).api_keys == ("k",)


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b"])
def test_a_value_of_several_lines_is_refused(value: str) -> None:
    found = mistake("logLevel: ${env.X}\napiKeys: [a]\n", env={"X": value})
    assert found.message == "the environment variable X holds more than one line"


def test_an_empty_variable_is_set() -> None:
    assert config("logLevel: ${env.X}", {"X": ""}).log_level == "info"


def test_a_variable_may_name_further_ones_once() -> None:
    env = {"A": "${env.B}", "B": "b ${env.C}", "C": "c"}
    text = "models: {m: {cmd: '${env.A}', proxy: 'http://h'}}"
    assert "was not filled in" in mistake(text, env=env).message
    assert model("models: {m: {cmd: x, proxy: 'http://h'}}").cmd == "x"
    assert config(text, {"A": "${env.B}", "B": "b"}).models["m"].cmd == "b"
    assert mistake(text, env={"A": "${env.B}"}).message == "the environment variable B is not set"


def test_a_variable_that_is_not_utf_8_is_told() -> None:
    found = mistake("models: {m: {cmd: '${PORT}', name: '${env.A}'}}", env={"A": "x\udcff"})
    assert (found.key, found.message) == ("models.m.name", "the environment variable A holds bytes that are no text")
