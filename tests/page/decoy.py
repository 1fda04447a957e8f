"""Says as much as a page hears on a busy day, and has nothing to do with the proxy: `decoy.py PORT`, where somebody
listens and reads until he has enough."""

from __future__ import annotations

import socket
import sys
import threading

SIZE, EVERY = 80_000, 0.2  # bytes, seconds: a flooded log's

still = threading.Event().wait


def main(port: int) -> None:
    said = b"x" * (SIZE - 2) + b"\n\n"
    with socket.create_connection(("127.0.0.1", port)) as link:
        try:
            while True:
                link.sendall(said)
                still(EVERY)
        except ConnectionError:
            return  # he has


if __name__ == "__main__":
    main(int(sys.argv[1]))
