"""A container engine in small. `containers.py SOCKET serve` is the daemon, a process of nobody's tree but its own;
`run NAME ARGV…` starts a command under a name and stays until it ends, `run -d …` does not stay, `stop NAME` ends it.

As with the real one, a client that is killed stops nothing, and a name in use is refused (125).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading

LONG = 4096


class Engine:
    def __init__(self) -> None:
        self.named: dict[str, subprocess.Popen[bytes]] = {}
        self.lock = threading.Lock()

    def answer(self, client: socket.socket) -> None:
        with client:
            verb, name, *argv = client.recv(LONG).decode().split("\0")
            client.sendall(b"%d\n" % getattr(self, verb)(name, argv))

    def start(self, name: str, argv: list[str]) -> int:
        with self.lock:
            held = self.named.get(name)
            if held is not None and held.poll() is None:
                return 125
            self.named[name] = subprocess.Popen(argv)
        return 0

    def run(self, name: str, argv: list[str]) -> int:
        return self.start(name, argv) or self.named[name].wait()

    def stop(self, name: str, _: list[str]) -> int:
        held = self.named.get(name)
        if held is None or held.poll() is not None:
            return 1
        held.terminate()
        held.wait()
        return 0


def serve(path: str) -> None:
    engine = Engine()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    while True:
        client = listener.accept()[0]
        threading.Thread(target=engine.answer, args=(client,), daemon=True).start()


def ask(path: str, *words: str) -> int:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        line.sendall("\0".join(words).encode())
        return int(line.recv(LONG))


def main(path: str, verb: str, *words: str) -> int:
    if verb == "serve":
        serve(path)
    if verb == "run" and words[0] == "-d":
        return ask(path, "start", *words[1:])
    if verb == "run":
        # A client told to end passes it on, as the real one does; one that is killed cannot.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(143 if not ask(path, "stop", words[0]) else 1))
    return ask(path, verb, *words)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
