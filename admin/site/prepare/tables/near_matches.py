"""Says in one line why numbers do not match: they would, without leading zeros, a ".0" or dashes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import replace

from admin.site.prepare.imaged_study import LOOSE_KIND, ZEROS_KIND, ImagedStudy, key
from admin.site.prepare.pairing import stem
from admin.site.prepare.records import FILE_NAME, Record
from fedaid.data.pseudonym import Pseudonyms
from fedaid.data.spelling import bare, likely_same, plain, without_point_zero, without_zeros
from fedaid.errors import require

Forms = Mapping[str, Callable[[str], bool]]
"""What a number lacks → whether it then matches. The first that holds counts."""

ZEROS = "without leading zeros"
_AS_TEXT = "Export the column as text"
_DATE = re.compile(
    r"\d{1,2}[./ -]+(?:\d{1,2}|[^\W\d_]{3,4})[./ -]*(?:\d{4}|\d\d)?|[^\W\d_]{3,4}[./ -]+\d{2,4}|\d{4}-\d\d-\d\d.*"
)
"""What a spreadsheet makes of a number such as 3-12."""


def match_without_zeros(
    studies: Sequence[ImagedStudy], records: Sequence[Record], names: Pseudonyms
) -> tuple[list[ImagedStudy], list[Record]]:
    """Return studies and records whose accession numbers match if they differ in leading zeros only.

    Raises:
        InputError: if two accession numbers, or two patients, would become equal.
    """
    films = {(study.near_accession.zeros, study.near_accession.exact) for study in studies}
    _require_distinct("accession numbers", films)
    _require_distinct("patients", {(study.near_patient.zeros, study.near_patient.exact) for study in studies})
    tabled = {(without_zeros(one), plain(one)) for record in records for one in _accessions(record)}
    _require_distinct("accession numbers", tabled)
    _require_distinct("patients", {(without_zeros(one.patient), plain(one.patient)) for one in records})
    known = frozenset[str]().union(*(study.keys for study in studies))
    zeros = frozenset(study.near_accession.zeros for study in studies)
    wider = [replace(one, keys=(*one.keys, *filter(None, [one.near_accession.zeros]))) for one in studies]
    return wider, [
        replace(record, keys=tuple(_zeros_key(one, known, zeros, names) for one in record.keys)) for record in records
    ]


def _require_distinct(what: str, forms: Set[tuple[str, str]]) -> None:
    """Raise unless each form without zeros belongs to one number. Empty ones are left out."""
    equal = len([form for form, exact in forms if exact]) - len({form for form, exact in forms if exact})
    rule, got = "not make two numbers equal", f"{equal} {what} that differ from another in leading zeros only"
    remedy = f"{_AS_TEXT}, with its zeros, and leave this option out."
    require(not equal, "--match-without-leading-zeros", rule, got=got, where="the export", remedy=remedy)


def _zeros_key(
    one: tuple[str, str], known: Collection[str], zeros: Collection[str], names: Pseudonyms
) -> tuple[str, str]:
    """Return the key of a record without leading zeros, if only so it is that of a film."""
    kind, identifier = one
    if kind not in ("accession", FILE_NAME) or key("accession", identifier, names) in known:
        return one
    shorter = without_zeros(identifier)
    return (ZEROS_KIND, shorter) if key(ZEROS_KIND, shorter, names) in zeros else one


def accession_hints(studies: Sequence[ImagedStudy], records: Sequence[Record], names: Pseudonyms) -> list[str]:
    """Return why accession numbers of the table match no film, one sentence a reason."""
    known = frozenset[str]().union(*(study.keys for study in studies))
    numbers = {one for record in records if not record.images for one in _accessions(record)}
    lost = {one for one in numbers if key("accession", one, names) not in known}
    zeros = {study.near_accession.zeros for study in studies}
    marks = {study.near_accession.loose for study in studies}
    forms: Forms = {
        ZEROS: lambda one: key(ZEROS_KIND, without_zeros(one), names) in zeros,
        "without the ending '.0'": lambda one: key("accession", without_point_zero(one), names) in known,
        "without the ending '.0' and leading zeros": lambda one: (
            key(ZEROS_KIND, without_zeros(without_point_zero(one)), names) in zeros
        ),
        "without dashes, dots and other marks": lambda one: key(LOOSE_KIND, bare(one), names) in marks,
        "as StudyInstanceUID": lambda one: key("study", one, names) in known,
        "as name of an image file": lambda one: key("stem", stem(one), names) in known,
    }
    dates = [one for one in lost if _DATE.fullmatch(one) and not any(matches(one) for matches in forms.values())]
    told = [f"{len(dates)} of {len(numbers)} accession numbers look like dates. {_AS_TEXT}."] if dates else []
    return _sentences("accession numbers", lost, of=len(numbers), forms=forms) + told


def patient_hints(studies: Sequence[ImagedStudy], records: Sequence[Record], names: Pseudonyms) -> list[str]:
    """Return why patients of the table are not those of the films, one sentence a reason."""
    patients = {record.patient for record in records if record.patient and not record.images}
    known = {patient for study in studies for patient in study.patients}
    lost = {one for one in patients if names.patient(one) not in known} if known else set()
    zeros = {study.near_patient.zeros for study in studies}
    marks = {study.near_patient.loose for study in studies}
    forms: Forms = {
        ZEROS: lambda one: key(ZEROS_KIND, without_zeros(one), names) in zeros,
        "without the ending '.0'": lambda one: names.patient(without_point_zero(one)) in known,
        "without the ending '.0' and leading zeros": lambda one: (
            key(ZEROS_KIND, without_zeros(without_point_zero(one)), names) in zeros
        ),
        "without blanks, dashes and other marks": lambda one: key(LOOSE_KIND, likely_same(one), names) in marks,
    }
    return _sentences("patients", lost, of=len(patients), forms=forms)


def _sentences(what: str, lost: Collection[str], *, of: int, forms: Forms) -> list[str]:
    """Return one sentence for each form in which numbers that match nothing do match."""
    counts = Counter(next((form for form, matches in forms.items() if matches(one)), "") for one in lost)
    del counts[""]
    remedies = {ZEROS: f"{_AS_TEXT}, or add --match-without-leading-zeros."}
    remedies |= {"as StudyInstanceUID": "Name its column with --column study=NAME."}
    remedies |= {"as name of an image file": "Name its column with --column image=NAME."}
    remedy = f"{_AS_TEXT}, as the films have it."
    return [
        f"{count} of {of} {what} match {form}. {remedies.get(form, remedy)}" for form, count in counts.most_common()
    ]


def _accessions(record: Record) -> list[str]:
    return [identifier for kind, identifier in record.keys if kind in ("accession", FILE_NAME)]
