"""The `llamaswap` command: hand the words that were typed to the command they name, and nothing else."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Exit status of the command: 0 done, 1 it failed, 2 it was misspelt."""
    from llamaswap_py.cli import dispatch

    return dispatch.main(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
