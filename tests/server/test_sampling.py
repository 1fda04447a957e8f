"""How busy anybody is, from two looks."""

from __future__ import annotations

from llamaswap_py.observe.gpu.card import Card
from llamaswap_py.observe.gpu.gpus import Known
from llamaswap_py.observe.processes import Taken
from llamaswap_py.server.sampling import Look, card_use, sample


def look(at: float, busy: float, cpu: float, **models: Taken) -> Look:
    return Look(at, busy, 4 * at - busy, 500, 1000, Taken(10, cpu, 1), Taken(5, 0.0, 1), models)


def test_use_is_what_was_taken_between_two_looks() -> None:
    before = look(10.0, 5.0, 1.0, a=Taken(100, 2.0, 2), b=Taken(100, 9.0, 2))
    now = look(12.0, 7.0, 1.5, a=Taken(200, 3.0, 2), b=Taken(50, 4.0, 1), c=Taken(1, 1.0, 1))
    found = sample(now, before)
    assert found["at"] == 12.0
    assert found["cpu"] == 25.0  # two of eight seconds that four cores had
    assert found["proxy"] == {"cpu": 25.0, "memory": 10, "processes": 1}
    assert found["models"]["a"] == {"cpu": 50.0, "memory": 200, "processes": 2}
    assert found["models"]["b"]["cpu"] is None  # one of its processes has gone with its time
    assert found["models"]["c"]["cpu"] is None  # it is new


def test_the_first_look_knows_no_use() -> None:
    found = sample(look(1.0, 1.0, 1.0), None)
    assert (found["cpu"], found["proxy"]["cpu"], found["memory"]) == (None, None, 500)
    assert sample(look(1.0, 1.0, 1.0), look(1.0, 1.0, 1.0))["cpu"] is None


def test_a_card_is_told_in_short() -> None:
    card = Card("nvidia", 1, "Card", utilisation=40.0, memory_used=3 * 2**20, temperature=50.0)
    assert card_use(Known(card, 0.0, True)) == {
        "index": 1,
        "name": "Card",
        "utilization_percent": 40.0,
        "memory_used": 3,
        "memory_total": None,
        "temperature": 50.0,
        "power_draw": None,
        "stale": True,
    }
