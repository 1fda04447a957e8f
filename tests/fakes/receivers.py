"""Who is told of alerts: a real HTTP server and a real mail server, in threads, that write down what they hear."""

from __future__ import annotations

import asyncio
import email
import socket
import ssl
import threading
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NamedTuple, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

LONG = 30.0


class Heard(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """`heard` is what was taken, in order; `news` wakes whoever waits for more."""

    def __init__(self) -> None:
        self.news = threading.Condition()
        self.tries = 0

    def wait_for(self, enough: Callable[[], bool]) -> None:
        with self.news:
            assert self.news.wait_for(enough, LONG), "the receiver did not hear in time"


class HttpReceiver(Receiver):
    """With `down=True` its port refuses connections until `up` is called. `status` is what it answers."""

    def __init__(self, context: ssl.SSLContext | None = None, *, down: bool = False) -> None:
        super().__init__()
        self.context = context
        self.heard: list[Heard] = []
        self.status = 200
        self.retry_after = ""
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server: HTTPServer | None = None
        if not down:
            self.up()

    def up(self) -> None:
        receiver = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.news:  # before the answer: whoever has that may look here
                    receiver.tries += 1
                    if receiver.status == 200:
                        receiver.heard.append(Heard(self.path, dict(self.headers), body))
                    receiver.news.notify_all()
                self.send_response(receiver.status)
                self.send_header("Content-Length", "4")
                if receiver.retry_after:
                    self.send_header("Retry-After", receiver.retry_after)
                self.end_headers()
                self.wfile.write(b"word")

            def log_message(self, *_: Any) -> None:
                """The test looks at `heard`."""

        self.server = HTTPServer(("127.0.0.1", 0), Answering, bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = self.socket
        self.server.server_activate()
        if self.context:
            self.server.socket = self.context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
        self.socket.close()


class MailReceiver(Receiver):
    """With a `context` it offers STARTTLS, and a login is then wanted."""

    def __init__(self, context: ssl.SSLContext | None = None, login: tuple[str, str] | None = None) -> None:
        super().__init__()
        self.heard: list[Message] = []
        self.context, self.login = context, login
        self.answers: list[str] = []  # to the next mails, instead of taking them
        self.loop = asyncio.new_event_loop()
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        server = self.loop.run_until_complete(self.loop.create_server(self.protocol, sock=self.socket))
        self.loop.run_forever()
        server.close()
        self.loop.run_until_complete(self.finish())
        self.loop.close()

    async def finish(self) -> None:
        """Who still converses is hung up on."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # their transports close in the loop's next round

    def protocol(self) -> SMTP:
        check = self.check if self.login else None
        return SMTP(
            self,
            tls_context=self.context,
            loop=self.loop,
            hostname="box",
            authenticator=check,
            auth_required=bool(check),
        )

    def check(
        self, server: object, session: object, envelope: object, mechanism: str, offered: LoginPassword
    ) -> AuthResult:
        assert self.login is not None
        return AuthResult(success=(offered.login.decode(), offered.password.decode()) == self.login, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        with self.news:
            self.tries += 1
            self.news.notify_all()
            if self.answers:
                return self.answers.pop(0)
            content = envelope.content
            assert isinstance(content, bytes)
            self.heard.append(email.message_from_bytes(content))
        return "250 OK"

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(LONG)
        self.socket.close()
