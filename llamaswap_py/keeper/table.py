"""The process table as this system's kernel shows it: who lives, whose child, in which session, since when.

A process is known by its number and its start together: numbers are used again.
"""

from __future__ import annotations

import sys

from llamaswap_py.keeper.process import Process

if sys.platform == "linux":
    from llamaswap_py.keeper.proc import boot, family, look, marked, now, own_children, snapshot
else:
    from llamaswap_py.keeper.ps import boot, family, look, marked, now, own_children, snapshot

__all__ = ["Process", "boot", "family", "look", "marked", "now", "own_children", "snapshot"]
