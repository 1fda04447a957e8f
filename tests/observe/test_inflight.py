"""The table of requests in flight, on a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable

from llamaswap_py.observe.heard import Heard
from llamaswap_py.observe.inflight import EVERY, Flight, Inflight, Payload
from llamaswap_py.observe.redaction import REDACTED
from llamaswap_py.wire.headers import Head


class Alarm:
    def __init__(self, when: float, ring: Callable[[], None]) -> None:
        self.when, self.ring, self.cancelled = when, ring, False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.alarms: list[Alarm] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Alarm:
        self.alarms.append(Alarm(self.now + delay, callback))
        return self.alarms[-1]

    def move(self, seconds: float) -> None:
        self.now += seconds
        due = [alarm for alarm in self.alarms if alarm.when <= self.now]
        self.alarms = [alarm for alarm in self.alarms if alarm not in due]
        for alarm in due:
            alarm.ring()


class Scene:
    def __init__(self) -> None:
        self.clock = Clock()
        self.inflight = Inflight(self.clock)
        self.told: list[Payload] = []
        self.cancelled: list[str] = []

    def flight(self, model: str = "a", metadata: dict[str, str] | None = None) -> Flight:
        headers = [("Authorization", "Bearer s3cret"), ("Accept", "*/*")]
        heard, began = Heard(1000), self.clock.now
        return Flight(
            model, "/v1/chat/completions", "POST", headers, "10.0.0.1", 1_700_000_000.25, began, heard,
            lambda: self.cancelled.append(model), metadata or {},
        )  # fmt: skip

    @property
    def operations(self) -> list[str]:
        operations = [payload["operation"] for payload in self.told]
        self.told.clear()
        return operations


def test_a_request_is_told_of_at_its_start_its_head_as_it_grows_and_at_its_end() -> None:
    scene = Scene()
    scene.inflight.subscribe(scene.told.append)
    flight = scene.flight(metadata={"selector": "s"})
    scene.inflight.enter(flight)
    flight.heard.head(Head((1, 1), 200, b"OK", [b"Content-Type: text/plain", b"Set-Cookie: s3cret"]), False)
    scene.inflight.headed(flight)
    flight.heard.body(b"12345")
    scene.clock.move(EVERY)
    assert scene.told[-1] == {
        "operation": "upsert",
        "request": {
            "id": "1",
            "timestamp": "2023-11-14T22:13:20.250000Z",
            "model": "a",
            "req_path": "/v1/chat/completions",
            "method": "POST",
            "req_headers": {"Authorization": REDACTED, "Accept": "*/*"},
            "remote_ip": "10.0.0.1",
            "resp_headers": {"Content-Type": "text/plain", "Set-Cookie": REDACTED},
            "resp_bytes": 5,
            "elapsed_ms": 250,
            "metadata": {"selector": "s"},
        },
    }
    assert scene.operations == ["upsert"] * 3
    scene.inflight.leave(flight)
    assert scene.told == [{"operation": "remove", "id": "1"}]


def test_however_fast_it_grows_it_is_told_of_once_in_a_quarter_second() -> None:
    scene = Scene()
    scene.inflight.subscribe(scene.told.append)
    flights = [scene.flight(), scene.flight()]
    for flight in flights:
        scene.inflight.enter(flight)
    assert len(scene.clock.alarms) == 1
    scene.clock.move(EVERY)
    assert len(scene.operations) == 2  # at their entrance; nothing was heard since
    for _ in range(100):
        flights[0].heard.body(b"x")
    scene.clock.move(EVERY)
    scene.clock.move(EVERY)
    assert scene.operations == ["upsert"]


def test_without_listeners_and_without_requests_there_is_no_timer() -> None:
    scene = Scene()
    flight = scene.flight()
    scene.inflight.enter(flight)
    scene.inflight.headed(flight)
    assert not scene.clock.alarms
    leave = scene.inflight.subscribe(scene.told.append)
    assert len(scene.clock.alarms) == 1
    leave()
    leave()
    scene.clock.move(EVERY)
    assert not scene.clock.alarms
    scene.inflight.leave(flight)
    scene.inflight.subscribe(scene.told.append)
    assert not scene.clock.alarms
    assert scene.told == []


def test_the_snapshot_holds_all_and_an_empty_one_says_nothing() -> None:
    scene = Scene()
    assert scene.inflight.snapshot() == {"operation": "snapshot"}
    scene.inflight.enter(scene.flight("a"))
    scene.inflight.enter(scene.flight("b"))
    rows = scene.inflight.snapshot()["requests"]
    assert [(row["id"], row["model"], row["resp_bytes"]) for row in rows] == [("1", "a", 0), ("2", "b", 0)]
    assert "metadata" not in rows[0]


def test_a_request_is_cancelled_by_its_number_and_a_strange_number_is_nobodys() -> None:
    scene = Scene()
    scene.inflight.enter(scene.flight("a"))
    scene.inflight.enter(scene.flight("b"))
    assert scene.inflight.cancel("2")
    assert not scene.inflight.cancel("3")
    assert scene.cancelled == ["b"]
