"""Who has yet to hear what, and when the next try is."""

from __future__ import annotations

from llamaswap_py.observe.alerts.outbox import LONGEST_PAUSE, MOST_WAITING, Line, Outbox, Parcel, Trouble
from llamaswap_py.observe.alerts.rules import Alert, Level

ALERT = Alert("cpu_usage-1", "cpu_usage", Level.WARNING, 0.0, 85.0, 85.0)


def parcel(number: int) -> Parcel:
    return Parcel(str(number), "fired", ALERT, 0.0)


def test_the_pause_doubles_and_stays_at_its_longest() -> None:
    line = Line()
    line.put(parcel(1))
    clock, pauses = 0.0, []
    for _ in range(12):
        assert not line.failed(Trouble("down"), clock)
        pauses.append(line.due - clock)
        clock = line.due
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, *[LONGEST_PAUSE] * 3]
    line.taken(5.0)
    assert (line.due, line.trouble, line.delivered, line.last, list(line.parcels)) == (0.0, "", 1, 5.0, [])


def test_a_receiver_may_ask_for_a_longer_pause_but_not_for_ever() -> None:
    line = Line()
    line.put(parcel(1))
    line.failed(Trouble("slower", pause=90.0), 0.0)
    assert line.due == 90.0
    line.failed(Trouble("slower", pause=1e9), 0.0)
    assert line.due == LONGEST_PAUSE


def test_what_is_refused_for_what_it_is_is_given_up_and_the_next_goes() -> None:
    line = Line()
    line.put(parcel(1))
    line.put(parcel(2))
    verdicts = [line.failed(Trouble("no", refused=True), 0.0) for _ in range(3)]
    assert verdicts == [False, False, True]
    assert ([each.id for each in line.parcels], line.given_up) == (["2"], 1)


def test_a_line_is_bounded_and_what_may_be_on_its_way_stays() -> None:
    line = Line()
    assert all(line.put(parcel(number)) for number in range(MOST_WAITING))
    assert not line.put(parcel(MOST_WAITING))
    assert len(line.parcels) == MOST_WAITING
    assert [each.id for each in line.parcels][:2] == ["0", "2"]
    assert line.given_up == 1


def test_who_is_gone_is_told_nothing_and_who_stays_is_tried_at_once() -> None:
    outbox = Outbox()
    outbox.adopt(["a", "b"])
    for line in outbox.lines.values():
        line.put(parcel(1))
        line.failed(Trouble("down"), 0.0)
    assert list(outbox.waiting()) == ["a", "b"]
    outbox.adopt(["b", "c"])
    assert list(outbox.waiting()) == ["b"]
    assert outbox.lines["b"].due == 0.0
