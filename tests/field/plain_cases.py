"""The export that every other case varies: films with complete headers, and a table in UTF-8."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.field.export import report, write_films, write_reports
from tests.field.field_case import FieldCase, Run

STUDIES = range(1, 7)


def write(folder: Path) -> None:
    write_films(folder, STUDIES)
    write_reports(folder, [(number, report(number)) for number in STUDIES])


def faults(run: Run) -> Sequence[str]:
    lost = [f"film {number} is lost" for number in STUDIES if f"Pattern {number}." not in run.text(number)]
    black = [f"film {number} is black" for number in STUDIES if run.study(number) and run.picture(number).max() < 0.5]
    return lost + black


CASES = (FieldCase("plain_export", write, faults),)
