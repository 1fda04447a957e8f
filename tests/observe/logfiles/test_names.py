"""What log files are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaswap_py.observe.logfiles.names import file_name, number_of, other_name

ODD = [
    "../../etc/passwd",
    "a/b",
    "a\\b",
    "..",
    ".",
    "-",
    "CON",
    "a b",
    "é",
    "\udcff",
    "%2e",
    "x" * 300,
    "x.log",
    "a:b*?",
]


@pytest.mark.parametrize("model", ODD)
def test_no_name_leads_out_of_the_folder(model: str) -> None:
    for name in (file_name(model), other_name(model)):
        assert name.startswith("llamaswap-")
        assert not set(name) & set("/\\:*?\0 ")
        assert len(name.encode()) < 200
        assert number_of(name) == 0
        assert number_of(f"{name}.12") == 12


def test_usual_names_stay_readable() -> None:
    assert file_name("") == "llamaswap.log"
    assert file_name("Qwen3-8B.Q4_K_M") == "llamaswap-Qwen3-8B.Q4_K_M.log"
    assert file_name("org/model") == "llamaswap-org%2Fmodel.log"


@given(st.text(max_size=300), st.text(max_size=300))
def test_different_models_have_different_files(one: str, other: str) -> None:
    if one != other:
        assert file_name(one) != file_name(other)
        assert other_name(one) != other_name(other)


@pytest.mark.parametrize(
    "name", ["nginx.log", "llamaswap.log.gz", "llamaswap.log.0", "llamaswap.log.x", "xllamaswap.log"]
)
def test_files_of_others_are_not_ours(name: str) -> None:
    assert number_of(name) is None
