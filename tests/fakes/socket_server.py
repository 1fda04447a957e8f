"""A model's server that speaks WebSocket, takes uploads, and sends downloads: `python socket_server.py --port N`.

`/echo` answers each message with itself, `/say?text=…` greets and closes, `/die` breaks the connection in the middle,
`/refuse` stays with HTTP, `/early` says no before the body has come, `/download?size=N` sends that many bytes, and
every other path says what came. `/health` is always good."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os

from aiohttp import WSMsgType, web

PIECE = b"0123456789abcdef" * 4096


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(max_msg_size=0, protocols=("chat",), autoping=True)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket


async def say(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str(request.query["text"])
    await socket.close(code=4001, message=b"said it")
    return socket


async def die(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str("about to die")
    await socket.receive()
    os._exit(7)


async def refuse(request: web.Request) -> web.Response:
    return web.Response(status=426, text="no sockets here")


async def upload(request: web.Request) -> web.Response:
    """The digest and the size of what came, and its framing."""
    digest, size = hashlib.sha256(), 0
    async for piece in request.content.iter_any():
        digest.update(piece)
        size += len(piece)
    seen = {"size": size, "sha256": digest.hexdigest(), "method": request.method, "path": request.raw_path}
    return web.json_response({**seen, "headers": {name.lower(): value for name, value in request.headers.items()}})


async def download(request: web.Request) -> web.StreamResponse:
    left = int(request.query["size"])
    response = web.StreamResponse(headers={"Content-Length": str(left)})
    await response.prepare(request)
    while left > 0:
        await response.write(PIECE[:left])
        left -= len(PIECE)
    return response


async def early(request: web.Request) -> web.Response:
    """Says no before the body has come."""
    return web.Response(status=413)


async def health(request: web.Request) -> web.Response:
    return web.Response(text="OK")


def application() -> web.Application:
    app = web.Application(client_max_size=0)
    app.router.add_get("/health", health)
    app.router.add_get("/echo", echo)
    app.router.add_get("/ws", echo)
    app.router.add_get("/say", say)
    app.router.add_get("/die", die)
    app.router.add_get("/refuse", refuse)
    app.router.add_get("/download", download)
    app.router.add_post("/early", early)
    app.router.add_route("*", "/{path:.*}", upload)
    return app


async def serve(host: str, port: int) -> None:
    """Bodies are seen as they come, compressed ones too. Killed, not asked to end."""
    runner = web.AppRunner(application(), access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    options = parser.parse_args()
    asyncio.run(serve(options.host, options.port))


if __name__ == "__main__":
    main()
