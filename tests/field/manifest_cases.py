"""Manifests of a site's own as they really come: read, or named by a check of the doctor."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from admin.site.doctor.examination import checks_fired
from fedaid.data.manifest import read_manifest
from fedaid.errors import InputError
from tests.field.export import report, write_films, write_table
from tests.field.field_case import FieldCase, Run

TWELVE = range(1, 13)
HEADER = ("study_id", "patient_id", "image", "report", "split")
SPLITS = ("train", "valid", "test")


def row(number: int, *, patient: str = "", image: str = "", split: str | None = None) -> list[str]:
    """A row of a sound manifest, but for what is given."""
    own = SPLITS[number % 3] if split is None else split
    return [f"s{number}", patient or f"p{number}", image or f"images/{number}.dcm", report(number), own]


@dataclass(frozen=True)
class ManifestCase(FieldCase):
    """A case that the doctor and training read; ``prepare`` does not run."""

    def run(self, folder: Path) -> Run:
        """Write the case into a folder, read it and run the doctor."""
        self.write(folder)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            checks = checks_fired(folder)
        try:
            manifest = read_manifest(folder)
        except InputError as refused:
            return Run(folder, 1, {}, str(refused), checks)
        splits = {study.patient_id: study.split for study in manifest.studies}
        return Run(folder, 0, {"studies": len(manifest.studies), "splits": splits, **manifest.skipped}, "", checks)


@dataclass(frozen=True)
class Manifest:
    """A manifest, and what is right: how many studies are used, which checks fire and which do not."""

    rows: Sequence[Sequence[str]]
    used: int = 12
    fired: Mapping[str, int] = field(default_factory=dict)
    says: str = ""
    quiet: tuple[str, ...] = ("manifest-refused", "manifest-malformed")
    delimiter: str = ","
    encoding: str = "utf-8"
    before: bytes = b""

    def write(self, folder: Path) -> None:
        """Write the films and the manifest."""
        write_films(folder, TWELVE)
        path = folder / "manifest.csv"
        write_table(path, HEADER, self.rows, delimiter=self.delimiter, encoding=self.encoding)
        path.write_bytes(self.before + path.read_bytes())

    def faults(self, run: Run) -> list[str]:
        """What is wrong with a run."""
        used = run.result.get("studies", 0)
        wrong = [] if used == self.used else [f"{used} studies"]
        missing = [f"{name}: {run.checks.get(name)}" for name, n in self.fired.items() if run.checks.get(name) != n]
        loud = [name for name in self.quiet if name in run.checks]
        return wrong + missing + loud + ([] if self.says in run.messages else [f"not said: {self.says}"])


def same_side(run: Run) -> list[str]:
    """Faults of a manifest without splits in which three rows are of one patient."""
    sides = {run.result["splits"][patient] for patient in RESPELT}
    return ([] if len(sides) == 1 else [f"splits {sides}"]) + (
        [] if run.checks.get("patient-spelling") == len(RESPELT) else ["not named"]
    )


def case(name: str, manifest: Manifest) -> ManifestCase:
    return ManifestCase(name, manifest.write, manifest.faults)


WINDOWS = [
    *(row(n, image=f"images\\{n}.dcm") for n in range(1, 8)),
    row(8, image=".\\images\\8.dcm"),
    row(9, image="D:\\pacs\\images\\9.dcm"),
    row(10, image="\\\\server\\pacs\\10.dcm"),
    row(11, image="images/11.DCM"),
    row(12, image="Images\\12.dcm"),
]
RESPELT = ("55501", "55501.0", "0055501", " 55501 "[:6].strip() + ",0")
SPELT = {1: ("77", "train"), 2: ("77.0", "test"), 3: ("0077", "valid"), 4: ("ka-2", "train"), 5: ("KA 2", "test")}
LETTERS = [[*row(n)[:3], report(n) + " Größe üblich.", SPLITS[n % 3]] for n in TWELVE]
CASES = (
    case("man01_windows_paths", Manifest(WINDOWS, 8, {"windows-path": 2, "path-case": 2})),
    case(
        "man02_split_words",
        Manifest(
            [row(n, split=("Train", "validate", "test", "val")[n % 4]) for n in TWELVE],
            0, {"unknown-split": 9, "manifest-refused": 1}, "split must be one of train, valid, test", (),
        ),
    ),
    case(
        "man03_patient_spelt_two_ways",
        Manifest(
            [row(n, patient=SPELT.get(n, ("", ""))[0], split=SPELT[n][1] if n in SPELT else None) for n in TWELVE],
            fired={"patient-spelling": 5},
        ),
    ),
    ManifestCase(
        "patient_spelt_without_splits",
        Manifest([row(n, patient=dict(enumerate(RESPELT, 1)).get(n, ""), split="") for n in TWELVE]).write,
        same_side,
    ),
    case("man04_semicolon", Manifest(LETTERS, fired={"manifest-form": 12}, delimiter=";", encoding="cp1252")),
    case("manifest_of_unicode_text", Manifest(LETTERS, fired={"manifest-form": 12}, delimiter="\t", encoding="utf-16")),
    case("manifest_with_a_sep_line", Manifest(LETTERS, delimiter=";", before=b"sep=;\r\n")),
    case(
        "manifest_that_is_a_workbook",
        Manifest(LETTERS, 0, {"manifest-malformed": 1}, "a workbook", (), before=b"PK\3\4"),
    ),
)  # fmt: skip
