"""Keeps the last final one of several versions of a report, and joins a report that is spread over rows.

A version counts as superseded only where the status of every version says so: a column of the table, the status of a
message, or a banner such as "PRELIMINARY REPORT". Otherwise all stay, and pairing refuses them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from admin.site.prepare.pairing import normal
from admin.site.prepare.records import Record
from fedaid.data.messages.report_status import Moment, Standing, moment_of, standing_in, standing_of
from fedaid.data.report.grammar import ReportGrammar
from fedaid.data.report.sections import sections
from fedaid.data.unusable import UnusableStudy


@dataclass(frozen=True)
class Versions:
    """The records that are left, and how many were superseded by, or joined to, one of them."""

    records: Sequence[Record]
    superseded: int = 0
    joined: int = 0


@dataclass(frozen=True)
class _Version:
    record: Record
    text: str
    standing: Standing | None
    moment: Moment | None


def last_versions(records: Sequence[Record], grammar: ReportGrammar) -> Versions:
    """Return the records with one version of each report, where the versions' status decides.

    Args:
        records: the reports. Versions share their accession numbers, or all keys if they state none.
        grammar: the grammar of the site's reports, to recognise the rows of one report.
    """
    groups: defaultdict[tuple[tuple[str, str], ...], list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        groups[_group(record) or (("", str(number)),)].append(number)
    kept: list[Record] = []
    superseded = joined = 0
    for numbers in groups.values():
        given = [records[number] for number in numbers]
        if len({normal(record.patient) for record in given if record.patient}) > 1:
            kept += given  # one number for two patients: pairing refuses it
            continue
        follow = numbers[-1] - numbers[0] == len(numbers) - 1
        rows = _rows_joined(given, grammar) if len(given) > 1 and follow else None
        left = [rows] if rows else _last(given)
        kept += left
        joined += (len(given) - 1) * (rows is not None)
        superseded += (len(given) - len(left)) * (rows is None)
    return Versions(kept, superseded, joined)


def _group(record: Record) -> tuple[tuple[str, str], ...]:
    """The normalised keys that the versions of one report share."""
    if record.images:
        return ()
    keys = {(kind, normal(identifier)) for kind, identifier in record.keys}
    return tuple(sorted({one for one in keys if one[0] == "accession"} or keys))


def _last(given: list[Record]) -> list[Record]:
    """The version that counts, or all if the status does not say which."""
    if len(given) == 1:
        withdrawn = standing_of(given[0].status) is Standing.WITHDRAWN
        return [replace(given[0], fault="report-withdrawn")] if withdrawn else given
    versions = [_version(record) for record in given]
    if len({" ".join(one.text.split()) for one in versions}) == 1 and not any(one.record.fault for one in versions):
        return given[-1:]
    if any(one.standing is None for one in versions):
        return given
    valid = _not_withdrawn(versions)
    if valid is None:
        return given
    base = _latest([one for one in valid if one.standing is not Standing.ADDENDUM])
    added = [one for one in valid if one.standing is Standing.ADDENDUM]
    if not valid:
        return [replace(given[-1], fault="report-withdrawn")]
    return given if base is None else [_amended(base, added)]


def _version(record: Record) -> _Version:
    try:
        text = record.report()
    except UnusableStudy:
        text = ""
    standing = standing_of(record.status) if record.status else standing_in(text)
    return _Version(record, text, standing, moment_of(record.written))


def _not_withdrawn(versions: list[_Version]) -> list[_Version] | None:
    """The versions after the last one that was withdrawn; None if their order is not known."""
    if not any(one.standing is Standing.WITHDRAWN for one in versions):
        return versions
    if not _in_time(versions):
        return None
    ordered = sorted(versions, key=lambda one: one.moment or ("", 0))
    last = max(place for place, one in enumerate(ordered) if one.standing is Standing.WITHDRAWN)
    return ordered[last + 1 :]


def _in_time(versions: list[_Version]) -> bool:
    """Whether the moments of all versions are known, of one kind, and different."""
    moments = [one.moment for one in versions]
    kinds = {moment[0] if moment else "" for moment in moments}
    return len(kinds) == 1 and "" not in kinds and len(set(moments)) == len(moments)


def _latest(versions: list[_Version]) -> _Version | None:
    """The last final version, else the last preliminary one; None if that is not one version."""
    final = [one for one in versions if one.standing in (Standing.FINAL, Standing.AMENDED)] or versions
    if len(final) > 1 and _in_time(final):
        return max(final, key=lambda one: one.moment or ("", 0))
    best = max((one.standing or 0 for one in final), default=0)
    top = [one for one in final if one.standing == best]
    same = len({" ".join(one.text.split()) for one in top}) == 1
    return top[-1] if top and same else None


def _amended(base: _Version, added: list[_Version]) -> Record:
    """The record of a version with its addenda. An addendum that repeats the version replaces it."""
    if not added:
        return base.record
    ordered = sorted(added, key=lambda one: one.moment or ("", 0)) if _in_time(added) else added
    text, whole = base.text, " ".join(base.text.split())
    for one in ordered:
        repeats = whole and whole in " ".join(one.text.split())
        text = one.text if repeats else f"{text}\n\nADDENDUM: {one.text}"
    return replace(base.record, text=text, file=None)


def _rows_joined(given: list[Record], grammar: ReportGrammar) -> Record | None:
    """One record of the rows of one report, or None if they may be several reports.

    Rows belong together if a column numbers them from 0 or 1, or if the first one opens the findings and the
    last one, and no other, the impression. All of them state the same status.
    """
    versions = [_version(record) for record in given]
    if len({one.record.status for one in versions}) > 1 or any(one.record.file or not one.text for one in versions):
        return None
    lines = [int(one.record.line) if one.record.line.isdecimal() else -1 for one in versions]
    if sorted(lines) in (list(range(len(lines))), list(range(1, len(lines) + 1))):
        versions.sort(key=lambda one: int(one.record.line))
    elif set(lines) != {-1} or not _divided_by_headings([one.text for one in versions], grammar):
        return None
    return replace(given[0], text="\n".join(one.text for one in versions))


def _divided_by_headings(texts: list[str], grammar: ReportGrammar) -> bool:
    """Whether rows are one report by their headings."""
    first, *between, last = [sections(text, grammar) for text in texts]
    opened = bool(first.findings) and not first.impression
    closed = bool(last.impression) and not last.findings
    return opened and closed and not any(one.findings or one.impression for one in between)
