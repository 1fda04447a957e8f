"""A small reverse proxy that puts a server under a sub-path, as people's web servers do."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

OWN = {"connection", "transfer-encoding", "keep-alive", "date", "server"}


class Relayed(BaseHTTPRequestHandler):
    """One exchange per connection; every piece is passed on as it comes."""

    server: Front

    def relay(self) -> None:
        if not self.path.startswith(self.server.prefix):
            self.send_error(404, "not under the sub-path")
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        behind = http.client.HTTPConnection(self.server.behind)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN}
        behind.request(self.command, "/" + self.path.removeprefix(self.server.prefix), body, headers)
        try:
            self.answer(behind.getresponse())
        except ConnectionError:
            pass  # the browser went away
        finally:
            behind.close()

    def answer(self, told: http.client.HTTPResponse) -> None:
        self.send_response_only(told.status)
        for name, value in told.getheaders():
            if name.lower() not in OWN:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while piece := told.read1(65536):
            self.wfile.write(piece)

    do_GET = do_POST = do_PUT = do_DELETE = relay  # noqa: N815 - the names that http.server looks for

    def log_message(self, *words: object) -> None:
        """Nobody reads it."""


class Front(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behind: str, prefix: str) -> None:
        super().__init__(("127.0.0.1", 0), Relayed)
        self.behind = behind
        self.prefix = prefix


@contextmanager
def under_a_subpath(url: str, prefix: str) -> Iterator[str]:
    """Its address, with the sub-path."""
    with Front(urlsplit(url).netloc, prefix) as front:
        thread = threading.Thread(target=front.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{front.server_port}{prefix}"
        finally:
            front.shutdown()
            thread.join()
