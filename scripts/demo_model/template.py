"""How a conversation becomes text: once in Jinja, for the engine, and once in Python, for the training.

They must agree. The template helps so small a model: letters are made small, punctuation becomes space, and only the
last exchange and the beginning of each text are kept, so that nothing is ever longer than what it was trained on.
"""

from __future__ import annotations

import string
from collections.abc import Sequence

from scripts.demo_model.corpus import Message

# One token opens each message, so that a short question stays short. END closes an answer.
OPENING = {"system": "<|system|>", "user": "<|user|>", "assistant": "<|answer|>"}
END, NONE = "<|end|>", "<|endoftext|>"

SPACES = '?!.,;:"`()[]{}$/\\-_=+*<>#|&%@~^\n\t'
NOTHING = "'\u2019"  # apostrophes, straight and curved
MACRO = " macro "  # ${PORT} is another thing than a port
SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
ASKED, TOLD, SYSTEM = 160, 48, 48  # characters that are kept of a question, an earlier answer, a system message
LAST = 3  # messages: a question, its answer, and the question at hand


def plain(text: str, limit: int) -> str:
    text = text[: 4 * limit].translate(SMALL)  # the engine knows the letters of ASCII only
    text = text.replace("${", MACRO)
    for character in NOTHING:
        text = text.replace(character, "")
    for character in SPACES:
        text = text.replace(character, " ")
    for _ in range(5):
        text = text.replace("  ", " ")
    return text.strip()[:limit].strip()


def rendered(messages: Sequence[Message]) -> str:
    text = ""
    if messages[0].role == "system":
        text, messages = OPENING["system"] + plain(messages[0].content, SYSTEM), messages[1:]
    for message in messages[-LAST:]:
        if message.role == "user":
            text += OPENING["user"] + plain(message.content, ASKED)
        else:
            text += OPENING["assistant"] + message.content[:TOLD].strip() + END
    return text + OPENING["assistant"]


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t") + "'"


def jinja() -> str:
    """The same for the engine. A reference to the system message stays in it, or none is thought to be supported."""
    smooth = f"|replace('${{', '{MACRO}')"
    smooth += "".join(f"|replace({quoted(character)}, '')" for character in NOTHING)
    smooth += "".join(f"|replace({quoted(character)}, ' ')" for character in SPACES)
    smooth += "|replace('  ', ' ')" * 5

    def kept(limit: int) -> str:
        return f"((message.content[:{4 * limit}]|lower{smooth}|trim)[:{limit}]|trim)"

    said = f"(message.content[:{TOLD}]|trim)"
    return (
        "{%- set rest = messages -%}"
        "{%- if messages[0].role == 'system' -%}"
        "{%- set message = messages[0] -%}{%- set rest = messages[1:] -%}"
        f"{{{{- '{OPENING['system']}' + {kept(SYSTEM)} -}}}}"
        "{%- endif -%}"
        f"{{%- for message in rest[-{LAST}:] -%}}"
        "{%- if message.role == 'user' -%}"
        f"{{{{- '{OPENING['user']}' + {kept(ASKED)} -}}}}"
        "{%- else -%}"
        f"{{{{- '{OPENING['assistant']}' + {said} + '{END}' -}}}}"
        "{%- endif -%}{%- endfor -%}"
        f"{{%- if add_generation_prompt -%}}{{{{- '{OPENING['assistant']}' -}}}}{{%- endif -%}}"
    )
