"""The table of keys is complete and consistent."""

from __future__ import annotations

from llamaswap_py.config.kinds import READERS
from llamaswap_py.config.schema import ANY_NAME, BY_PATH, KEYS, NAMES_IN, Kind, Standing


def test_every_key_stands_in_the_table_once() -> None:
    assert len(BY_PATH) == len(KEYS)


def test_every_key_stands_in_a_mapping_of_the_table() -> None:
    for section in NAMES_IN:
        assert section == "" or BY_PATH[section].kind is Kind.MAP


def test_every_key_is_explained_in_a_sentence() -> None:
    assert all(key.about.endswith(".") and (key.about[0].isupper() or key.about[0] == "`") for key in KEYS)


def test_every_kind_that_is_acted_on_has_a_reader() -> None:
    apart = {Kind.MAP, Kind.MACROS}
    assert all(key.kind in READERS for key in KEYS if key.standing is Standing.ACTS and key.kind not in apart)


def test_a_choice_has_its_default_among_its_words() -> None:
    assert all(key.default in key.words for key in KEYS if key.kind is Kind.WORD)


def test_our_own_keys_are_marked() -> None:
    assert {key.path for key in KEYS if key.ours} == {"allowedHosts", "maxBodySize", "patience"}


def test_names_of_the_operators_choice_are_one_star() -> None:
    assert {key.path for key in KEYS if key.path.endswith(ANY_NAME)} == {"models.*", "groups.*"}
