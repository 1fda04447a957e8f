"""The proxies that are measured: started on the same upstream, known by their address and their processes."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from tests.whole.program import Program

T = TypeVar("T")

NGINX = """
worker_processes 1;
worker_rlimit_nofile 65536;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 32768; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 10000000;
  upstream behind {{ server 127.0.0.1:{upstream}; {kept} }}
  server {{
    listen 127.0.0.1:{port} backlog=8192;
    location / {{
      proxy_pass http://behind; proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 600s;
      {fields}
    }}
  }}
}}
"""


MASTER_AND_WORKER = 2


@dataclass(frozen=True)
class Contestant:
    name: str
    address: str  # host:port
    pids: tuple[int, ...] = ()

    def cpu(self) -> float:
        """Seconds of processor time of all its threads so far."""
        return sum(seconds_of(pid) for pid in self.pids)

    def memory(self) -> float:
        """MiB resident."""
        return sum(psutil.Process(pid).memory_info().rss for pid in self.pids) / 2**20


def seconds_of(pid: int) -> float:
    """The scheduler's own count in nanoseconds where the system tells it, else its ticks."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
    except OSError:
        times = psutil.Process(pid).cpu_times()
        return times.user + times.system


def turned(everybody: Sequence[T], number: int) -> list[T]:
    """Nobody is always first."""
    at = number % len(everybody)
    return [*everybody[at:], *everybody[:at]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def reach(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def process(*words: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server of ours for the measurement, from its first accepted connection on."""
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        while not reach(port):
            assert child.poll() is None, f"{words[0]} ended at its start"
        yield child
    finally:
        child.kill()
        child.wait()


def module(name: str, *words: str, port: int) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return process(sys.executable, "-m", name, "--port", str(port), *words, port=port)


def tree(pid: int) -> tuple[int, ...]:
    return (pid, *(child.pid for child in psutil.Process(pid).children(recursive=True)))


@contextmanager
def nginx(binary: str, upstream: int, kept: bool = False) -> Iterator[Contestant]:
    """As it comes it makes a connection to the upstream for each request; `kept`: it is told to keep them."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "nginx.conf")
        pool = "keepalive 256; keepalive_requests 10000000;" if kept else ""
        fields = 'proxy_set_header Connection "";' if kept else ""
        path.write_text(NGINX.format(folder=folder, upstream=upstream, port=port, kept=pool, fields=fields))
        child = subprocess.Popen([binary, "-p", folder, "-c", str(path)])
        try:
            while not reach(port) or len(tree(child.pid)) < MASTER_AND_WORKER:
                assert child.poll() is None, "nginx ended at its start"
            yield Contestant("nginx, kept" if kept else "nginx", f"127.0.0.1:{port}", tree(child.pid))
        finally:
            child.terminate()
            child.wait()


@contextmanager
def plain(upstream: int) -> Iterator[Contestant]:
    port = free_port()
    with module("tests.performance.plain_proxy", "--upstream", f"http://127.0.0.1:{upstream}", port=port) as child:
        yield Contestant("aiohttp", f"127.0.0.1:{port}", (child.pid,))


def settings(upstream: int, models: int) -> str:
    """Model `m` is the one that is asked; its server runs already, so its command only has to stay alive."""
    lines = ["models:"]
    for name in ["m", *(f"idle-{number}" for number in range(1, models))]:
        lines += [f"  {name}:", "    cmd: sleep 100000", f"    proxy: http://127.0.0.1:{upstream}"]
    return "\n".join(lines) + "\n"


@contextmanager
def ours(upstream: int, models: int = 1, more: str = "") -> Iterator[Contestant]:
    """`more`: of the configuration."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        program = stack.enter_context(Program(place, more + settings(upstream, models), watch=False))
        children = psutil.Process(program.process.pid).children()
        keeper = [child.pid for child in children if any("keeper" in word for word in child.cmdline())]
        yield Contestant("ours", program.url.removeprefix("http://"), (program.process.pid, *keeper))
