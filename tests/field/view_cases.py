"""Studies with a lateral and a frontal film: the view stands in different places, in none, or contradicts itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.view_choice import is_lateral
from tests.field.export import accession, chest, film, report, save, study_uid, write_reports, write_table
from tests.field.field_case import FieldCase, Run
from tests.field.pacs_tree import PLACES, SPELLINGS, coded

Tags = Mapping[str, object]
NAMES = ("views_unstated", "views_by_picture", "view_conflicts", "view-unclear", "views-unstated", "view-conflict")


def save_film(folder: Path, number: int, name: str, tags: Tags, *, lateral: bool, flat: bool = False) -> None:
    """Write one film of a study; a flat one shows nothing of a chest."""
    noise = np.random.default_rng(number).normal(0.5, 0.05, (96, 80))
    drawn = np.clip(noise, 0, 1) if flat else chest(number, lateral=lateral)
    own = {"ViewPosition": "", "SOPInstanceUID": f"{study_uid(number)}.{int(lateral) + 1}"}
    header = film(number, np.round(drawn * 4095).astype("<u2"), **(own | dict(tags)))
    save(header, folder / "images" / f"S{number}" / name)


def write_pairs(folder: Path, pairs: Sequence[tuple[Tags, Tags]], *, flat: Sequence[int] = ()) -> None:
    """Write a study for each pair of tags, of the frontal and of the lateral film; the lateral one comes first."""
    for number, (frontal, lateral) in enumerate(pairs, start=1):
        save_film(folder, number, "IM2", frontal, lateral=False, flat=number in flat)
        save_film(folder, number, "IM1", lateral, lateral=True, flat=number in flat)
    write_reports(folder, [(number, report(number)) for number in range(1, len(pairs) + 1)])


def taken(run: Run, numbers: Sequence[int]) -> list[str]:
    """The studies that are lost or whose lateral film was taken."""
    lost = [f"study {number} is lost" for number in numbers if run.study(number) is None]
    return lost + [f"study {n} is lateral" for n in numbers if run.study(n) is not None and is_lateral(run, n)]


def counted(run: Run, **expected: object) -> list[str]:
    data = run.result
    return [f"{name} is {data.get(name)}" for name, value in expected.items() if data.get(name) != value]


PLACED = [({"ViewPosition": "PA"}, {"ViewPosition": "LL"})] + [(place(False, 2), place(True, 2)) for place in PLACES]


def write_placed(folder: Path) -> None:
    write_pairs(folder, PLACED)


def placed_faults(run: Run) -> Sequence[str]:
    checks = [] if "views-unstated" in run.checks else ["the doctor does not name the study without a view"]
    counts = counted(run, views_unstated=1, views_by_picture=1, view_conflicts=0, quarantined={})
    return [*taken(run, range(1, len(PLACED) + 1)), *counts, *checks]


LANGUAGES = [
    ({"SeriesDescription": frontal, "SpecificCharacterSet": "ISO_IR 192"},
     {"SeriesDescription": lateral, "SpecificCharacterSet": "ISO_IR 192"})
    for frontal, lateral in SPELLINGS
]  # fmt: skip


def write_languages(folder: Path) -> None:
    write_pairs(folder, LANGUAGES)


def language_faults(run: Run) -> Sequence[str]:
    return [*taken(run, range(1, len(LANGUAGES) + 1)), *counted(run, views_unstated=0, quarantined={})]


SHARED = ("Thorax p.a.", "CHEST PA", "Thorax 2 views", "CHEST PA/LAT", "Torax frente", "")


def write_shared(folder: Path) -> None:
    """One description for both films: only the picture tells them apart."""
    both = [{"SeriesDescription": text, "StudyDescription": text, "PatientOrientation": ["L", "F"]} for text in SHARED]
    write_pairs(folder, [(tags, tags) for tags in both])


def shared_faults(run: Run) -> Sequence[str]:
    return [*taken(run, range(1, 7)), *counted(run, views_unstated=6, views_by_picture=6)]


def write_default(folder: Path) -> None:
    """A device that writes PA for every film, or for every lateral one."""
    write_pairs(folder, [({"ViewPosition": frontal}, {"ViewPosition": "PA"}) for frontal in ("PA", "AP") * 3])


def default_faults(run: Run) -> Sequence[str]:
    return [*taken(run, range(1, 7)), *counted(run, views_unstated=0, views_by_picture=6)]


def write_undecided(folder: Path) -> None:
    """Nothing states the view, and the pictures of the last study show no chest."""
    write_pairs(folder, [({}, {})] * 6, flat=(6,))


def undecided_faults(run: Run) -> Sequence[str]:
    kept = [] if run.study(6) is None else ["a film of unknown view is in the dataset"]
    named = [] if {"views-unstated", "quarantined"} <= set(run.checks) else ["the doctor does not name it"]
    counts = counted(run, views_unstated=6, views_by_picture=5, quarantined={"view-unclear": 1})
    return [*taken(run, range(1, 6)), *kept, *named, *counts]


CONFLICTS: list[tuple[Tags, Tags]] = [
    ({"ViewPosition": "PA"}, {"ViewPosition": "PA", "ViewCodeSequence": coded("SRT", "R-10236", "left lateral")}),
    ({"ViewPosition": "PA"}, {"ViewPosition": "PA", "SeriesDescription": "Thorax lateral"}),
    ({"ViewPosition": "PA"}, {"ViewPosition": "PA", "PatientOrientation": ["A", "F"]}),
]


def write_conflicts(folder: Path) -> None:
    write_pairs(folder, CONFLICTS)


def conflict_faults(run: Run) -> Sequence[str]:
    named = [] if "view-conflict" in run.checks else ["the doctor does not name it"]
    return [*taken(run, (1, 2, 3)), *counted(run, view_conflicts=3, views_unstated=0), *named]


def write_letters(folder: Path) -> None:
    """Identifiers beyond ASCII in declared character sets; the last number is of another patient."""
    written = [
        ("", "AZ-1"),
        ("ISO_IR 100", "MÜLL-2"),
        ("GB18030", "病人-3"),
        ("ISO_IR 192", "ŁÓ-4"),
        ("ISO_IR 144", "Ж-5"),
    ]
    for number, (characters, patient) in enumerate(written, start=1):
        tags = {"SpecificCharacterSet": characters or None, "PatientID": patient}
        save(film(number, **tags), folder / "images" / f"{number}.dcm")
    save(film(6, SpecificCharacterSet="ISO_IR 100", PatientID="Ä-6"), folder / "images" / "6.dcm")
    rows = [(accession(n), patient, report(n)) for n, (_, patient) in enumerate(written, start=1)]
    write_table(
        folder / "reports.csv", ["accession", "patient_id", "report"], [*rows, (accession(6), "Ж-6", report(6))]
    )


def letter_faults(run: Run) -> Sequence[str]:
    lost = [f"study {number} is lost" for number in range(1, 6) if f"Pattern {number}." not in run.text(number)]
    return lost + ([] if run.study(6) is None else ["two patients are one"])


def case(name: str, write: Callable[[Path], None], faults: Callable[[Run], Sequence[str]]) -> FieldCase:
    return FieldCase(name, write, faults, named_by=frozenset(NAMES))


CASES = (
    case("img06_view_not_in_viewposition", write_placed, placed_faults),
    case("view_in_twelve_spellings", write_languages, language_faults),
    case("one_description_for_both_views", write_shared, shared_faults),
    case("view_position_by_default", write_default, default_faults),
    case("view_stated_nowhere", write_undecided, undecided_faults),
    case("view_contradicts_itself", write_conflicts, conflict_faults),
    FieldCase("img10_character_sets", write_letters, letter_faults, arguments=("--max-bad-share", "0.5")),
)
