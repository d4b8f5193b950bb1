"""The one step that reads a site: manifest, reports, headers and pictures become the :class:`Evidence`."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from admin.site.doctor.evidence import Case, Evidence
from admin.site.doctor.pictures import Album, Picture, Track, decoded_album, prepared_album
from admin.site.doctor.tolerant_table import report_sources, strays, tolerant_table
from admin.site.prepare.prepared_site import prepared_counts, study_headers, study_letters
from fedaid.data.header.facts import Header, header_from
from fedaid.data.letters.letters import Letters
from fedaid.data.manifest import FILE_NAME, read_manifest, report_of
from fedaid.data.pixels.decode_pool import WORKERS, DecodePool
from fedaid.data.pixels.decode_process import Answer, Request
from fedaid.data.report.grammar import ENGLISH, ReportGrammar
from fedaid.data.report.grammar_file import site_grammar
from fedaid.data.report.sections import sections
from fedaid.data.site_path import file_inside
from fedaid.data.split import SPLITS, splits_of
from fedaid.data.table import Row, Table, divided_labels
from fedaid.data.unusable import UnusableStudy
from fedaid.errors import InputError, require

SHEET, DRAWN, SEED = 10, 30, 0
"""Number of pictures to show, and of studies drawn, because some pictures cannot be read."""
SPLIT_SEED = "fedaid"
"""Equal to the default of :func:`fedaid.data.manifest.read_manifest`."""


@dataclass(frozen=True)
class Collected:
    """The evidence, and line → picture of a few random studies for a person to look at."""

    evidence: Evidence
    sheet: Mapping[int, Picture]


def untracked(items: Iterable[Answer], total: int, doing: str) -> Iterator[Answer]:
    """Yield the items without showing progress."""
    del total, doing
    yield from items


def collect(root: Path, folder: Path, *, track: Track = untracked, seed: int = SEED) -> Collected:
    """Read a site and return the evidence.

    Args:
        root: the data root.
        folder: private folder for temporary pictures.
        track: shows progress.
        seed: seed of the random draw of pictures.

    Raises:
        InputError: if the folder or its manifest is missing.
    """
    remedy = f"Give the folder with {FILE_NAME}, or one startup kit, which holds startup/."
    require(root.is_dir(), "SITE_DIR", "be an existing folder", got="no folder", where="command line", remedy=remedy)
    held = (root / FILE_NAME).is_file()
    require(held, "SITE_DIR", f"hold {FILE_NAME}", got="a folder without it", where="command line", remedy=remedy)
    root = root.resolve()
    table, malformed = tolerant_table(root / FILE_NAME)
    prepared = "image_row" in table.columns
    cases, files = _cases(table, root)
    drawn = np.random.default_rng(seed).permutation(sorted(files))[:DRAWN].tolist()
    album = _album(cases, files, folder=folder, keep=frozenset(drawn), prepared=prepared, track=track)
    headed = _with_headers(cases, files, root, prepared=prepared, track=track)
    seen = tuple(_with_picture(case, album) for case in headed)
    evidence = Evidence(
        columns=table.columns,
        cases=seen,
        prepared=prepared,
        refusal=refusal(root),
        malformed=malformed,
        read_as=table.read_as,
        stray_images=() if prepared else strays(root, [case.image for case in seen], reports=False),
        stray_reports=strays(root, [case.cells.get("report_path", "") for case in seen], reports=True),
        quarantined=quarantined(root / "quarantine.csv") if prepared else {},
        counts=prepared_counts(root) if prepared else {},
        grey_levels=tuple(album.grey_levels.tolist()),
        free_bytes=shutil.disk_usage(root).free,
    )
    shown = [line for line in drawn if line in album.kept][:SHEET]
    return Collected(evidence, {line: album.kept[line] for line in sorted(shown)})


def refusal(root: Path) -> str | None:
    """Return why training would refuse the manifest as a whole, or None."""
    try:
        read_manifest(root)
    except InputError as refused:
        return str(refused)
    return None


def quarantined(path: Path) -> dict[str, int]:
    """Return code → number of entries in a quarantine; empty if there is no valid list."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return dict(sorted(Counter(row["code"] for row in csv.DictReader(file)).items()))
    except (OSError, UnicodeDecodeError, csv.Error, KeyError):
        return {}


def _cases(table: Table, root: Path) -> tuple[list[Case], dict[int, Path]]:
    """Return the cases without pictures, and line → image file where it exists."""
    grammar, sources = _grammar(root), report_sources(table.columns)
    given = {row.cell("patient_id"): row.cell("split") for row in table.rows if row.cell("split") in SPLITS}
    splits = splits_of((row.cell("patient_id") for row in table.rows), given, seed=SPLIT_SEED)
    cases, files = [], {}
    for row in table.rows:
        split = row.cell("split") or splits.get(row.cell("patient_id"), "")
        case = _with_report(_case(row, split), row, root, sources=sources, grammar=grammar)
        try:
            files[row.line] = file_inside(root, row.cell("image"), kind="image")
            case = replace(case, size=files[row.line].stat().st_size)
        except UnusableStudy as fault:
            case = replace(case, image_fault=fault.reason)
        cases.append(case)
    return cases, files


def _case(row: Row, split: str) -> Case:
    labels, _ = divided_labels(row.cell("labels"))
    cells = {column: cell.strip() for column, cell in row.cells.items()}
    return Case(row.line, row.cell("study_id"), row.cell("patient_id"), cells, split, labels)


def _with_report(case: Case, row: Row, root: Path, *, sources: tuple[str, ...], grammar: ReportGrammar) -> Case:
    try:
        text = report_of(row, root, sources=sources)
    except UnusableStudy as fault:
        return replace(case, report_fault=fault.reason)
    found = sections(text, grammar)
    return replace(case, report=text, sections=found, report_fault=None if found.text else "report-empty")


def _grammar(root: Path) -> ReportGrammar:
    """Return the site's grammar, or the English one if its file is invalid. :func:`refusal` reports that."""
    try:
        return site_grammar(root)
    except InputError:
        return ENGLISH


def _album(
    cases: list[Case], files: Mapping[int, Path], *, folder: Path, keep: frozenset[int], prepared: bool, track: Track
) -> Album:
    if not prepared:
        return decoded_album(list(files.items()), folder, keep=keep, track=track)
    numbers = {case.line: case.cells.get("image_row", "") for case in cases if case.line in files}
    rows = [(line, files[line], int(row)) for line, row in numbers.items() if row.isascii() and row.isdecimal()]
    album = prepared_album(rows, keep=keep)
    album.faults |= dict.fromkeys(numbers.keys() - {line for line, _, _ in rows}, "image-missing")
    return album


def _with_headers(
    cases: list[Case], files: Mapping[int, Path], root: Path, *, prepared: bool, track: Track
) -> list[Case]:
    if prepared:
        of_study, letters = prepared_headers(root), prepared_letters(root)
        return [replace(case, header=of_study.get(case.name), letters=letters.get(case.name), size=0) for case in cases]
    headers = read_headers(list(files.items()), track=track)
    return [replace(case, header=headers.get(case.line)) for case in cases]


def _with_picture(case: Case, album: Album) -> Case:
    fault = case.image_fault or album.faults.get(case.line)
    letters = album.letters.get(case.line, case.letters)
    return replace(case, picture=album.facts.get(case.line), letters=letters, image_fault=fault)


Key = TypeVar("Key", int, str)


def read_headers(files: Sequence[tuple[int, Path]], *, track: Track) -> dict[int, Header]:
    """Return the headers of the DICOM files that can be read.

    Args:
        files: key and path of each.
        track: shows progress.
    """
    if not files:
        return {}
    found: dict[int, Header] = {}
    with DecodePool(None, workers=min(WORKERS, len(files))) as pool:
        requests = [Request(number, path) for number, (_, path) in enumerate(files)]
        for answer in track(pool.run(requests), len(requests), "reading headers"):
            found[files[answer.key][0]] = header_from(answer.header)
    return stated(found)


def prepared_headers(root: Path) -> dict[str, Header]:
    """Return a prepared site's headers by study. Empty if the journals are missing or of another version."""
    try:
        return stated(study_headers(root))
    except (InputError, OSError, ValueError):  # the last: another version wrote the journal
        return {}


def prepared_letters(root: Path) -> dict[str, Letters]:
    """Return what was seen of letters at a prepared site by study. Empty if a journal is missing or cannot be read."""
    try:
        return study_letters(root)
    except (InputError, OSError, ValueError):
        return {}


def stated(headers: Mapping[Key, Header]) -> dict[Key, Header]:
    """Return the headers that are not empty. A PNG or JPEG has an empty header."""
    return {key: header for key, header in headers.items() if header != Header()}
