"""Serve: start the proxy. What `llamaswap` does when no command is named."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from llamaswap_py.cli.terminal import commands, flags, sources
from llamaswap_py.cli.terminal.flags import Flag, Usage, Words
from llamaswap_py.daemon.options import DEFAULT_LISTEN, DEFAULT_TLS_LISTEN
from llamaswap_py.daemon.version import __version__


def usage() -> Usage:
    text = f"""One address for many local models: a request names a model, its server is started, and what must make
room is stopped. Without --config and --config-dir, {sources.DEFAULT_CONFIG} of the current folder is used;
without that, the models that are found: in ./models, in Hugging Face's cache, and in Ollama's store.

other commands ('llamaswap COMMAND --help' explains one):
{commands.listing()}

signals: SIGHUP reads the configuration again; SIGINT and SIGTERM finish what is being answered and stop,
a second one stops at once."""
    return Usage(
        "llamaswap [serve] [flags]",
        text,
        (
            *sources.FLAGS,
            Flag("listen", f"where to listen (default {DEFAULT_LISTEN}, with TLS {DEFAULT_TLS_LISTEN})", "HOST:PORT"),
            Flag("tls-cert-file", "serve https with this certificate (PEM), read again when it changes", "FILE"),
            Flag("tls-key-file", "the certificate's key (PEM)", "FILE"),
            Flag("watch-config", "read the configuration again when it changes"),
            Flag("state-dir", "where to keep what must outlive a restart (else $LLAMASWAP_STATE)", "DIR"),
            Flag("version", "print the version and end"),
        ),
        interspersed=False,
    )


def main(argv: Sequence[str]) -> int:
    words = flags.read(usage(), argv)
    if isinstance(words, int):
        return words
    if "version" in words.switches:
        return print_version()
    if bool(words.value("tls-cert-file")) != bool(words.value("tls-key-file")):
        print("llamaswap: --tls-cert-file and --tls-key-file belong together: give both, or neither", file=sys.stderr)
        return 1
    return run(words, sources.config_named(words))


def run(words: Words, config: str | None) -> int:
    with lean_imports():
        from llamaswap_py.daemon import program  # the whole server: help and --version need none of it
        from llamaswap_py.daemon.options import Options

    options = Options(
        config=config,
        config_dir=words.value("config-dir"),
        models_dirs=tuple(words.every("models-dir")),
        listen=words.value("listen") or (DEFAULT_TLS_LISTEN if words.value("tls-cert-file") else DEFAULT_LISTEN),
        watch_config="watch-config" in words.switches,
        state_dir=words.value("state-dir"),
        tls_cert_file=words.value("tls-cert-file"),
        tls_key_file=words.value("tls-key-file"),
    )
    return program.run(options)


@contextmanager
def lean_imports() -> Iterator[None]:
    """A quicker start: no looking for garbage where everything is kept (the program turns it on again once
    it listens), without what structlog takes along where it is installed (rich for a console and greenlet for its
    threads, neither of which is here), and without the machine's certificates, which aiohttp reads for a client that
    nobody may ever need: whoever does, reads them."""
    import ssl

    gc.disable()
    hidden = {name: None for name in ("rich", "greenlet") if name not in sys.modules}
    cast("dict[str, object]", sys.modules).update(hidden)
    read = ssl.SSLContext.load_default_certs
    ssl.SSLContext.load_default_certs = lambda *_: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        ssl.SSLContext.load_default_certs = read  # type: ignore[method-assign]
        for name in hidden:
            del sys.modules[name]


def print_version() -> int:
    print(f"version: {__version__} (llamaswap-py, Python {sys.version.partition(' ')[0]})")
    return 0
