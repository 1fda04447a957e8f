"""Who started us, and when that one ends."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable

PAUSE = 0.25  # seconds between two looks where the system cannot tell; nobody waits for us any more


def wait_for_end(parent: int) -> None:
    """Returns when the process of that number, which was our parent, is over."""
    if sys.platform == "linux":
        wait_on_descriptor(parent)
    while os.getppid() == parent:
        wait_a_little(parent)


def wait_on_descriptor(parent: int) -> None:
    if sys.platform == "linux":
        try:
            descriptor = os.pidfd_open(parent)
        except OSError:  # it is over already, or the kernel is older than 5.3
            return
        select.select([descriptor], [], [])
        os.close(descriptor)


def wait_a_little(parent: int) -> None:
    """macOS tells by an event; elsewhere one looks now and then."""
    if sys.platform == "darwin":
        queue = select.kqueue()
        event = select.kevent(parent, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
        try:
            queue.control([event], 1, None)
        except OSError:  # it is over already
            threading.Event().wait(PAUSE)
        finally:
            queue.close()
    else:
        threading.Event().wait(PAUSE)


def watch(parent: int, ended: Callable[[], None]) -> None:
    """Call `ended` in a thread of its own when the parent is over. Whoever was started by init has nobody to follow."""
    if parent > 1:
        threading.Thread(target=follow, args=(parent, ended), name="parent", daemon=True).start()


def follow(parent: int, ended: Callable[[], None]) -> None:
    wait_for_end(parent)
    ended()
