"""Chooses the field of HL7 messages that holds the accession number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from admin.site.prepare.imaged_study import ImagedStudy, key
from admin.site.prepare.messages.message_file import ORDER_FIELDS
from admin.site.prepare.records import Record
from fedaid.data.pseudonym import Pseudonyms


def with_accessions(studies: Sequence[ImagedStudy], records: Sequence[Record], names: Pseudonyms) -> Sequence[Record]:
    """Return the records of messages with the number of one field as their accession number.

    All messages use the same field: the one that finds most studies, so that an order number cannot match the
    accession number of another study. A message without that field uses the other one. An order number that no film
    has is left out if the message states the StudyInstanceUID of a film.
    """
    given = [one for record in records for one in record.keys if one[0] in ORDER_FIELDS]
    if not given:
        return records
    known = frozenset[str]().union(*(study.keys for study in studies))
    found = {
        kind: sum(key("accession", number, names) in known for of, number in given if of == kind)
        for kind in ORDER_FIELDS
    }
    ranked = sorted(ORDER_FIELDS, key=lambda kind: -found[kind])
    return [_without_unknown(_with_accession(record, ranked), known, names) for record in records]


def _without_unknown(record: Record, known: Collection[str], names: Pseudonyms) -> Record:
    """The record without the accession numbers that no film has, if a film has its StudyInstanceUID."""
    if not any(kind == "study" and key(kind, identifier, names) in known for kind, identifier in record.keys):
        return record
    kept = [one for one in record.keys if one[0] != "accession" or key(*one, names) in known]
    return replace(record, keys=tuple(kept))


def _with_accession(record: Record, ranked: Sequence[str]) -> Record:
    stated = [kind for kind, _ in record.keys]
    chosen = next((kind for kind in ranked if kind in stated), None)
    if chosen is None:
        return record
    others = [one for one in record.keys if one[0] not in ORDER_FIELDS]
    numbers = [("accession", number) for kind, number in record.keys if kind == chosen]
    return replace(record, keys=(*numbers, *others))
