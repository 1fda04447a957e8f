"""The obvious proxy, as a measure: aiohttp's server in front, aiohttp's client behind, nothing else.

`python -m tests.performance.plain_proxy --port N --upstream URL`."""

from __future__ import annotations

import argparse

import aiohttp
from aiohttp import web

HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}


def proxy(upstream: str) -> web.Application:
    app = web.Application(client_max_size=1 << 28)

    async def session(app: web.Application) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        app["session"] = aiohttp.ClientSession(connector=connector, auto_decompress=False)

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
        body = await request.read()
        sent = request.app["session"].request(request.method, upstream + request.path_qs, headers=headers, data=body)
        async with sent as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
            response = web.StreamResponse(status=answer.status, headers=kept)
            try:
                await response.prepare(request)
                async for piece in answer.content.iter_any():
                    await response.write(piece)
                await response.write_eof()
            except ConnectionError:
                pass  # whoever measures leaves when the time is up
            return response

    app.on_startup.append(session)
    app.router.add_route("*", "/{path:.*}", handle)
    return app


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--upstream", required=True)
    chosen = options.parse_args()
    import uvloop

    uvloop.install()
    web.run_app(proxy(chosen.upstream), host="127.0.0.1", port=chosen.port, access_log=None, handle_signals=False)
