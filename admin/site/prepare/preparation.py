"""The steps of ``prepare``: find, describe, pair, decode, write. A step skips what is in its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from admin.site.films.film_choice import FilmChoices, films_on_a_level
from admin.site.films.other_files import OtherFiles, known_kind
from admin.site.films.view_screen import score_at
from admin.site.prepare.imaged_study import (
    ImagedStudy,
    ImageFile,
    file_name,
    imaged_studies,
    key,
    near_hashes,
    torn_studies,
)
from admin.site.prepare.journal import Journal
from admin.site.prepare.matched import Match, claims_of, matches, placed
from admin.site.prepare.messages.message_numbers import with_accessions
from admin.site.prepare.messages.versions import last_versions
from admin.site.prepare.pixels import LETTERS, Pictures, is_done
from admin.site.prepare.quarantine import Bad
from admin.site.prepare.records import Record, kept_labels
from admin.site.prepare.scan import Found
from admin.site.prepare.site_folder import Line, SiteFolder
from admin.site.prepare.site_reports import SiteReports, Written
from admin.site.prepare.tables.matched_numbers import matched_numbers
from fedaid.data.header.demographics import age_of, sex_of
from fedaid.data.header.facts import header_from
from fedaid.data.letters.letters import OFF
from fedaid.data.pixels.decode_pool import DecodePool
from fedaid.data.pixels.decode_process import Answer, Request
from fedaid.data.pseudonym import Pseudonyms
from fedaid.data.report.deny_list import site_deny_list
from fedaid.data.report.grammar_file import site_grammar
from fedaid.data.spelling import bare, likely_same

Track = Callable[[Iterable[Answer], int, str], Iterator[Answer]]


class StoppedAtBad(Exception):
    """A strict run stopped at the first bad file. The message is the code of the reason."""


@dataclass
class Preparation:
    """One run over a site's files.

    Args:
        images: the folder of images.
        site: the folder of the result.
        names: the site's pseudonyms.
        workers: processes that read and decode.
        track: shows progress; takes the answers, their number and the name of the step.
        strict: stop at the first bad file.
        zeros: whether accession numbers and patients match that differ in leading zeros only.
        letters: how to look for letters in the pictures, one of :data:`fedaid.data.letters.letters.WAYS`.
        letters_apart: leave out pictures in which letters were found.
    """

    images: Path
    site: SiteFolder
    names: Pseudonyms
    workers: int
    track: Track
    strict: bool = False
    zeros: bool = False
    letters: str = OFF
    letters_apart: bool = False
    bad: list[Bad] = field(default_factory=list)
    others: OtherFiles = field(default_factory=OtherFiles)
    choices: FilmChoices = field(default_factory=FilmChoices)
    lines: list[Line] = field(default_factory=list)
    hints: tuple[str, ...] = ()
    several: int = 0
    spelt_twice: int = 0
    patients_unknown: int = 0
    labels_dropped: int = 0
    addenda: int = 0
    superseded: int = 0
    joined: int = 0
    described: int = 0
    decoded: int = 0
    letters_found: int = 0
    letters_unseen: int = 0
    scrubbed: Mapping[str, int] = field(default_factory=dict)
    tags_ignored: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._pool = DecodePool(self.site.pixels, workers=self.workers)

    def run(self, files: Sequence[Found], records: Sequence[Record]) -> None:
        """Do the remaining work, and fill ``lines`` and ``bad``.

        Raises:
            StoppedAtBad: with ``strict``, at the first file that is left out.
        """
        with ExitStack() as opened:
            opened.enter_context(self._pool)
            private = self.site.private
            pictures = opened.enter_context(self._pictures())
            written = opened.enter_context(Journal(private / "reports.jsonl", Written))
            grammar, deny = site_grammar(self.site.root), site_deny_list(private)
            reports = SiteReports(self.site.reports, written, names=self.names, grammar=grammar, deny=deny)
            claims = claims_of(records, self.names)
            with Journal(private / "files.jsonl", ImageFile, keep=ImageFile.brief) as described:
                readable = self._describe(files, described)
            films = self.others.films(readable, named=claims, names=self.names, leave_out=self._leave_out)
            tagged = [(found, placed(found, image, claims)) for found, image in films]
            del described, readable, films  # free it now: at a large site it takes most of the memory
            stamps = {image.file: found.stamp for found, image in tagged}
            torn = torn_studies(tagged, self.images)
            studies = imaged_studies(tagged, self.names)
            del tagged
            records = with_accessions(studies, records, self.names)
            numbers = matched_numbers(studies, records, self.names, zeros=self.zeros)
            self.hints, self.several = numbers.hints, numbers.divided
            versions = last_versions(numbers.records, grammar)
            self.superseded, self.joined = versions.superseded, versions.joined
            found, bad = matches(
                numbers.studies, versions.records, claims=claims, torn=torn, names=self.names, zeros=self.zeros,
                others=self.others,
            )  # fmt: skip
            self.spelt_twice = len({match.patient for match in found if match.spelt_twice})
            unclear = numbers.unclear
            del studies, numbers, versions, claims
            for one in (*unclear, *bad):
                self._leave_out(one.reason, one.name)
            found = self._settled(found, stamps, pictures)
            self._decode([match.study for match in found], stamps, pictures)
            for match in found:
                self._add(match, pictures=pictures, reports=reports)
            self.scrubbed = dict(sorted(reports.scrubbed.items()))
            self.addenda = reports.addenda

    def _pictures(self) -> Pictures:
        return Pictures(self.site, self.images, letters=self.letters, apart=self.letters_apart, ask=self._answers)

    def _leave_out(self, reason: str, name: str) -> None:
        self.bad.append(Bad(reason, name))
        if self.strict:
            raise StoppedAtBad(reason)

    def _describe(self, files: Sequence[Found], journal: Journal[ImageFile]) -> list[tuple[Found, ImageFile]]:
        """Return the usable files with their journal entries. New files are read first."""
        names = [file_name(found, self.names) for found in files]
        new = [n for n, name in enumerate(names) if not is_done(journal.get(name), files[n].stamp)]
        self.described = len(new)
        inside = [n for n in new if files[n].inside]
        for n in new:
            if not files[n].inside:
                journal.add(ImageFile(names[n], files[n].stamp, "image-outside-root"))
        requests = (Request(n, self.images / files[n].relative) for n in inside)
        for answer in self._answers(requests, len(inside), "reading headers"):
            journal.add(self._image_file(names[answer.key], files[answer.key].stamp, answer))
        tagged = [(found, entry) for found, name in zip(files, names, strict=True) if (entry := journal.get(name))]
        for found, entry in tagged:
            if entry.reason is not None:
                self._leave_out(entry.reason, found.relative)
        return [(found, entry) for found, entry in tagged if entry.reason is None]

    def _image_file(self, name: str, stamp: str, answer: Answer) -> ImageFile:
        """Return the journal entry of a file whose header was read."""
        tags = answer.tags
        patient, accession = tags.get("patient", "").strip(" \0"), tags.get("accession", "")
        header = header_from(answer.header)
        return ImageFile(
            file=name,
            stamp=stamp,
            reason=answer.reason,
            patient=self.names.patient(patient) if patient else "",
            study=key("study", tags.get("study", ""), self.names),
            accession=key("accession", accession, self.names),
            near_accession=near_hashes(accession, bare(accession), self.names),
            near_patient=near_hashes(patient, likely_same(patient), self.names),
            instance=key("instance", tags.get("instance", ""), self.names),
            kind=known_kind(tags.get("kind", "")),
            view=header.view_position or "",
            views=header.views,
            header={name: value for name, value in answer.header.items() if value is not None},
        )

    def _answers(self, requests: Iterable[Request], count: int, doing: str) -> Iterator[Answer]:
        if count:
            yield from self.track(self._pool.run(requests), count, doing)

    def _decode(self, studies: Sequence[ImagedStudy], stamps: Mapping[str, str], pictures: Pictures) -> None:
        """Decode one image of each study: the first usable one in the order of preference."""
        for rank in range(max((len(study.images) for study in studies), default=0)):
            files = {
                study.images[rank]: study.paths[rank] for study in studies
                if rank < len(study.images) and all(pictures.row(image) is None for image in study.images[:rank])
            }  # fmt: skip
            self._decode_files(files, stamps, pictures)

    def _decode_files(self, files: Mapping[str, str], stamps: Mapping[str, str], pictures: Pictures) -> None:
        """Decode files, by the hash of their path, and leave out the unusable ones."""
        for file in pictures.decode(files, stamps):
            self.decoded += 1
            if self.strict and (reason := pictures.fault(file)) is not None:
                self._leave_out(reason, files[file])
        for file, path in files.items():
            if (reason := pictures.fault(file)) is not None:
                self._leave_out(reason, path)
                self.letters_found += reason == LETTERS

    def _settled(self, found: Sequence[Match], stamps: Mapping[str, str], pictures: Pictures) -> list[Match]:
        """Return the matches. Where headers do not tell films apart, only the frontal film by its picture is left."""
        self._decode_files(films_on_a_level(found), stamps, pictures)
        score = lambda file: score_at(self.site.pixels, pictures.row(file))  # noqa: E731
        return self.choices.matches(found, score, leave_out=self._leave_out)

    def _add(self, match: Match, *, pictures: Pictures, reports: SiteReports) -> None:
        """Add the manifest line of a study that has an image and a report."""
        study, record = match.study, match.record
        rows = ((n, row) for n, image in enumerate(study.images) if (row := pictures.row(image)) is not None)
        number, row = next(rows, (0, None))
        if row is None:
            return
        reason = reports.write(study.name, record)
        if reason is not None:
            self._leave_out(reason, record.name)
            return
        labels, dropped = kept_labels(record.labels)
        self.patients_unknown += record.alone
        self.labels_dropped += dropped
        person = study.people[number]
        self.tags_ignored.update(person.get("ignored", ()))
        self.flagged.update(person.get("flags", ()))
        line = Line(
            study_id=study.name,
            patient_id=match.patient,
            image_row=row,
            split=match.split,
            labels=labels,
            view=study.views[number],
            sex=sex_of(str(person.get("sex", ""))) or sex_of(record.sex),
            age=age_of(str(person.get("age", ""))) or age_of(record.age),
        )
        self.lines.append(line)
        letters = pictures.letters(study.images[number])
        self.letters_found += letters is not None and letters.found
        self.letters_unseen += letters is None or not (letters.seen or letters.found)
