"""Process trees to order: `family.py <fifo> <kind> [number]`.

Everyone who belongs to the tree writes its process number into the FIFO and keeps it open: end of file there means
that nobody lives any more. Standard library only, so that it starts fast with -I -S.
"""

from __future__ import annotations

import os
import signal
import sys

TRUNK = (sys.executable, "-I", "-S", __file__)


def report(fifo: str) -> int:
    descriptor = os.open(fifo, os.O_WRONLY)
    os.write(descriptor, b"%d\n" % os.getpid())
    return descriptor


def wait() -> None:
    while True:
        signal.pause()


def plain(fifo: str) -> None:
    report(fifo)
    wait()


def deaf(fifo: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    plain(fifo)


def tidy(fifo: str) -> None:
    """Ends with 7 when asked to."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
    plain(fifo)


def daemonise(fifo: str, bare: bool) -> None:
    """Fork twice, make a session between, leave the output; `bare`: with nothing in its environment."""
    if os.fork():
        os.wait()
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.execve(TRUNK[0], [*TRUNK, fifo, "deaf"], {} if bare else dict(os.environ))


def daemon(fifo: str) -> None:
    daemonise(fifo, bare=False)
    plain(fifo)


def bare(fifo: str) -> None:
    daemonise(fifo, bare=True)
    plain(fifo)


def leaver(fifo: str) -> None:
    """Goes at once and leaves a daemon behind."""
    daemonise(fifo, bare=True)


def holder(fifo: str) -> None:
    """Goes at once; its child keeps the output open."""
    if os.fork() == 0:
        plain(fifo)


def storm(fifo: str) -> None:
    """Two hundred orphans (or as many as are told) that end at once, then itself."""
    if os.fork() == 0:
        for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 200):
            if os.fork() == 0:
                os._exit(0)
        os._exit(0)
    os.wait()
    plain(fifo)


def breeder(fifo: str) -> None:
    """Ignores SIGTERM, and makes a new child, in a session of its own, whenever it loses one."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    report(fifo)
    while True:
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            plain(fifo)
        os.wait()


def spew(fifo: str) -> None:
    """A hundred megabytes of output."""
    report(fifo)
    block = b"x" * (1 << 20)
    for _ in range(100):
        left = memoryview(block)
        while left:
            left = left[os.write(1, left) :]


def frozen(fifo: str) -> None:
    """Stops itself; ends with 7 when it is woken to be asked."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
    report(fifo)
    os.kill(os.getpid(), signal.SIGSTOP)
    wait()


if __name__ == "__main__":
    globals()[sys.argv[2]](sys.argv[1])
