"""A site's manifest: its studies with their images, reports and splits.

``<root>/manifest.csv``, see :func:`fedaid.data.table.read_table`, has one row a study. Its columns are `study_id`,
`patient_id`, `image`, one source of the report (`report_path`, `report`, or `findings` and/or `impression`), and
optionally `split`, `labels` (separated by '|'; a label that begins with '?' is uncertain), `view`, `sex` and `age`. In
a prepared site `image` names a file of pixels, and `image_row` the row in it. Other columns are ignored. Paths are
relative to the root and must stay inside it after symlinks are resolved. ``report_grammar.yml`` beside the manifest
describes the reports; without it they are English.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fedaid.data.header.demographics import age_band, sex_of, view_group
from fedaid.data.report.grammar import ReportGrammar
from fedaid.data.report.grammar_file import site_grammar
from fedaid.data.report.report_file import plain_report, read_report_file
from fedaid.data.report.sections import report_text
from fedaid.data.site_path import file_inside
from fedaid.data.split import SPLITS, splits_of
from fedaid.data.table import Row, Table, divided_labels, read_table
from fedaid.data.unusable import REMEDIES, UnusableStudy
from fedaid.errors import InputError

FILE_NAME = "manifest.csv"

_REQUIRED = ("study_id", "patient_id", "image")
_OPTIONAL = ("split", "labels", "image_row")
REPORT_SOURCES: tuple[tuple[str, ...], ...] = (("report_path",), ("report",), ("findings", "impression"))
"""The columns that can hold the report; a manifest has one of these sources."""


@dataclass(frozen=True)
class Study:
    """One usable study, as training needs it. Messages name it by its `line` in the manifest.

    `labels` are the certain labels and `uncertain` the uncertain ones. `view`, `sex` and `age` are groups for the
    evaluation, see :mod:`fedaid.data.header.demographics`; they are empty if the manifest does not state them.
    """

    line: int
    patient_id: str = field(repr=False)
    image: Path = field(repr=False)
    text: str = field(repr=False)
    split: str
    labels: tuple[str, ...]
    row: int | None = None
    uncertain: tuple[str, ...] = ()
    view: str = ""
    sex: str = ""
    age: str = ""


@dataclass(frozen=True)
class Manifest:
    """The usable studies of a site in the order of the file, and reason → number of skipped rows."""

    path: Path
    studies: tuple[Study, ...]
    skipped: Mapping[str, int]


def read_manifest(root: Path, *, split_seed: str = "fedaid") -> Manifest:
    """Return the usable studies of a site's manifest; a row with an unusable image or report is skipped and counted.

    Images must exist; they are not decoded. If `split` is empty, a patient takes the split of another of their rows, or
    else that of :func:`fedaid.data.split.splits_of`. So every patient is in exactly one split.

    Args:
        root: the folder of the manifest.
        split_seed: key of the partition, for patients without a split in the manifest.

    Raises:
        InputError: if the manifest is missing or not a table, lacks a column or an identifier, has a study twice, an
            unknown split, a patient in two splits or no usable row, or if the grammar is invalid.
    """
    path = _manifest_path(root)
    table = read_table(path)
    sources = _report_columns(table)
    _require_identifiers(table)
    _require_rows(table)
    splits = splits_of((row.cell("patient_id") for row in table.rows), _given_splits(table), seed=split_seed)
    folder = root.resolve()
    grammar = site_grammar(root)
    studies: list[Study] = []
    skipped: Counter[str] = Counter()
    for row in table.rows:
        split = splits[row.cell("patient_id")]
        try:
            studies.append(_study(row, folder, sources=sources, split=split, grammar=grammar))
        except UnusableStudy as fault:
            skipped[fault.reason] += 1
    if not studies:
        raise _none_usable(table, skipped)
    return Manifest(path=path, studies=tuple(studies), skipped=dict(sorted(skipped.items())))


def _manifest_path(root: Path) -> Path:
    """The manifest's path; an error if there is none."""
    where, remedy = "the data root of this site", "Set FEDAID_DATA or fedaid_site.json to the folder with the manifest."
    if not root.is_dir():  # the message has no path: errors are sent to the server
        got = "a file" if root.exists() else "a folder that is not there"
        raise InputError("data_root", "be an existing folder", got=got, where=where, remedy=remedy)
    if not (root / FILE_NAME).is_file():
        raise InputError("data_root", f"hold {FILE_NAME}", got="a folder without it", where=where, remedy=remedy)
    return root / FILE_NAME


def _report_columns(table: Table) -> tuple[str, ...]:
    """The columns of the report, after a check of the header."""
    missing = [column for column in _REQUIRED if column not in table.columns]
    if missing:
        read_as = f" in a table read as {table.read_as}" if table.read_as else ""
        got = f"no {', '.join(missing)}{read_as}"
        raise _fault(table, [1], "header", f"have the columns {', '.join(_REQUIRED)}", got)
    for column in table.columns:
        if column in (*_REQUIRED, *_OPTIONAL):
            continue
        near = [name for name in difflib.get_close_matches(column, _OPTIONAL, cutoff=0.8) if name not in table.columns]
        if near:
            raise _fault(table, [1], "header", f"spell the column {near[0]!r} so", "a near miss")
    present = [found for source in REPORT_SOURCES if (found := tuple(name for name in source if name in table.columns))]
    if len(present) != 1:
        rule = "have one source of the report: report_path, or report, or findings and impression"
        raise _fault(table, [1], "header", rule, f"{len(present)} sources")
    return present[0]


def _require_identifiers(table: Table) -> None:
    """An error if a study or a patient has no identifier, or a study has two rows."""
    for column in ("study_id", "patient_id"):
        empty = [row.line for row in table.rows if not row.cell(column)]
        if empty:
            raise _fault(table, empty, column, "be given in every row", "an empty cell")
    first: dict[str, int] = {}
    for row in table.rows:
        line = first.setdefault(row.cell("study_id"), row.line)
        if line != row.line:
            raise _fault(table, [line, row.line], "study_id", "be unique", "the same study twice")


def _require_rows(table: Table) -> None:
    """An error if `image_row` is missing for some studies, not a number, or the same for two studies."""
    if "image_row" not in table.columns:
        return
    cells = [row.cell("image_row") for row in table.rows]
    wrong = [row.line for row, cell in zip(table.rows, cells, strict=True) if not (cell.isascii() and cell.isdigit())]
    if wrong:
        raise _fault(table, wrong, "image_row", "be a whole number in every row", "another value")
    if len(set(map(int, cells))) < len(cells):
        raise _fault(table, [1], "image_row", "be unique", "a row of pixels for two studies")


def _given_splits(table: Table) -> dict[str, str]:
    """Patient → split, for the patients with a split in the manifest."""
    wrong = [row.line for row in table.rows if row.cell("split") not in ("", *SPLITS)]
    if wrong:
        raise _fault(table, wrong, "split", f"be one of {', '.join(SPLITS)} or empty", "another value")
    given: dict[str, Row] = {}
    for row in table.rows:
        if row.cell("split"):
            earlier = given.setdefault(row.cell("patient_id"), row)
            if earlier.cell("split") != row.cell("split"):
                raise _fault(table, [earlier.line, row.line], "split", "be one a patient", "a patient in two splits")
    return {patient: row.cell("split") for patient, row in given.items()}


def _study(row: Row, root: Path, *, sources: tuple[str, ...], split: str, grammar: ReportGrammar) -> Study:
    """The study of one row, or :class:`UnusableStudy`."""
    image = file_inside(root, row.cell("image"), kind="image")
    text = report_text(report_of(row, root, sources=sources), grammar)
    if not text:
        raise UnusableStudy("report-empty")
    labels, uncertain = divided_labels(row.cell("labels"))
    return Study(
        line=row.line,
        patient_id=row.cell("patient_id"),
        image=image,
        text=text,
        split=split,
        labels=labels,
        row=int(row.cell("image_row")) if row.cell("image_row") else None,
        uncertain=uncertain,
        view=view_group(row.cell("view")),
        sex=sex_of(row.cell("sex")),
        age=age_band(row.cell("age")),
    )


def report_of(row: Row, root: Path, *, sources: tuple[str, ...]) -> str:
    """Return the report of a row; of two columns each under its own heading, without empty ones.

    Args:
        row: of the manifest.
        root: the data root, resolved.
        sources: one of :data:`REPORT_SOURCES`, or a part of its last entry.

    Raises:
        UnusableStudy: with one of the "report-" codes.
    """
    if sources == ("report_path",):
        return read_report_file(file_inside(root, row.cell("report_path"), kind="report"))
    if sources == ("report",):
        return plain_report(row.cell("report"))
    cells = {column: plain_report(row.cell(column)) for column in sources}
    return "\n\n".join(f"{column.upper()}: {text}" for column, text in cells.items() if text)


def _none_usable(table: Table, skipped: Counter[str]) -> InputError:
    """The error for a manifest without a usable row; its remedy is that of the most frequent reason."""
    counts = ", ".join(f"{count} {reason}" for reason, count in skipped.most_common())
    remedy = REMEDIES[skipped.most_common(1)[0][0]]
    return InputError(table.name, "have a usable row", got=f"none ({counts})", where=table.name, remedy=remedy)


def _fault(table: Table, lines: Iterable[int], name: str, rule: str, got: str) -> InputError:
    """The error for these lines of the manifest; it quotes no cell."""
    numbers = [str(line) for line in lines]
    shown = ", ".join(numbers[:5]) + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")
    where = f"{table.name}, line{'s' if len(numbers) > 1 else ''} {shown}"
    return InputError(name, rule, got=got, where=where, remedy=f"Correct {table.name} and start again.")
