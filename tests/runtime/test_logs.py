"""Which ring a line lands in."""

from __future__ import annotations

import pytest

from llamaswap_py.runtime.logs import Logs


@pytest.mark.parametrize(
    ("to_stdout", "combined"), [("proxy", b"p\n"), ("upstream", b"m\n"), ("both", b"p\nm\n"), ("none", b"")]
)
def test_stdout_and_the_combined_log_hold_what_was_asked_for(to_stdout: str, combined: bytes) -> None:
    shown: list[bytes] = []
    logs = Logs(to_stdout, shown.append)
    logs.from_proxy(b"p\n")
    logs.from_model("a", b"m\n")
    assert logs.combined.history() == b"".join(shown) == combined


def test_every_log_can_be_read_whatever_goes_to_stdout() -> None:
    stdout: list[bytes] = []
    logs = Logs("none", stdout.append)
    logs.from_proxy(b"p\n")
    logs.from_model("a", b"1\n")
    logs.from_model("b", b"2\n")
    assert logs.proxy.history() == b"p\n"
    assert logs.upstream.history() == b"1\n2\n"
    assert [logs.model(name).history() for name in "abc"] == [b"1\n", b"2\n", b""]
    assert logs.find("") is logs.combined
    assert logs.find("proxy") is logs.proxy
    assert logs.find("upstream") is logs.upstream
    assert logs.find("a") is None
