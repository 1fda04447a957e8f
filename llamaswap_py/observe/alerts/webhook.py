"""One message by HTTP: sent, and what came of it."""

from __future__ import annotations

import asyncio
import ssl

import aiohttp

from llamaswap_py.observe.alerts.outbox import Trouble
from llamaswap_py.observe.alerts.wording import Letter

SECONDS = 15.0  # for the whole of it
QUOTED = 200  # characters of an answer that is a complaint
# What says that this message will never be taken; whoever asks to slow down, or does not know us, may change.
NEVER = (400, 413, 415, 422)


async def post(letter: Letter) -> Trouble | None:
    """None where it was taken."""
    patience = aiohttp.ClientTimeout(total=SECONDS)
    try:
        trusted = await asyncio.to_thread(ssl.create_default_context)
        # A redirect would be asked by GET, and signed for another address.
        async with (
            aiohttp.ClientSession(timeout=patience) as session,
            session.post(
                letter.url, data=letter.body, headers=letter.headers, ssl=trusted, allow_redirects=False
            ) as answer,
        ):
            return await judged(answer)
    except TimeoutError:
        return Trouble(f"it did not answer within {SECONDS:.0f} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Trouble(str(error) or type(error).__name__)


async def judged(answer: aiohttp.ClientResponse) -> Trouble | None:
    if 200 <= answer.status < 300:
        return None
    said = (await answer.content.read(QUOTED)).decode("utf-8", "replace").strip()
    pause = answer.headers.get("Retry-After", "")
    reason = f"it answered {answer.status}" + (f": {said}" if said else "")
    return Trouble(reason, answer.status in NEVER, float(pause) if pause.isdecimal() else 0.0)
