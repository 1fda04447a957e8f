"""Where a model's server is: the parsed `proxy` URL, and how a caller's path is put under it.

Texts in, texts out; percent-encoding is never undone."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

PORTS = {"http": 80, "https": 443}


class Address(msgspec.Struct, frozen=True):
    """The place a model's requests go to."""

    scheme: str  # http | https
    host: str  # without brackets
    port: int
    base_path: str = ""
    base_query: str = ""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read a URL; ValueError with a sentence where it cannot be one."""
        parts = urlsplit(url.strip())
        if parts.scheme not in PORTS:
            raise ValueError(f"`{url}` must begin with http:// or https://")
        if not parts.hostname:
            raise ValueError(f"`{url}` names no host")
        try:
            parts.hostname.encode("idna")
        except UnicodeError as error:
            raise ValueError(f"`{parts.hostname}` in `{url}` can be no host's name") from error
        port = parts.port if parts.port is not None else PORTS[parts.scheme]
        return cls(parts.scheme, parts.hostname, port, parts.path, parts.query)

    @property
    def authority(self) -> str:
        """What a Host header says: brackets around IPv6, no port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    def target(self, path_and_query: str) -> str:
        """The request target under this address: one slash at the joint, both queries."""
        if not self.base_path and not self.base_query and path_and_query.startswith("/"):
            return path_and_query
        path, _, query = path_and_query.partition("?")
        joined = f"{self.base_path.rstrip('/')}/{path.removeprefix('/')}"
        both = "&".join(filter(None, (self.base_query, query)))
        return f"{joined}?{both}" if both else joined

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.base_path}"
