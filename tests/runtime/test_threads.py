"""Work beside the loop."""

from __future__ import annotations

import pytest

from llamaswap_py.runtime.threads import in_thread


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_failure_in_the_thread_is_no_result() -> None:
    def fail() -> int:
        raise ValueError("the disk is on fire")

    assert await in_thread(fail, "fails") is None
    assert await in_thread(lambda: 5, "works") == 5
