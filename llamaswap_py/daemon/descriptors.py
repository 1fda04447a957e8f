"""Every connection of ours is a descriptor, and the usual soft limit of 1024 is too few for a busy proxy."""

from __future__ import annotations

import sys

import msgspec

# macOS refuses "unlimited" for files; no machine of ours serves more connections than this.
ENOUGH = 65536

# Kept back from callers: the program's own files and pipes, two for each running model, pages and probes.
KEPT_BACK = 128

FEWEST = 256  # below it hardly anybody could be served beside one model
FEW = 1024  # the usual soft limit; who has less has set it so


class Descriptors(msgspec.Struct, frozen=True):
    before: int | None = None  # the soft limit as it was, for the children to have it back; None: there is none
    now: int = ENOUGH

    @property
    def room(self) -> int:
        """Connections of callers: each may need another one to a model's server."""
        return max(1, (self.now - KEPT_BACK) // 2)

    @property
    def complaint(self) -> str:
        return f"only {self.now} files may be open at once (ulimit -Hn), which allows {self.room} callers"


def raise_limit() -> Descriptors:
    """The soft limit up to the hard one."""
    if sys.platform == "win32":
        return Descriptors()
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return Descriptors(soft, ENOUGH if soft == resource.RLIM_INFINITY else soft)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return Descriptors(soft, wanted)
