"""Matches studies and reports, each of one patient and in one split. Others are left out with a reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from admin.site.films.other_files import OtherFiles
from admin.site.prepare.imaged_study import LOOSE_KIND, TAGS, ZEROS_KIND, ImagedStudy, ImageFile, key
from admin.site.prepare.pairing import pair
from admin.site.prepare.quarantine import Bad
from admin.site.prepare.records import FILE_NAME, KINDS, Record
from admin.site.prepare.scan import Found
from fedaid.data.pseudonym import Pseudonyms
from fedaid.data.spelling import likely_same, without_zeros
from fedaid.data.split import split_of

Claims = Mapping[str, tuple[str, str]]
"""Path of an image → its study and view according to the data set."""


@dataclass(frozen=True, slots=True)
class Match:
    """A study and its report, with the patient's pseudonym and split.

    `family` is a hash that the likely spellings of one patient share; empty if the data set states no patient.
    `spelt_twice` says that the patient has another likely spelling in the export.
    """

    study: ImagedStudy
    record: Record = field(repr=False)
    patient: str
    split: str
    family: str = ""
    spelt_twice: bool = False


def claims_of(records: Sequence[Record], names: Pseudonyms) -> Claims:
    """Return the images that records name, with the hash of the study. The first record that names an image wins."""
    claimed: dict[str, tuple[str, str]] = {}
    for record in records:
        study = key(*record.keys[0], names) if record.images else ""
        for path, view in record.images:
            claimed.setdefault(path, (study, view))
    return claimed


def placed(found: Found, image: ImageFile, claims: Claims) -> ImageFile:
    """Return an image with the data set's study and view. They replace the study and patient in the file."""
    if found.relative not in claims:
        return image
    study, view = claims[found.relative]
    return replace(
        image, study=study, accession="", patient="", view=view or image.view, views=() if view else image.views
    )


def matches(
    studies: Sequence[ImagedStudy],
    records: Sequence[Record],
    *,
    claims: Claims,
    names: Pseudonyms,
    torn: Set[str] = frozenset(),
    zeros: bool = False,
    others: OtherFiles | None = None,
) -> tuple[list[Match], list[Bad]]:
    """Return the studies with their reports, and everything that was left out, with reasons. Keys are removed.

    Args:
        studies: the studies of the images.
        records: the reports.
        claims: the result of :func:`claims_of`. If two records claim an image, both are linked to its study, so that
            neither is paired.
        torn: names of studies, see :func:`admin.site.prepare.imaged_study.torn_studies`.
        zeros: whether patients are the same that differ in leading zeros only.
        names: the site's pseudonyms. Their key also determines the split of a patient without a stated split.
        others: the files that are no radiographs. It counts the reports that belong to them.
    """
    kind = named_by(studies, records, names)
    keys = [_keys(record, claims, kind=kind, names=names) for record in records]
    pairing = pair([study.keys for study in studies], keys)
    bad = [Bad(reason, studies[number].paths[0]) for number, reason in pairing.studies_left.items()]
    bad += [
        Bad(records[number].fault or reason, records[number].name) for number, reason in pairing.reports_left.items()
        if reason != "pair-no-image" or not (records[number].images or (others and others.takes(keys[number])))
    ]  # fmt: skip
    found: list[Match] = []
    for number, report in pairing.pairs.items():
        study, record = studies[number], records[report]
        patients = _patients(study, record, names, zeros=zeros)
        if study.name in torn:
            bad.append(Bad("image-conflict", study.paths[0]))
        elif len(patients) == 1 and not _contradict(study, record, names):
            family = _family(study, record, names)
            found.append(Match(replace(study, keys=()), record, patient=next(iter(patients)), split="", family=family))
        else:
            bad.append(Bad(_conflict(study, record, patients), study.paths[0]))
    return _divided(found, bad, seed=names.study("split"))


def _patients(study: ImagedStudy, record: Record, names: Pseudonyms, *, zeros: bool) -> set[str]:
    """Return the pseudonyms of the patients that image and report name."""
    if not record.patient or (
        zeros and study.near_patient.zeros == key(ZEROS_KIND, without_zeros(record.patient), names)
    ):
        return {*study.patients}
    return {*study.patients, names.patient(record.patient)}


def _conflict(study: ImagedStudy, record: Record, patients: Set[str]) -> str:
    """Return the code of a pair that contradicts itself."""
    if not patients:
        return "patient-missing"
    return "patient-conflict" if len(study.patients) == 1 < len(patients) and record.patient else "pair-conflict"


def _family(study: ImagedStudy, record: Record, names: Pseudonyms) -> str:
    """Return the hash that the likely spellings of a patient share."""
    if study.near_patient.loose or record.alone:
        return study.near_patient.loose
    return key(LOOSE_KIND, likely_same(record.patient), names)


def named_by(studies: Sequence[ImagedStudy], records: Sequence[Record], names: Pseudonyms) -> str:
    """Return the kind of key in the file names of a folder of reports: the kind that finds most studies.

    All files use the same kind, so that accession number 12 cannot match an image file named 12.
    """
    files = [identifier for record in records for kind, identifier in record.keys if kind == FILE_NAME]
    known = frozenset[str]().union(*(study.keys for study in studies)) if files else frozenset()
    found = {kind: sum(key(kind, name, names) in known for name in files) for kind in KINDS.values()}
    return max(found, key=found.__getitem__)


def _contradict(study: ImagedStudy, record: Record, names: Pseudonyms) -> bool:
    """Whether image and report state different numbers of one kind. Such a pair matched by file name only."""
    for kind in set(TAGS).intersection(study.stated):
        given = {key(of, identifier, names) for of, identifier in record.keys if of == kind}
        if given and given.isdisjoint(study.keys):
            return True
    return False


def _keys(record: Record, claims: Claims, *, kind: str, names: Pseudonyms) -> tuple[str, ...]:
    """Return the hashes of the studies that a record names."""
    own = {key(kind if of == FILE_NAME else of, identifier, names) for of, identifier in record.keys}
    return tuple(own.union(claims[path][0] for path, _ in record.images) - {""})


def _divided(found: list[Match], bad: list[Bad], *, seed: str) -> tuple[list[Match], list[Bad]]:
    """Return the matches with their splits: the patient's stated split, otherwise one determined by the key.

    A patient without a stated split has that of another likely spelling.
    """
    given: defaultdict[str, set[str]] = defaultdict(set)
    families: defaultdict[str, set[str]] = defaultdict(set)
    for match in found:
        given[match.patient].update(match.record.splits)
        families[match.family or match.patient].add(match.patient)
    divided: list[Match] = []
    for match in found:
        family = sorted(families[match.family or match.patient])
        near = sorted(split for patient in family for split in given[patient])
        splits = given[match.patient] or {near[0] if near else split_of(family[0], seed=seed)}
        if len(splits) == 1:
            divided.append(replace(match, split=next(iter(splits)), spelt_twice=len(family) > 1))
        else:
            bad.append(Bad("split-conflict", match.study.paths[0]))
    return divided, bad
