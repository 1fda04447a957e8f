"""TLS with a certificate that may be renewed: its files are looked at when somebody connects."""

from __future__ import annotations

import ssl
from pathlib import Path

import structlog

log = structlog.get_logger("tls")

Stamp = tuple[tuple[int, int, int], ...]  # of both files: time, size and number


class Certificate:
    """`context` is for the listening sockets; a handshake after a change gets the new certificate, and connections
    that are open stay as they are. While the files do not fit each other the one before serves on."""

    def __init__(self, cert_file: str, key_file: str) -> None:
        self._files = (Path(cert_file), Path(key_file))
        self._stamp = self._look()
        self._current = self._read()
        self.context = self._read()
        self.context.sni_callback = self._choose

    def _look(self) -> Stamp:
        seen = [path.stat() for path in self._files]
        return tuple((found.st_mtime_ns, found.st_size, found.st_ino) for found in seen)

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self._files)
        return context

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        """Called in every handshake, also in one that names no server."""
        self.renew()
        connection.context = self._current

    def renew(self) -> None:
        try:
            stamp = self._look()
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._current = self._read()
        except OSError as error:  # ssl's own errors are among them
            log.warning(f"the TLS certificate was not read again: {error}; the one before serves on")
        else:
            log.info(f"the TLS certificate was read again from {self._files[0]}")
