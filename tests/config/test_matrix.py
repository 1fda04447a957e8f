"""The matrix in a document."""

from __future__ import annotations

import pytest

from llamaswap_py.config.values import Matrix
from tests.config.reading import config, mistake, mistakes, warning

MODELS = """
models:
  a: {cmd: "${PORT}", aliases: [alpha]}
  b: {cmd: "${PORT}"}
  "org/c": {cmd: "${PORT}"}
"""


@pytest.mark.parametrize("where", ["matrix: {}", "routing: {{router: {{use: matrix, settings: {{matrix: {}}}}}}}"])
def test_a_matrix_is_read_from_either_place(where: str) -> None:
    text = MODELS + where.format("{vars: {c: org/c}, sets: {two: a & c, one: '+two | b'}, evict_costs: {c: 5, b: 2}}")
    assert config(text).matrix == Matrix((("two", "a & c"), ("one", "+two | b")), {"c": "org/c"}, {"org/c": 5, "b": 2})


def test_a_cost_by_id_is_stronger_than_one_by_short_name() -> None:
    for costs in ("{a: 1, x: 2}", "{x: 2, a: 1}"):
        found = config(MODELS + f"matrix: {{vars: {{x: a}}, sets: {{s: x}}, evict_costs: {costs}}}").matrix
        assert found is not None
        assert found.evict_costs == {"a": 1}


@pytest.mark.parametrize(
    ("matrix", "key", "message"),
    [
        ("{vars: {x: a}}", "matrix.sets", "a matrix needs a set at least"),
        ("{sets: [a]}", "matrix.sets", "this must be a mapping, and it is a list"),
        ("{sets: {s: ''}}", "matrix.sets.s", "the expression is empty"),
        ("{sets: {s: a & }}", "matrix.sets.s", "the expression ends where a name should follow"),
        ("{sets: {s: alpha}}", "matrix.sets.s", "`alpha` is neither a model nor a short name"),
        ("{sets: {s: +t}}", "matrix.sets.s", "there is no set `t`"),
        ("{sets: {s: +sss, ss: a}}", "matrix.sets.s", "there is no set `sss`"),
        ("{sets: {s: +t, t: +s}}", "matrix.sets.s", "the sets go in a circle: `s` uses `t` uses `s`"),
        ("{vars: {x_y: a}, sets: {s: a}}", "matrix.vars.x_y", "`x_y` cannot be a short name"),
        ("{vars: {x: alpha}, sets: {s: a}}", "matrix.vars.x", "there is no model `alpha`"),
        ("{vars: {x: org/d}, sets: {s: a}}", "matrix.vars.x", "there is no model `org/d`"),
        ("{vars: {x: zzzz}, sets: {s: a}}", "matrix.vars.x", "there is no model `zzzz`"),
        ("{sets: {s: a}, evict_costs: {zz: 1}}", "matrix.evict_costs.zz", "`zz` is neither a model nor a short name"),
        ("{sets: {s: a}, evict_costs: {a: 0}}", "matrix.evict_costs.a", "this must be at least 1, and it is 0"),
    ],
)
def test_what_is_wrong_in_a_matrix_is_told_at_its_entry(matrix: str, key: str, message: str) -> None:
    first = mistakes(MODELS + f"matrix: {matrix}")[0]
    assert (first.key, first.message) == (key, message)
    assert first.line
    assert first.remedy


def test_remedies_name_what_was_probably_meant() -> None:
    def remedy(matrix: str) -> str:
        return mistake(MODELS + f"matrix: {matrix}").remedy

    assert remedy("{vars: {x: org/d}, sets: {s: a}}") == "Did you mean `org/c`?"
    assert remedy("{vars: {x: alpha}, sets: {s: a}}").startswith("Write the model's id")
    assert remedy("{sets: {big: a, s: +bik}}") == "Did you mean `+big`?"
    assert remedy("{vars: {coder: a}, sets: {s: codr}}") == "Did you mean `coder`?"


def test_a_matrix_that_is_not_in_force_is_told() -> None:
    text = MODELS + "routing: {router: {settings: {matrix: {sets: {s: a}}}}}"
    assert warning(text).message == "this matrix is not in force, and groups are used"
    assert config(MODELS).matrix is None
