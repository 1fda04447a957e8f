"""The id that a request goes by: in its answer, at the model's server, in refusals and in the log."""

from __future__ import annotations

import re
import secrets
from itertools import count

from aiohttp import web

HEADER = "X-Request-ID"
ID = web.RequestKey("id", str)

# Of this process: its ids differ from those of the last one, and say in which order the requests came.
OURS = secrets.token_hex(4)
NUMBERS = count(1)

# What other proxies and client libraries make; anything else would have to be quoted somewhere.
SANE = re.compile(r"[A-Za-z0-9._:/+=@~-]{1,128}")


def id_of(request: web.BaseRequest) -> str:
    """The caller's own where it is sane, else one made now; the same however often it is asked."""
    known = request.get(ID)
    if known is None:
        given = request.headers.get(HEADER, "")
        known = given if given and SANE.fullmatch(given) else f"{OURS}{next(NUMBERS):08x}"
        request[ID] = known
    return known


def sent_on(request: web.BaseRequest) -> list[tuple[str, str]]:
    """The request's fields for a model's server, with the id in them once."""
    name = id_of(request)
    headers = list(request.headers.items())
    given = request.headers.getall(HEADER, ())
    if not given:
        headers.append((HEADER, name))
        return headers
    if given == [name]:
        return headers
    return [*(field for field in headers if field[0].lower() != "x-request-id"), (HEADER, name)]


async def put_id(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer that is ours; relayed ones carry it in their head."""
    response.headers[HEADER] = id_of(request)
