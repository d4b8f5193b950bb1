"""Makes a site's dataset from its images and reports; nothing leaves the site.

A second run does only what is new. A run that was interrupted continues. Unusable files are listed in quarantine.csv
with a code and a remedy.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from admin.site.doctor.phrases.heading_advice import heading_advice
from admin.site.prepare.display import tracked
from admin.site.prepare.imaged_study import COUNTED
from admin.site.prepare.pixels import LETTERS
from admin.site.prepare.preparation import Preparation, StoppedAtBad, Track
from admin.site.prepare.presets.preset import imported_records
from admin.site.prepare.quarantine import REMEDIES, counts, write_quarantine
from admin.site.prepare.records import Record, read_records
from admin.site.prepare.scan import Found, find_files, named_files
from admin.site.prepare.site_folder import SiteFolder
from admin.site.prepare.tables.column_roles import named_columns
from admin.site.prepare.tables.report_table import TableFacts, TableOptions
from fedaid.atomic_file import write_private
from fedaid.data.letters.letters import OCR, OFF, WAYS
from fedaid.data.pixels.decode_pool import WORKERS
from fedaid.data.pseudonym import Pseudonyms, site_key
from fedaid.errors import InputError, require

WHERE = "the command line"


@dataclass(frozen=True)
class Export:
    """A hospital's export, and the settings of its preparation.

    Attributes:
        images: folder of DICOM, PNG or JPEG files, at any depth.
        out: the site's data folder; made if absent.
        reports: folder of text files, or a table. With a preset, None means that ``images`` holds the table.
        preset: name of a public data set's layout, see :data:`admin.site.prepare.presets.preset.PRESETS`.
        key: file of the site's pseudonym key; None for ``<out>/private/key``.
        image_size: S, pixels a side of the decoded images.
        workers: processes that decode.
        max_bad_share: the largest share of unusable files with which a manifest is written.
        strict: stop at the first unusable file.
        encoding: of a table of reports; empty to find it.
        columns: "ROLE=NAME" for columns whose names are not known, see
            :data:`admin.site.prepare.tables.column_names.ROLES`.
        match_without_leading_zeros: whether accession numbers and patients match that differ in leading zeros only.
        letters: how to look for letters in the pictures, one of :data:`fedaid.data.letters.letters.WAYS`.
        quarantine_letters: leave out pictures in which letters were found that may identify the patient.
    """

    images: Path
    out: Path
    reports: Path | None = None
    preset: str | None = None
    key: Path | None = None
    image_size: int = 64
    workers: int = WORKERS
    max_bad_share: float = 0.2
    strict: bool = False
    encoding: str = ""
    columns: tuple[str, ...] = ()
    match_without_leading_zeros: bool = False
    letters: str = OCR
    quarantine_letters: bool = False


def prepare(export: Export, *, track: Track = tracked) -> dict[str, Any]:
    """Prepare a site, and return the result: counts only, with "error" if there is no dataset.

    Args:
        export: what to prepare, and how.
        track: passes on the answers about the files, and may show how many there are.

    Raises:
        InputError: for a setting or a table that cannot be used.
    """
    check(export)
    site = SiteFolder(export.out.resolve(), export.image_size)
    site.make()
    with site.alone():
        names = Pseudonyms(key_of(export.key or site.private / "key", site))
        same_key(names, site)
        run = Preparation(
            export.images.resolve(), site, names, export.workers, track=track, strict=export.strict,
            zeros=export.match_without_leading_zeros, letters=export.letters, letters_apart=export.quarantine_letters,
        )  # fmt: skip
        facts, stopped = TableFacts(), ""
        try:
            run.run(*sources(export, facts))
        except StoppedAtBad as bad:
            stopped = f"stopped at the first bad file, {bad}: {REMEDIES[str(bad)]} See quarantine.csv."
        write_quarantine(site.quarantine, run.bad)
        result = finished(run, site, stopped=stopped, most=export.max_bad_share)
        if "error" not in result and export.preset is None:
            with_heading_advice(result, run, site)
        return table_result(facts) | with_hints(result, run)


def with_heading_advice(result: dict[str, Any], run: Preparation, site: SiteFolder) -> None:
    """Add a hint and the number of reports, if no report has a heading that is known."""
    advice = heading_advice(site.reports / f"{line.study_id}.txt" for line in run.lines)
    if advice:
        result["reports_without_headings"] = len(run.lines)
        run.hints = (advice, *run.hints)


def key_of(file: Path, site: SiteFolder) -> bytes:
    """Return the site's key. A new key is made only for a new site.

    Raises:
        InputError: if the key of a site that was prepared before is missing, or cannot be read.
    """
    known = file.exists() or not (site.private / "files.jsonl").exists()
    where, remedy = "a site that was prepared before", "Restore it, or give another --out: a new key moves patients."
    require(known, "key file", "exist", got="no file", where=where, remedy=remedy)
    return site_key(file)


def same_key(names: Pseudonyms, site: SiteFolder) -> None:
    """Write a mark of the key at a new site. At an existing site, compare it.

    Raises:
        InputError: if the site was prepared with a different key.
    """
    mark, own = site.private / "key_mark", names.study("mark of the key")
    known = mark.read_text().strip() if mark.exists() else own
    where, remedy = "a site that was prepared before", "Give the key it was prepared with, or another --out."
    require(known == own, "--key", "be the site's key", got="a different key", where=where, remedy=remedy)
    write_private(mark, own + "\n")


def sources(export: Export, facts: TableFacts) -> tuple[list[Found], list[Record]]:
    """Return the image files and the reports of an export, and fill in what is said about its table."""
    if export.preset is None:
        reports = own_reports(export)
        asked = TableOptions(export.encoding, named_columns(export.columns))
        records = read_records(reports, asked, facts=facts)
        return list(find_files(export.images, leave_out=(reports, export.out))), records
    records = imported_records(export.preset, export.images, export.reports or export.images)
    paths = dict.fromkeys(path for record in records for path, _ in record.images)
    return list(named_files(export.images, paths)), records


def table_result(facts: TableFacts) -> dict[str, Any]:
    """Return how a table was read, as a part of the result; empty if there was no table."""
    if not facts.read_as:
        return {}
    return {"table": facts.read_as, "columns": dict(facts.columns), "rows_doubled": facts.rows_doubled}


def with_hints(result: dict[str, Any], run: Preparation) -> dict[str, Any]:
    """Return the result with what a person should know of numbers and patients; an error names it, too."""
    hints = [*run.hints, *filter(None, [run.others.advice, run.choices.advice])]
    if run.several:
        result["reports_of_several"] = run.several
    if run.spelt_twice:
        result["patients_spelt_twice"] = run.spelt_twice
        spelt = f"{run.spelt_twice} patients are written in two ways that differ in zeros, '.0', case, blanks or dashes"
        hints.append(f"{spelt}: they are on one side of the split unless the table states it. Write each in one way.")
    if not hints:
        return result
    error = {"error": " ".join([f"{result['error']}.", *hints])} if "error" in result else {}
    return result | {"hints": " ".join(hints)} | error


def finished(run: Preparation, site: SiteFolder, *, stopped: str, most: float) -> dict[str, Any]:
    """Write the manifest unless too much is unusable, and return the result."""
    result: dict[str, Any] = {
        "studies": len(run.lines),
        "patients_unknown": run.patients_unknown,
        "labels_dropped": run.labels_dropped,
        "addenda": run.addenda,
        "reports_superseded": run.superseded,
        "rows_joined": run.joined,
        "headers_read": run.described,
        "images_decoded": run.decoded,
        "letters_found": run.letters_found,
        "letters_not_looked_for": run.letters_unseen,
        "tags_ignored": dict(sorted(run.tags_ignored.items())),
        **{count: run.flagged[flag] for flag, count in COUNTED.items()},
        "identifiers_replaced": dict(run.scrubbed),
        "quarantined": counts(run.bad),
        **run.others.counts(),
        **run.choices.counts(),
    }
    site.write_counts(run.others.counts() | run.choices.counts())
    asked_for = sum(bad.reason == LETTERS for bad in run.bad)
    share = (len(run.bad) - asked_for) / max(1, len(run.bad) + len(run.lines))
    if stopped:
        return result | {"error": stopped}
    if not run.lines:
        return result | {"error": "no study has an image and a report that can be used; see quarantine.csv"}
    if share > most:
        got = f"{share:.0%} cannot be used, more than --max-bad-share {most:.0%}"
        return result | {"error": f"{got}; see quarantine.csv; the manifest was not written"}
    site.write_manifest(run.lines)
    return result


def check(export: Export) -> None:
    """Raise InputError for a setting that cannot be used."""
    if export.preset is None:
        own_reports(export)
        named_columns(export.columns)
    else:
        given = bool(export.columns or export.encoding or export.match_without_leading_zeros)
        options, remedy = "--column, --encoding and --match-without-leading-zeros", "Leave them out, or the preset."
        require(not given, options, "be given without --preset", got=export.preset, where=WHERE, remedy=remedy)
    for name, least, most in (("image_size", 8, 4096), ("workers", 1, 256), ("max_bad_share", 0, 1)):
        value = getattr(export, name)
        option, rule = f"--{name.replace('_', '-')}", f"be from {least} to {most}"
        require(least <= value <= most, option, rule, got=value, where=WHERE, remedy="Leave it out for the default.")
    check_letters(export)


def check_letters(export: Export) -> None:
    """Raise InputError for a way to look for letters that cannot be followed."""
    rule, remedy = f"be one of {', '.join(WAYS)}", "Leave it out for the default."
    require(export.letters in WAYS, "--letters", rule, got=export.letters, where=WHERE, remedy=remedy)
    readable = export.letters != OCR or find_spec("rapidocr") is not None
    remedy = "Install requirements.txt, or give --letters quick."
    require(readable, "--letters ocr", "find the package rapidocr", got="no package", where=WHERE, remedy=remedy)
    apart = export.quarantine_letters and export.letters == OFF
    remedy = "Give --letters ocr, or leave --quarantine-letters out."
    require(not apart, "--quarantine-letters", "come with a look", got="--letters off", where=WHERE, remedy=remedy)


def own_reports(export: Export) -> Path:
    """Return the reports of an export without a preset.

    Raises:
        InputError: if they are missing, or their folder contains the images.
    """
    if export.reports is None:
        raise InputError("--reports", "be given", got="nothing", where=WHERE, remedy="Name a folder or a table.")
    apart = not export.images.resolve().is_relative_to(export.reports.resolve())
    remedy = "Move them into two folders beside each other."
    require(apart, "--images", "not lie in the folder of reports", got="the same", where=WHERE, remedy=remedy)
    return export.reports
