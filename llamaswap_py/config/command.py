"""A model's command as the operating system takes it: comments out, `${PORT}` and `${PID}` in, text to arguments."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from llamaswap_py.config.macros import PID, PORT
from llamaswap_py.config.values import Filters, Json, Model

WINDOWS = sys.platform == "win32"

POSIX_PART = re.compile(
    r"(?P<gap>[ \t\n]+)"
    r"|'(?P<raw>[^']*)'?"
    r'|"(?P<quoted>(?:[^"\\]|\\.|\\\Z)*)"?'
    r"|\\(?P<escaped>.|\Z)"
    r"|(?P<bare>[^ \t\n'\"\\]+)",
    re.DOTALL,
)
IN_QUOTES = re.compile(r'\\([$`"\\\n])')  # any other backslash inside double quotes stands for itself
SPECIAL = re.compile(r"['\"\\]")  # without one, gaps are all there is to see, on any system
WORD = re.compile(r"[^ \t\n]+")
WINDOWS_PART = re.compile(r'(?P<slashes>\\*)"|(?P<gap>[ \t\n]+)|(?P<bare>\\+|[^ \t\n"\\]+)')


def quoted(words: Sequence[str], windows: bool = WINDOWS) -> str:
    """The arguments as the text of a command: what `argv` takes apart again."""
    return " ".join(map(quoted_for_windows, words)) if windows else shlex.join(words)


def quoted_for_windows(word: str) -> str:
    if word and not re.search(r'[\s"]', word):
        return word
    inner = re.sub(r'(\\*)"', r'\1\1\\"', word)
    return '"' + re.sub(r"(\\+)\Z", r"\1\1", inner) + '"'


def without_comments(text: str) -> str:
    """The text without the lines whose first character is `#`."""
    if "#" not in text:
        return text
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))


def join_lines(text: str) -> str:
    """Comment lines out; a backslash at the end of a line becomes a space, for the line break separates anyway."""
    text = without_comments(text)
    if "\\" not in text:
        return text
    rows = []
    for line in text.split("\n"):
        trimmed = line.strip()
        rows.append(trimmed[:-1] + " " if trimmed.endswith("\\") else line)
    return "\n".join(rows)


def argv(text: str, windows: bool = WINDOWS) -> list[str]:
    """The command's arguments. No shell is involved: no variables, globs or pipes. An open quote runs to the end."""
    text = join_lines(text)
    if not SPECIAL.search(text):
        return WORD.findall(text)
    return split_windows(text) if windows else split_posix(text)


def split_posix(text: str) -> list[str]:
    words: list[str] = []
    word: str | None = None
    for part in POSIX_PART.finditer(text):
        if part.lastgroup == "gap":
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + posix_text(part)
    return words if word is None else [*words, word]


def posix_text(part: re.Match[str]) -> str:
    found = part[part.lastgroup or 0]
    if part.lastgroup == "quoted":
        return IN_QUOTES.sub(lambda each: "" if each[1] == "\n" else each[1], found)
    if part.lastgroup == "escaped":
        return "" if found == "\n" else found
    return found


def split_windows(text: str) -> list[str]:
    """Microsoft's C runtime rules: backslashes count only before a double quote, two quotes inside quotes are one."""
    words: list[str] = []
    word: str | None = None
    quoted = False
    at = 0
    while part := WINDOWS_PART.match(text, at):
        at = part.end()
        if part["slashes"] is not None:
            slashes = len(part["slashes"])
            word = (word or "") + "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            elif quoted and text.startswith('"', at):
                word, at = word + '"', at + 1
            else:
                quoted = not quoted
        elif part["bare"] or quoted:
            word = (word or "") + part[0]
        else:
            words += [] if word is None else [word]
            word = None
    return words if word is None else [*words, word]


def option(words: Sequence[str], *names: str) -> str:
    """What a flag is given; the last one counts. Empty where it is not there."""
    for place in range(len(words) - 1, -1, -1):
        flag, equals, value = words[place].partition("=")
        if flag in names and (equals or place + 1 < len(words)):
            return value if equals else words[place + 1]
    return ""


# The `${PID}` of a process that has ended: its own number may be a stranger's by now, and this one is nobody's (Linux
# counts to one below it, macOS to 99 999).
NOBODY = 1 << 22


def stop_argv(text: str, pid: int, windows: bool = WINDOWS) -> list[str]:
    """`cmdStop` for one process. Empty where it says nothing: then the process gets the ordinary stop signal."""
    return argv(text.replace(PID, str(pid)), windows)


def uses_port(model: Model) -> bool:
    return PORT in model.cmd


def render(model: Model, port: int | None) -> Model:
    """The model with its port in every text; unchanged where it has none."""
    if port is None:
        return model

    def filled(text: str) -> str:
        return text.replace(PORT, str(port))

    return replace(
        model,
        cmd=filled(model.cmd),
        cmd_stop=filled(model.cmd_stop),
        proxy=filled(model.proxy),
        check_endpoint=filled(model.check_endpoint),
        env=tuple(map(filled, model.env)),
        aliases=tuple(map(filled, model.aliases)),
        name=filled(model.name),
        description=filled(model.description),
        use_model_name=filled(model.use_model_name),
        filters=fill_filters(model.filters, port),
        metadata=fill_object(model.metadata, port),
    )


def fill_filters(filters: Filters, port: int | None) -> Filters:
    if port is None or filters == Filters():
        return filters
    return Filters(
        tuple(path.replace(PORT, str(port)) for path in filters.strip),
        fill_object(filters.set, port),
        MappingProxyType(
            {name.replace(PORT, str(port)): fill_object(each, port) for name, each in filters.set_by_id.items()}
        ),
    )


def fill_object(values: Mapping[str, Json], port: int) -> Mapping[str, Json]:
    return MappingProxyType({name: fill_json(value, port) for name, value in values.items()})


def fill_json(value: Json, port: int) -> Json:
    """A text that is nothing but the port is a number."""
    if isinstance(value, str):
        return port if value == PORT else value.replace(PORT, str(port))
    if isinstance(value, tuple):
        return tuple(fill_json(each, port) for each in value)
    return fill_object(value, port) if isinstance(value, Mapping) else value
