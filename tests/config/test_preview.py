"""What another configuration would mean."""

from __future__ import annotations

import pytest

from llamaswap_py.config.preview import changes, disabling, verdict
from llamaswap_py.config.read import Reading, Source, read
from llamaswap_py.errors import ConfigError

SECRET = "the-secret-of-this-test"
A = "models:\n  a:\n    cmd: run --port ${PORT}\n"


def reading(text: str) -> Reading:
    return read([Source("file", text)], {"WORD": SECRET}, lenient=True)


def test_mistakes_are_told_without_what_the_environment_holds() -> None:
    with pytest.raises(ConfigError) as caught:
        reading(A + "startPort: ${env.WORD}\n")
    told = verdict(caught.value, {SECRET})
    assert told["accepted"] is False
    assert told["mistakes"][0]["line"] == 4
    assert SECRET not in str(told)
    assert told["disabled"] == {}


def test_what_is_accepted_may_disable_models_and_warn() -> None:
    told = verdict(reading(A + "    ttl: soon\ncolour: red\n"), set())
    assert (told["accepted"], told["mistakes"]) == (True, [])
    assert [row["key"] for row in told["disabled"]["a"]] == ["models.a.ttl"]
    assert [row["key"] for row in told["warnings"]] == ["colour"]


def test_changes_are_told_by_model_and_key() -> None:
    old = reading(A + "  gone:\n    cmd: x --port ${PORT}\n").config
    new = reading("patience: 9\n" + A + "    ttl: 9\n  b:\n    cmd: y --port ${PORT}\n").config
    told = changes(old, new)
    assert (told["added"], told["removed"], told["retuned"]) == (["b"], ["gone"], {"a": ["ttl"]})
    assert "patience" in told["settings"]
    assert changes(old, reading(A.replace("run", "go")).config)["restarted"] == {"a": ["cmd"]}


def test_only_what_is_newly_wrong_speaks_against_a_text() -> None:
    wrong = reading(A + "    ttl: soon\n")
    assert [mistake.key for mistake in disabling((), wrong)] == ["models.a.ttl"]
    assert disabling(["a"], wrong) == []
