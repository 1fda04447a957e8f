"""The table of keys is complete and consistent."""

from __future__ import annotations

from llamaswap_py.config.kinds import READERS
from llamaswap_py.config.schema import ANY_NAME, BY_PATH, KEYS, KEYS_IN, NOT_YET, SAME, Kind


def test_every_key_stands_in_the_table_once() -> None:
    assert len(BY_PATH) == len(KEYS)


def test_every_key_stands_in_a_mapping_of_the_table() -> None:
    for section in KEYS_IN:
        assert section == "" or BY_PATH[section].kind is Kind.MAP


def test_every_key_is_explained_in_a_sentence() -> None:
    assert all(key.about.endswith(".") and (key.about[0].isupper() or key.about[0] == "`") for key in KEYS)


def test_every_kind_has_a_reader() -> None:
    assert {key.kind for key in KEYS} - READERS.keys() == {Kind.MAP, Kind.MACROS, Kind.OPEN}


def test_what_is_not_acted_on_yet_and_what_stands_in_two_places_are_keys() -> None:
    assert BY_PATH.keys() >= NOT_YET
    assert BY_PATH.keys() >= SAME.keys() | set(SAME.values())


def test_a_choice_has_its_default_among_its_words() -> None:
    assert all(key.default in (*key.words, "") for key in KEYS if key.kind is Kind.WORD)


def test_our_own_keys_are_marked() -> None:
    ours = {
        "allowedHosts",
        "discover",
        "maxBodySize",
        "models.*.compat.holdWebsockets",
        "models.*.seats",
        "patience",
        "limits",
        "logFormat",
        "logs",
    }
    ours |= {"crashLimit", "loadLimit", "stallTimeout", "models.*.loadLimit", "models.*.stallTimeout"}
    within = ("limits.", "crashLimit.", "store.", "logs.", "alerts.")
    ours |= {"queueLimit", "queueTimeout", "minResidency", "holdLoad", "fairBetween", "upstream.quietPaths"}
    ours |= {"heartbeat", "evictOnOutOfMemory", "performance.gpus", "alerts"}
    ours |= {f"models.*.{name}" for name in ("queueLimit", "queueTimeout", "pin", "private", "drainOnAbort")}
    assert {key.path for key in KEYS if key.ours and not key.path.startswith(within)} == ours


def test_names_of_the_operators_choice_are_one_star() -> None:
    named = ("models", "groups", "peers", "profiles", "selectors", "alerts.receivers")
    assert {key.path for key in KEYS if key.path.endswith(ANY_NAME)} == {f"{name}.*" for name in named}
