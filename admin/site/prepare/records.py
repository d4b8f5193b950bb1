"""Reads a hospital's reports: a folder of text files, or a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from admin.site.prepare.messages.message_file import cell_report, file_reports, is_message_file, message_keys
from admin.site.prepare.pairing import stem
from admin.site.prepare.presets.layout import given_split
from admin.site.prepare.rows import Cells
from admin.site.prepare.scan import find_files
from admin.site.prepare.tables.report_table import (
    AS_FOUND,
    RoleCells,
    TableFacts,
    TableOptions,
    report_rows,
    require_texts,
)
from fedaid.data.messages.hl7_result import MessageReport
from fedaid.data.report.empty_words import says_nothing
from fedaid.data.report.report_file import MAX_BYTES, plain_report, read_report_file
from fedaid.data.report.scrub import scrub
from fedaid.data.site_path import with_slashes
from fedaid.data.table import SEPARATOR
from fedaid.data.unusable import UnusableStudy

KINDS: Mapping[str, str] = MappingProxyType({"accession": "accession", "study": "study", "image": "stem"})
"""Role of a column → kind of the key in it."""
FILE_NAME = "file name"
"""Kind of a key taken from a file name. :func:`admin.site.prepare.matched.named_by` finds the real kind."""

PATIENT_COLUMNS = ("patient_id", "patientid", "patient", "subject_id")
SEX_COLUMNS = ("sex", "patient_sex", "gender")
AGE_COLUMNS = ("age", "patient_age", "age_years")
SECTIONS = ("findings", "impression")
PATH_COLUMN = "report_path"


@dataclass(frozen=True, slots=True)
class Record:
    """One report before it is matched.

    Attributes:
        keys: (kind, identifier), kind one of the values of :data:`KINDS` or :data:`FILE_NAME`.
        name: its file, or the line of its table.
        text: the report, or None if ``file`` holds it.
        file: path of a text file; as text, because a ``Path`` takes five times the memory.
        patient: identifier of the patient, or empty.
        labels: labels in the manifest's format.
        images: (path relative to the folder of images, view or empty). Only presets set it, see
            :mod:`admin.site.prepare.presets.preset`; other reports find their images by ``keys``.
        splits: splits of the study in the data set, each one of :data:`fedaid.data.split.SPLITS`; may be empty.
        sex: sex of the patient, unchecked.
        age: age of the patient, unchecked.
        alone: whether the data set does not state the patient. The study then counts as one patient.
        status: status of the report, see :mod:`fedaid.data.messages.report_status`; may be empty.
        written: date, time or version of the report, unchecked.
        line: number of the row among the rows of one report; may be empty.
        fault: code of the reason why it cannot be used, or empty.
    """

    keys: tuple[tuple[str, str], ...] = field(repr=False)
    name: str = field(repr=False)
    text: str | None = field(default=None, repr=False)
    file: str | None = field(default=None, repr=False)
    patient: str = field(default="", repr=False)
    labels: str = ""
    images: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    splits: tuple[str, ...] = ()
    alone: bool = False
    sex: str = field(default="", repr=False)
    age: str = field(default="", repr=False)
    status: str = ""
    written: str = field(default="", repr=False)
    line: str = ""
    fault: str = ""

    def report(self) -> str:
        """Return the report's text.

        Raises:
            UnusableStudy: with a "report-" code, if it is not plain text.
        """
        if self.fault:
            raise UnusableStudy(self.fault)
        if self.file is not None:
            return whole(read_report_file(Path(self.file)))
        text = self.text or ""
        if len(text) > MAX_BYTES:
            raise UnusableStudy("report-too-large")
        return whole(plain_report(text))


def whole(text: str) -> str:
    """Return a text, after checking that it has no zero bytes: they show that the encoding was misread.

    Raises:
        UnusableStudy: "report-unreadable", if it has a zero byte.
    """
    if "\0" in text:
        raise UnusableStudy("report-unreadable")
    return text


def sectioned(cells: Cells) -> str:
    """Return a row's findings and impression as one report, each under its heading."""
    return "\n\n".join(f"{name.upper()}: {cells[name]}" for name in SECTIONS if cells.get(name))


def beside(table: Path, relative: str) -> str:
    """Return the path of a text file that a table names. A path outside the table's folder is replaced."""
    folder = table.resolve().parent
    path = (folder / relative.replace("\0", "")).resolve()
    if "\\" in relative and not path.is_file():
        path = (folder / with_slashes(relative).replace("\0", "")).resolve()
    return str(path if path.is_relative_to(folder) else folder / "outside")


def read_records(source: Path, asked: TableOptions = AS_FOUND, *, facts: TableFacts | None = None) -> list[Record]:
    """Return the reports of a folder of text files, of a table, or of a file of HL7 messages.

    Rows that are equal in all that is used are one.

    Args:
        source: the folder or the table.
        asked: how to read a table.
        facts: filled with what is said about a table.

    Raises:
        InputError: if it is neither, or its header has no column with a key or with a text.
    """
    if source.is_file() and is_message_file(source):
        return list(_of_messages(Record(keys=(), name=source.name), source))
    if not source.is_dir():
        return list(_of_table(source, asked, facts or TableFacts()))
    require_texts(source)
    return list(_of_folder(source.resolve()))


def _of_folder(folder: Path) -> Iterator[Record]:
    for found in find_files(folder):
        path = folder / found.relative
        if path.is_file() and found.inside and not path.name.startswith("."):
            record = Record(keys=((FILE_NAME, stem(path.name)),), name=f"reports/{found.relative}", file=str(path))
            yield from _of_messages(record, path) if is_message_file(path) else (record,)


def _of_messages(record: Record, path: Path) -> Iterator[Record]:
    """Yield the reports of a file of messages. One that states no number is named by its file, if it is alone."""
    found = file_reports(path)
    for number, report in enumerate(found, start=1):
        name = record.name if len(found) == 1 else f"{record.name}, report {number} of {len(found)}"
        keys = message_keys(report) or (record.keys if len(found) == 1 else ())
        yield replace(_with_message(record, report), keys=keys, name=name, file=None)


def _with_message(record: Record, report: MessageReport) -> Record:
    return replace(
        record,
        text=report.text,
        status=report.status or record.status,
        written=report.written or record.written,
        fault=report.fault,
    )


def _of_table(table: Path, asked: TableOptions, facts: TableFacts) -> Iterator[Record]:
    seen: set[Record] = set()
    for name, cells in report_rows(table, asked, facts):
        keys = [(kind, cell) for role, kind in KINDS.items() for cell in cells.all(role)]
        record = Record(
            keys=tuple((kind, stem(key) if kind == "stem" else key) for kind, key in keys),
            name="",
            text=_cell_text(cells),
            file=beside(table, cells.first("path")) if cells.first("path") else None,
            patient=cells.first("patient"),
            labels=cells.first("labels"),
            splits=given_split(cells.first("split"), name),
            sex=cells.first("sex"),
            age=cells.first("age"),
            status=cells.first("status"),
            written=cells.first("written"),
            line=cells.first("line"),
        )
        if (report := cell_report(record.text or "")) is not None:
            record = replace(_with_message(record, report), keys=record.keys or message_keys(report))
        if record in seen:
            facts.rows_doubled += 1
        else:
            seen.add(record)
            yield replace(record, name=name)


def _cell_text(cells: RoleCells) -> str:
    """Return the report of a row: its cell, or its findings and impression where that cell says nothing."""
    text = cells.first("report")
    return sectioned({name: cells.first(name) for name in SECTIONS}) or text if says_nothing(text) else text


def first_of(cells: Cells, columns: Iterable[str]) -> str:
    """Return the first cell of some columns that is not empty, or an empty text."""
    return next((cells[column] for column in columns if cells.get(column)), "")


_LABEL = re.compile(r"(?:\? *)?[^\W\d_](?:(?!\d{3})[\w /()+-]){0,39}")


def kept_labels(labels: str) -> tuple[str, int]:
    """Return the permitted labels, and the number of the others.

    A permitted label has up to 40 letters, blanks, ``/ ( ) + -`` and at most two digits in a row. A question mark may
    precede it. The scrubber must find no identifier in it. A single surname passes, because no pattern distinguishes
    it from a finding.

    Args:
        labels: labels separated by ``|``.
    """
    given = [label for one in labels.split(SEPARATOR) if (label := " ".join(one.split()))]
    kept = [label for label in given if _LABEL.fullmatch(label) and not scrub(label).counts]
    return SEPARATOR.join(kept), len(given) - len(kept)
