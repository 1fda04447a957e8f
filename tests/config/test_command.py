"""From a text to arguments, on either family of systems; ports and processes filled in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.config.command import argv, option, quoted, render, stop_argv, uses_port, without_comments
from llamaswap_py.config.values import Model

# A `#` may begin a comment line and a backslash may join lines, even inside quotes.
WORDS = st.lists(st.text(st.characters(exclude_characters="#\\"), max_size=8))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t\n ", []),
        ("a b\tc\nd", ["a", "b", "c", "d"]),
        ("a 'b c' \"d e\"", ["a", "b c", "d e"]),
        ("a\"b\"'c'd", ["abcd"]),
        ("a \"\" ''", ["a", "", ""]),
        (r"a\ b \"c\" \'", ["a b", '"c"', "'"]),
        (r'"\$ \` \" \\ \n \a"', [r"$ ` \" \ \n \a".replace('\\"', '"')]),
        (r"'\a \' x", ["\\a \\", "x"]),
        ("'open to the end", ["open to the end"]),
        ('"open to the end', ["open to the end"]),
        ("a #b c", ["a", "#b", "c"]),
        ("a\n  # gone 'x\nb", ["a", "b"]),
        ("a \\\n  b\\\nc", ["a", "b", "c"]),
        ("a \\", ["a"]),
        ("a \\\\\nb", ["a", " ", "b"]),
        ("a\rb", ["a\rb"]),
        ("$HOME *.txt | cat && x > y", ["$HOME", "*.txt", "|", "cat", "&&", "x", ">", "y"]),
        ("c:\\x\\y", ["c:xy"]),
    ],
)
def test_a_command_is_split_without_a_shell(text: str, words: list[str]) -> None:
    assert argv(text, windows=False) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("a b\tc\nd ", ["a", "b", "c", "d"]),
        (r"c:\x\y.exe -m d:\z", [r"c:\x\y.exe", "-m", r"d:\z"]),
        (r'"c:\a b\x.exe" y', [r"c:\a b\x.exe", "y"]),
        (r'a"b c"d', ["ab cd"]),
        ('a "" b', ["a", "", "b"]),
        (r'\" a\\" b', ['"', "a\\ b"]),
        (r'"a\\" b', ["a\\", "b"]),
        (r'"a""b" c', ['a"b', "c"]),
        ("'a b'", ["'a", "b'"]),
        ('"open to the end', ["open to the end"]),
    ],
)
def test_on_windows_only_double_quotes_count(text: str, words: list[str]) -> None:
    assert argv(text, windows=True) == words


@pytest.mark.parametrize("windows", [False, True])
@given(words=WORDS)
def test_quoted_words_come_back(words: list[str], windows: bool) -> None:
    assert argv(quoted(words, windows), windows) == words


@pytest.mark.parametrize(
    ("word", "text"), [(r"c:\x.exe", r"c:\x.exe"), ("c:\\a b\\", r'"c:\a b\\"'), (r"\"", r'"\\\""'), ("", '""')]
)
def test_on_windows_only_what_must_be_is_quoted(word: str, text: str) -> None:
    assert quoted([word], windows=True) == text
    assert argv(text, windows=True) == [word]


@given(st.text("ab \t\n'\"\\#$`", max_size=30), st.booleans())
def test_any_text_can_be_split(text: str, windows: bool) -> None:
    assert all(isinstance(word, str) for word in argv(text, windows))


def test_comment_lines_go_and_other_signs_stay() -> None:
    assert without_comments("a\n# b\n  #c\nd # e") == "a\nd # e"
    assert without_comments("a\nb") == "a\nb"


def test_the_stop_command_gets_the_process_and_may_say_nothing() -> None:
    assert stop_argv("docker stop x ${PID}${PID}", 42, windows=False) == ["docker", "stop", "x", "4242"]
    assert stop_argv("  # only a comment", 42, windows=False) == []


def test_the_port_is_filled_into_every_text() -> None:
    text = "p${PORT}"
    model = Model(
        id="m",
        cmd=text,
        cmd_stop=text,
        proxy=text,
        check_endpoint=text,
        env=(text, "A=1"),
        aliases=(text,),
        name=text,
        description=text,
        use_model_name=text,
    )
    assert uses_port(model)
    found = render(model, 9)
    assert found == Model(
        id="m",
        cmd="p9",
        cmd_stop="p9",
        proxy="p9",
        check_endpoint="p9",
        env=("p9", "A=1"),
        aliases=("p9",),
        name="p9",
        description="p9",
        use_model_name="p9",
    )
    assert not uses_port(found)


def test_a_model_without_a_port_stays_as_it_is() -> None:
    model = Model(id="m", cmd="x")
    assert render(model, None) is model


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("serve -m a.gguf", "a.gguf"),
        ("serve --model a.gguf -m b.gguf", "b.gguf"),
        ("serve --model=a.gguf --port 1", "a.gguf"),
        ("serve --models a.gguf", ""),
        ("serve -m", ""),
    ],
)
def test_an_option_is_what_its_last_flag_is_given(text: str, found: str) -> None:
    assert option(argv(text), "-m", "--model") == found
