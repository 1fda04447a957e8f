"""What is known of a finished request beyond what its answer says: who asked, what it waited for, how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llamaswap_py.observe.finished import Finished
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
        served, ending = finished.served, finished.outcome
        api, run = apis.get(finished.path, OTHER), served.number if served is not None else 0
        caller, session = whose(finished.headers)
        who = api, caller, finished.address, session, finished.request, run
        queued, loading = waits(finished)
        if ending is None:
            return Details(*who, queued, loading, code=finished.code)
        first = ending.first_byte
        return Details(
            *who,
            queued,
            loading,
            first - finished.began if first is not None else 0.0,
            (ending.ended - first) / (events - 1) if events > 1 and first is not None else 0.0,
            ending.bytes_sent,
            ending.phase._value_,
            ending.closed_by._value_ if ending.closed_by is not None else "",
            finished.code,
            ending.longest_gap if events > 1 else 0.0,
        )

    return know


def waits(finished: Finished) -> tuple[float, float]:
    """Seconds for room and a seat, and of them apart those for the load. Who loads for others' sake waits too."""
    ending, served, began = finished.outcome, finished.served, finished.began
    until = ending.began if ending is not None else began + finished.seconds
    if served is None:
        return (until - began if finished.code else 0.0), 0.0
    if served.ready <= began:
        return until - began, 0.0
    loading = max(0.0, min(until, served.ready) - max(began, served.began))
    return until - began - loading, loading
