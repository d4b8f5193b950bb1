from __future__ import annotations

from pathlib import Path

from tests.benchmarks.field import CASES, REPORTED, answer, case_numbers
from tests.field.field_case import FieldCase


def test_a_right_a_loud_a_silent_and_a_crashed_case_are_told_apart() -> None:
    plain = next(case for case in CASES if case.name == "plain_export")

    def variant(name: str, faults: list[str] | None, *, named_by: str = "") -> FieldCase:
        def found(run: object) -> list[str]:
            if faults is None:
                raise ValueError
            return faults

        return FieldCase(name, plain.write, found, arguments=plain.arguments, named_by=frozenset({named_by} - {""}))

    cases = [
        variant("right", []),
        variant("silent", ["a name stays"]),
        variant("loud", ["a name stays"], named_by="studies"),
        variant("crash", None),
    ]
    assert [answer(case) for case in cases] == ["right", "silent", "loud", "crash"]
    found = case_numbers(cases[:2])
    assert (found.cases, found.right, found.silent, found.crashes, found.wrong) == (2, 1, 1, 0, ("silent",))


def test_the_35_reported_inputs_are_among_the_cases() -> None:
    assert sum(bool(REPORTED.match(case.name)) for case in CASES) == 35


def test_a_file_that_cannot_be_written_is_a_crash_of_the_case_only(tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        raise OSError

    assert answer(FieldCase("unwritten", write, lambda run: [])) == "crash"
