"""The table of docs/reliability.md says the truth: every fault has a test or a reason, and every test that it names
is there."""

from __future__ import annotations

from tests.whole.faults import found, table
from tests.whole.faults.catalogue import FAULTS

PAGE = table.PAGE.read_text("utf-8")
TRIED = found.tried()
ENOUGH = 75


def test_every_fault_is_tried_or_has_a_reason() -> None:
    assert [each.number for each in FAULTS if not TRIED.get(each.number) and not each.reason] == []


def test_no_fault_has_both() -> None:
    assert [each.number for each in FAULTS if TRIED.get(each.number) and each.reason] == []


def test_no_test_tries_a_fault_that_is_not_in_the_catalogue() -> None:
    assert sorted(set(TRIED) - {each.number for each in FAULTS}) == []


def test_the_catalogue_has_every_number_of_its_sections_once() -> None:
    """S50 is a caller who half-closes: it counts as gone here, so there is nothing to hold."""
    numbered = [*range(1, 50), *range(51, 66), *range(69, 99)]
    numbers = [each.number for each in FAULTS]
    assert sorted(int(each[1:]) for each in numbers if each[0] != "F") == numbered
    assert sorted(int(each[1:]) for each in numbers if each[0] == "F") == list(range(1, 51))


def test_the_table_is_up_to_date() -> None:
    """Else: python -m tests.whole.faults.table --keep"""
    assert table.between(PAGE) == table.table(TRIED, table.results_in(PAGE))


def test_in_the_last_run_everything_that_was_tried_held() -> None:
    results = table.results_in(PAGE)
    assert [number for number, result in results.items() if result == table.FAILED] == []
    assert sum(result == table.HELD for result in results.values()) >= ENOUGH


def test_names_and_marks_are_read() -> None:
    text = '@pytest.mark.fault("S56", "F4")\ndef test_p07_f19_l98_x() -> None: ...\ndef helper() -> None: ...\n'
    assert list(found.tests_in(text, is_fault=True)) == [("test_p07_f19_l98_x", ["P7", "F19", "L98", "S56", "F4"])]
    assert list(found.tests_in(text, is_fault=False)) == [("test_p07_f19_l98_x", ["S56", "F4"])]


def test_what_was_skipped_does_not_count_as_held() -> None:
    ends = {"a": "passed", "b": "skipped", "c": "failed"}
    assert table.verdict(["a", "b"], ends) == table.HELD
    assert table.verdict(["b"], ends) == table.UNTRIED
    assert table.verdict(["a", "c"], ends) == table.FAILED
    assert table.verdict(["a", "gone"], ends) == table.FAILED
    assert table.verdict([], ends) == table.UNTRIED


def test_the_worst_of_a_tests_parameters_counts() -> None:
    case = '<testcase classname="tests.a.test_b" name="test_c[{}]">{}</testcase>'
    report = f"<testsuite>{case.format(1, '')}{case.format(2, '<failure/>')}</testsuite>"
    assert table.read(report) == {"tests/a/test_b.py::test_c": "failed"}
