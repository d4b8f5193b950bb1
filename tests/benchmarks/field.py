"""``python -m tests.benchmarks.field``: what becomes of a hospital's real inputs, in build/bench/field.json.

The cases are those of ``tests/field``, each with its right answer. Nothing else is read but the real texts and films of
``../shared/data``, where they are present.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import admin  # noqa: F401 - makes custom/fedaid importable
from tests.benchmarks.identifiers import form_numbers
from tests.benchmarks.identifiers import real_numbers as real_texts
from tests.benchmarks.letters_in_films import letter_numbers
from tests.benchmarks.letters_in_films import real_numbers as real_films
from tests.benchmarks.machine import surroundings
from tests.benchmarks.view_choice import lateral_for_frontal
from tests.field.catalogue import CASES
from tests.field.field_case import FieldCase

OUT = Path("build/bench/field.json")
REPORTED = re.compile(r"(?:img|rep|dei|man)\d\d_")
"""Start of the names of the cases that were made after public bug reports; the others are further examples."""


@dataclass(frozen=True)
class CaseNumbers:
    """What became of some cases.

    Attributes:
        cases: number of cases.
        right: with the right answer.
        silent: with a wrong answer that nothing names.
        crashes: which ended with an exception.
        wrong: names of the cases without the right answer.
    """

    cases: int
    right: int
    silent: int
    crashes: int
    wrong: tuple[str, ...]


def case_numbers(cases: Iterable[FieldCase]) -> CaseNumbers:
    """Run each case in a folder of its own."""
    answers = {case.name: answer(case) for case in cases}
    counts = {kind: sum(one == kind for one in answers.values()) for kind in ("right", "silent", "crash")}
    wrong = tuple(sorted(name for name, one in answers.items() if one != "right"))
    return CaseNumbers(len(answers), counts["right"], counts["silent"], counts["crash"], wrong)


def answer(case: FieldCase) -> str:
    """Return "right", "loud", "silent" or "crash"."""
    with tempfile.TemporaryDirectory(prefix="field-") as folder:
        try:
            run = case.run(Path(folder))
            faults = case.faults(run)
        except Exception as error:
            print(f"{case.name}: {type(error).__name__}", file=sys.stderr)
            return "crash"
    if faults:
        print(f"{case.name}: {'; '.join(faults)}", file=sys.stderr)
    return "right" if not faults else ("loud" if case.is_loud(run) else "silent")


def measured() -> dict[str, object]:
    """Return all numbers. Those of real texts and films are there only if ``../shared/data`` is."""
    reported = [case for case in CASES if REPORTED.match(case.name)]
    others = [case for case in CASES if not REPORTED.match(case.name)]
    found: dict[str, object] = asdict(case_numbers(reported)) | {"further_cases": asdict(case_numbers(others))}
    found |= asdict(form_numbers())
    texts = real_texts()
    found |= {} if texts is None else {"real_texts": asdict(texts)}
    with tempfile.TemporaryDirectory(prefix="field-") as folder:
        found |= lateral_for_frontal(Path(folder))._asdict()
    return found | letter_numbers() | real_films()


def main(arguments: list[str] | None = None) -> None:
    """Measure, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.field", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    found = surroundings() | measured()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in found.items() if name not in surroundings()}, indent=1))


if __name__ == "__main__":
    main()
