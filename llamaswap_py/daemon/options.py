"""What the command line asks of the running program."""

from __future__ import annotations

import msgspec

DEFAULT_LISTEN = "127.0.0.1:8080"
DEFAULT_TLS_LISTEN = "127.0.0.1:8443"


class Options(msgspec.Struct, frozen=True):
    config: str | None = None
    config_dir: str | None = None
    models_dirs: tuple[str, ...] = ()
    listen: str = DEFAULT_LISTEN
    watch_config: bool = False
    state_dir: str | None = None
    tls_cert_file: str | None = None  # both or neither
    tls_key_file: str | None = None
