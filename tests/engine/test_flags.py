"""Old spellings become today's, and each is named with what to write instead."""

from __future__ import annotations

import pytest

from llamaswap_py.engine.flags import REMOVED, outdated, translate


@pytest.mark.parametrize(
    ("old", "now"),
    [
        ("-m x.gguf -c 4096", "-m x.gguf -c 4096"),
        ("--mlock", "--load-mode mmap+mlock"),
        ("--no-mmap", "--load-mode none"),
        ("--mmap", "--load-mode mmap"),
        ("-m x --mlock -c 1 --no-mmap", "-m x -c 1 --load-mode mlock"),
        ("-dio", "--load-mode dio"),
        ("--mlock -lm none", "-lm none"),
        ("--draft 8 -c 1", "--spec-draft-n-max 8 -c 1"),
        ("--draft-max 8 --draft-min 2", "--spec-draft-n-max 8 --spec-draft-n-min 2"),
        ("-cd 512 -c 1", "-c 1"),
        ("--slots-endpoint-disable", "--no-slots"),
        ("--memory-f32 -c 1", "-ctk f32 -ctv f32 -c 1"),
        ("--log-format text -c 1", "-c 1"),
        ("--logits-all -c 1", "-c 1"),
        ("-fa -c 1", "-fa on -c 1"),
        ("-c 1 --flash-attn", "-c 1 --flash-attn on"),
        ("-fa off -c 1", "-fa off -c 1"),
        ("--draft", "--spec-draft-n-max"),
    ],
)
def test_a_command_is_brought_up_to_date(old: str, now: str) -> None:
    modern, notes = translate(old.split())
    assert modern == now.split()
    assert bool(notes) == (old != now)


def test_what_a_command_uses_that_is_gone_is_named_once_with_its_remedy() -> None:
    assert [str(note) for note in outdated(["--draft", "4", "--mlock", "-fa", "--mlock", "--draft", "5"])] == [
        "--draft is gone from llama-server. Write --spec-draft-n-max.",
        "-fa takes a value by now. Write -fa on.",
        "--mlock is gone from llama-server. Write --load-mode mmap+mlock.",
    ]
    assert outdated(["-m", "x.gguf"]) == []


def test_every_flag_that_is_gone_has_a_remedy() -> None:
    assert all(removed.remedy.endswith(".") for removed in REMOVED.values())
