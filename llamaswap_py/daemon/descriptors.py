"""Every connection of ours is a descriptor, and the usual soft limit of 1024 is too few for a busy proxy."""

from __future__ import annotations

import sys

# macOS refuses "unlimited" for files; no machine of ours serves more connections than this.
ENOUGH = 65536


def raise_limit() -> int | None:
    """Returns the soft limit as it was, for the children to have it back; None where there is no such limit."""
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return soft
