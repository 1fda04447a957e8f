"""The id that a request goes by: in its answer, at the model's server, in refusals and in the log."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from itertools import count

from aiohttp import web

HEADER = "X-Request-ID"
ID = web.RequestKey("id", str)
MODEL = web.RequestKey("model", str)  # which one it turned out to be for, as records call it

Fields = tuple[tuple[str, str], ...]
SAID_ANEW = frozenset({HEADER.lower(), "content-length"})

# Of this process: its ids differ from those of the last one, and say in which order the requests came.
OURS = secrets.token_hex(4)
NUMBERS = count(1)

# What other proxies and client libraries make; anything else would have to be quoted somewhere.
SANE = re.compile(r"[A-Za-z0-9._:/+=@~-]{1,128}")


def id_of(request: web.BaseRequest) -> str:
    """The same however often it is asked."""
    try:
        name: str = request._state[ID]  # noqa: SLF001 - asked for often, and `request[…]` is a step more
    except KeyError:  # it never came to a door
        return give_id(request)
    return name


def give_id(request: web.BaseRequest) -> str:
    """The caller's own where it is sane, else one made now."""
    given = request.headers.get(HEADER)
    name = given if given and SANE.fullmatch(given) else f"{OURS}{next(NUMBERS):08x}"
    request._state[ID] = name  # noqa: SLF001 - as it is asked for
    return name


def without_ours(fields: Iterable[tuple[str, str]]) -> Fields:
    """What goes on to a model's server as it came; the id and the length of the body are said anew."""
    return tuple(field for field in fields if field[0].lower() not in SAID_ANEW)


async def put_id(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer that is ours; relayed ones carry it in their head."""
    response.headers[HEADER] = id_of(request)
