"""What is known of a finished request beyond what its answer says: who asked, what it waited for, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llamaswap_py.observe.finished import Ending, Finished
from llamaswap_py.observe.rows import UNKNOWN, Details

Know = Callable[[Finished, int], Details]
Whose = Callable[[Mapping[str, str]], tuple[str, str]]  # from the header fields: the key's place, and the session
OTHER = "other"


def nothing_known(finished: Finished, events: int) -> Details:
    return UNKNOWN


def knowing(apis: Mapping[str, str], whose: Whose) -> Know:
    """`apis`: the dialect of each path."""

    def know(finished: Finished, events: int) -> Details:
        """`events`: how many the answer had, 0 where it is no stream or too long to be held."""
        queued, loading = waits(finished)
        ending = finished.outcome
        return Details(
            apis.get(finished.path, OTHER),
            *whose_text(whose, finished),
            finished.request,
            finished.served.number if finished.served else 0,
            queued,
            loading,
            first_byte(finished),
            gap(ending, events),
            ending.bytes_sent if ending else 0,
            str(ending.phase.value) if ending else "",
            str(ending.closed_by.value) if ending and ending.closed_by else "",
            finished.code,
        )

    return know


def whose_text(whose: Whose, finished: Finished) -> tuple[str, str, str]:
    caller, session = whose(finished.headers)
    return caller, finished.address, session


def waits(finished: Finished) -> tuple[float, float]:
    """Seconds for room and a seat, and of them apart those for the load. Who loads for others' sake waits too."""
    ending, served = finished.outcome, finished.served
    until = ending.began if ending else finished.began + finished.seconds
    wait = max(0.0, until - finished.began)
    if served is None:
        return (wait if finished.code else 0.0), 0.0
    loading = max(0.0, min(until, served.ready) - max(finished.began, served.began))
    return max(0.0, wait - loading), loading


def first_byte(finished: Finished) -> float:
    ending = finished.outcome
    return ending.first_byte - finished.began if ending and ending.first_byte is not None else 0.0


def gap(ending: Ending | None, events: int) -> float:
    if ending is None or ending.first_byte is None or events < 2:
        return 0.0
    return max(0.0, ending.ended - ending.first_byte) / (events - 1)
