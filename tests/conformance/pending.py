"""Cases that do not hold yet, each with the reason. A case named here that passes fails the suite: take it out.

A name is `file.py::test_name` for all cases of a test, or `file.py::test_name[case]` for one.
"""

from __future__ import annotations

REASONS: dict[str, tuple[str, ...]] = {}
PENDING = {case: reason for reason, cases in REASONS.items() for case in cases}
