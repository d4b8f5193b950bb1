"""Reports as a hospital has them: a folder of text files, a CSV, TSV or JSONL table."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from admin.prepare.pairing import stem
from fedaid.data.report_file import plain_report, read_report_file
from fedaid.data.unusable import UnusableStudy
from fedaid.errors import InputError, require

KEY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "accession": ("accession", "accession_number", "accessionnumber", "accession_no"),
    "study": ("study_uid", "study_instance_uid", "studyinstanceuid"),
    "stem": ("image", "image_path", "file", "filename", "file_name", "filepath", "path", "stem", "dicom_id"),
}
PATIENT_COLUMNS = ("patient_id", "patientid", "patient", "subject_id")
TEXT_COLUMNS = ("report", "text", "report_text", "title", "caption")
SECTIONS = ("findings", "impression")
PATH_COLUMN = "report_path"
TABLES = {".csv": ",", ".tsv": "\t"}
_REMEDY = "Give a folder of text files, or a .csv, .tsv or .jsonl with a key and a text a line; see docs/data.md."


@dataclass(frozen=True, slots=True)
class Record:
    """One report as it was found.

    Attributes:
        keys: (kind, identifier), kind one of :data:`KEY_COLUMNS`.
        name: its file, or the line of its table.
        text: the report, or None if it lies in ``file``.
        file: a text file.
        patient: identifier of the patient, or empty.
        labels: as the manifest has them.
    """

    keys: tuple[tuple[str, str], ...] = field(repr=False)
    name: str = field(repr=False)
    text: str | None = field(default=None, repr=False)
    file: Path | None = field(default=None, repr=False)
    patient: str = field(default="", repr=False)
    labels: str = ""

    def report(self) -> str:
        """The report's text.

        Raises:
            UnusableStudy: with one of the "report-" codes, if it is no plain text.
        """
        if self.file is not None:
            return whole(read_report_file(self.file))
        return whole(plain_report(self.text or ""))


def whole(text: str) -> str:
    """A text without zero bytes, which stand where another encoding was misread.

    Raises:
        UnusableStudy: "report-unreadable", if it has one.
    """
    if "\0" in text:
        raise UnusableStudy("report-unreadable")
    return text


def read_records(source: Path) -> list[Record]:
    """Return the reports of a folder of text files, or of a table.

    Raises:
        InputError: if it is neither, or its header names no key or no text.
    """
    if source.is_dir():
        return list(_of_folder(source.resolve()))
    known = source.is_file() and source.suffix.lower() in (*TABLES, ".jsonl")
    got = "another file" if source.is_file() else "nothing there"
    require(known, "--reports", "be a folder or a table", got=got, where="command line", remedy=_REMEDY)
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            delimiter = TABLES.get(source.suffix.lower())
            rows = csv.DictReader(file, delimiter=delimiter) if delimiter else _json_lines(file, source.name)
            return [_record(row, number, source) for number, row in enumerate(rows, start=2 if delimiter else 1)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        got = type(error).__name__
        raise InputError(
            source.name, "be a readable table in UTF-8", got=got, where="--reports", remedy=_REMEDY
        ) from None


def _of_folder(folder: Path) -> Iterator[Record]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and path.resolve().is_relative_to(folder):
            keys = tuple((kind, stem(path.name)) for kind in KEY_COLUMNS)
            yield Record(keys=keys, name=f"reports/{path.relative_to(folder)}", file=path)


def _json_lines(lines: Iterable[str], name: str) -> Iterator[Mapping[str, object]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        where = f"{name}, line {number}"
        require(isinstance(row, dict), name, "hold one object a line", got="another text", where=where, remedy=_REMEDY)
        yield row


def _record(row: Mapping[str | None, object] | Mapping[str, object], number: int, table: Path) -> Record:
    cells = {
        _column(name): str(value).strip() for name, value in row.items() if isinstance(name, str) and value is not None
    }
    if number <= 2:
        _require_columns(cells, table.name)
    keys = [(kind, cells[name]) for kind, names in KEY_COLUMNS.items() for name in names if cells.get(name)]
    stemmed = tuple((kind, stem(key) if kind == "stem" else key) for kind, key in keys)
    sections = [f"{name.upper()}: {cells[name]}" for name in SECTIONS if cells.get(name)]
    text = next((cells[name] for name in TEXT_COLUMNS if cells.get(name)), "\n\n".join(sections))
    patient = next((cells[name] for name in PATIENT_COLUMNS if cells.get(name)), "")
    name, labels = f"{table.name}, row {number}", cells.get("labels", "")
    file = _beside(table, cells[PATH_COLUMN]) if cells.get(PATH_COLUMN) else None
    return Record(keys=stemmed, name=name, text=text, file=file, patient=patient, labels=labels)


def _beside(table: Path, relative: str) -> Path:
    """A text file named by a table, below the table's folder; one that is not there can be read by nobody."""
    folder = table.resolve().parent
    path = (folder / relative.replace("\0", "")).resolve()
    return path if path.is_relative_to(folder) else folder / "outside"


def _column(name: str) -> str:
    return "_".join(name.lower().replace("-", " ").split())


def _require_columns(cells: Mapping[str, str], table: str) -> None:
    """Raise if the first row has no column with a key or none with a text."""
    keyed = any(name in cells for names in KEY_COLUMNS.values() for name in names)
    worded = any(name in cells for name in (*TEXT_COLUMNS, *SECTIONS, PATH_COLUMN))
    for sound, rule in ((keyed, "have a column with a key"), (worded, "have a column with the report")):
        require(sound, table, rule, got="none that is known", where=f"{table}, header", remedy=_REMEDY)
