"""Who finds room: the answer to whoever does not is one that can be read."""

from __future__ import annotations

import json

from llamaswap_py.server.entrance import refusal


def test_the_refusal_of_a_flood_is_a_whole_answer() -> None:
    head, _, body = refusal().partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert head.startswith(b"HTTP/1.1 503 ")
    assert (fields["Content-Length"], fields["Connection"]) == (str(len(body)), "close")
    assert fields["Retry-After"] == "1"
    assert json.loads(body)["error"]["code"] == "overloaded"
