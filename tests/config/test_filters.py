"""What a request to a name is changed by."""

from __future__ import annotations

from llamaswap_py.config.filters import Edits, edits
from tests.config.reading import config

CONFIG = config("""
models:
  plain: {cmd: "${PORT}", aliases: [p]}
  m:
    cmd: serve ${PORT}
    aliases: [other]
    useModelName: served
    filters:
      stripParams: b, a
      setParams: {top: 1, x: all}
      setParamsByID: {m: {x: own}, 'm:${PORT}': {port: "${PORT}"}}
peers:
  far: {proxy: "http://far", models: [org/x], filters: {setParamsByID: {org/x: {a: bare}, far/org/x: {a: full}}}}
""")


def test_a_model_without_rules_changes_nothing() -> None:
    assert edits(CONFIG, "p") == Edits()
    assert not edits(CONFIG, "p")
    assert edits(CONFIG, "nobody") == Edits()


def test_what_is_set_for_the_requested_name_comes_last() -> None:
    both = (("top", 1), ("x", "all"))
    assert edits(CONFIG, "other") == Edits("served", ("a", "b"), both)
    assert edits(CONFIG, "m") == Edits("served", ("a", "b"), (*both, ("x", "own")))
    assert edits(CONFIG, "m:5800") == Edits("served", ("a", "b"), (*both, ("port", 5800)))


def test_a_peers_model_is_asked_for_by_the_peers_own_name() -> None:
    assert edits(CONFIG, "org/x") == Edits(None, (), (("a", "bare"),))
    assert edits(CONFIG, "far/org/x") == Edits("org/x", (), (("a", "full"),))
    assert edits(CONFIG, "far/org/x")
    assert bool(Edits(strip=("a",)))
