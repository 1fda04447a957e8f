"""The table of docs/reliability.md. `python -m tests.whole.faults.table` runs every test that tries a fault and writes
the results; `--check` only says whether the table names what there is."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.whole.faults.catalogue import FAULTS, Fault
from tests.whole.faults.found import ROOT, tried

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- table -->", "<!-- end of the table -->"
HEAD = "| fault | what it looks like | tried by, or why not | last run |\n|---|---|---|---|"
SHOWN = 4  # tests of one fault; of more the number is told
HELD, FAILED, UNTRIED, NEW = "held", "FAILED", "not tried", "not run yet"
SUMMARY = re.compile(r"Last run [^\n]*\n")

Results = Mapping[str, str]  # by the test's place: passed, failed or skipped


def cell(fault: Fault, tests: list[str]) -> str:
    """The tests by file and name; where there is none, the reason."""
    if not tests:
        return fault.reason
    places = [f"`{test.removeprefix('tests/')}`" for test in tests[:SHOWN]]
    more = [f"and {len(tests) - SHOWN} more"] if len(tests) > SHOWN else []
    return "<br>".join([*places, *more])


def verdict(tests: list[str], results: Results) -> str:
    """Held only if every test that ran passed, and one did. What was skipped counts as not tried."""
    if not tests:
        return UNTRIED
    ends = [results.get(test, "missing") for test in tests]
    if any(end in ("failed", "missing") for end in ends):
        return FAILED
    return HELD if "passed" in ends else UNTRIED


def row(fault: Fault, tests: list[str], result: str) -> str:
    return f"| {fault.number} | {fault.symptom} | {cell(fault, tests)} | {result} |"


def table(found: Mapping[str, list[str]], results: Mapping[str, str]) -> str:
    """`results` by fault."""
    rows = (row(each, found.get(each.number, []), results.get(each.number, NEW)) for each in FAULTS)
    return "\n".join([HEAD, *rows])


def results_in(page: str) -> dict[str, str]:
    """What the page says of each fault."""
    cells = (line.strip("| ").split(" | ") for line in between(page).splitlines()[2:])
    return {each[0]: each[-1] for each in cells}


def between(page: str) -> str:
    return page.partition(BEGIN)[2].partition(END)[0].strip()


def replaced(page: str, fresh: str) -> str:
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{fresh}\n{END}{rest.partition(END)[2]}"


# -- the run


def run(tests: Iterable[str]) -> dict[str, str]:
    """Every test by itself, however many parameters it has: the worst of them counts."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        argv = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *sorted(set(tests))]
        subprocess.run(argv, cwd=ROOT, check=False)
        return read(report.read_text("utf-8"))


def read(report: str) -> dict[str, str]:
    ends: dict[str, set[str]] = {}
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314 - pytest's own
        name = case.get("name", "").partition("[")[0]
        place = f"{case.get('classname', '').replace('.', '/')}.py::{name}"
        kinds = {child.tag for child in case}
        bad = kinds & {"failure", "error"}
        ends.setdefault(place, set()).add("failed" if bad else "skipped" if "skipped" in kinds else "passed")
    return {place: worst(each) for place, each in ends.items()}


def worst(ends: set[str]) -> str:
    return next(each for each in ("failed", "passed", "skipped") if each in ends)


def counted(results: Mapping[str, str]) -> str:
    counts = {kind: sum(result == kind for result in results.values()) for kind in (HELD, FAILED, UNTRIED)}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def write(found: Mapping[str, list[str]], results: Mapping[str, str]) -> None:
    page = replaced(PAGE.read_text("utf-8"), table(found, results))
    when = datetime.now(UTC).date().isoformat()
    PAGE.write_text(SUMMARY.sub(f"Last run {when}: {counted(results)}.\n", page), "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="run nothing; 1 if the table is not up to date")
    parser.add_argument("--keep", action="store_true", help="run nothing; write the rows anew, results as they were")
    parser.add_argument("--again", action="store_true", help="run only what did not hold or is new")
    asked, found = parser.parse_args(), tried()
    page = PAGE.read_text("utf-8")
    if asked.check or asked.keep:
        fresh = table(found, results_in(page))
        if asked.keep:
            PAGE.write_text(replaced(page, fresh), "utf-8")
        return 0 if asked.keep or between(page) == fresh else 1
    before = results_in(page) if asked.again else {}
    open_ones = {number: tests for number, tests in found.items() if before.get(number) != HELD}
    ends = run(test for tests in open_ones.values() for test in tests)
    results = {each.number: verdict(found.get(each.number, []), ends) for each in FAULTS}
    results |= {number: HELD for number, result in before.items() if result == HELD and number in found}
    write(found, results)
    print(counted(results))
    return 1 if FAILED in results.values() else 0


if __name__ == "__main__":
    sys.exit(main())
