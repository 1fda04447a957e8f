"""Who goes first. Where groups and a matrix may stand is tested with them."""

from __future__ import annotations

from tests.config.reading import config, mistake

MODELS = "models: {a: {cmd: '${PORT}', aliases: [alpha]}, b: {cmd: '${PORT}', aliases: [beta]}}\n"


def scheduler(priority: str) -> str:
    return MODELS + f"routing: {{scheduler: {{use: fifo, settings: {{fifo: {{priority: {priority}}}}}}}}}"


def test_a_priority_is_a_models_by_id_or_alias_and_the_id_is_stronger() -> None:
    assert config(scheduler("{a: 5, beta: -1}")).priorities == {"a": 5, "b": -1}
    assert config(scheduler("{alpha: 1, a: 2}")).priorities == config(scheduler("{a: 2, alpha: 1}")).priorities
    assert config(MODELS).priorities == {}


def test_a_priority_needs_a_model_and_a_number() -> None:
    found = mistake(scheduler("{alpa: 5}"))
    assert found.key == "routing.scheduler.settings.fifo.priority.alpa"
    assert (found.message, found.remedy) == ("there is no model `alpa`", "Did you mean `alpha`?")
    assert mistake(scheduler("{zzzzz: 5}")).remedy == "Remove it, or add the model."
    assert mistake(scheduler("{a: high}")).key == "routing.scheduler.settings.fifo.priority.a"


def test_there_is_one_rule_for_those_who_wait() -> None:
    assert mistake(MODELS + "routing: {scheduler: {use: lifo}}").key == "routing.scheduler.use"
