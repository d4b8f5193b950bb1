"""``python -m admin prepare``: make a site's dataset of its images and reports; nothing leaves the site.

A second run does only what is new, and a run that was interrupted goes on. What cannot be used is listed in
quarantine.csv with a code and a remedy. The exit code is 0 if the dataset is there and 1 if not.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from admin.site.prepare.display import tracked
from admin.site.prepare.preparation import Preparation, StoppedAtBad
from admin.site.prepare.presets.preset import PRESETS, imported_records
from admin.site.prepare.quarantine import REMEDIES, counts, write_quarantine
from admin.site.prepare.records import Record, read_records
from admin.site.prepare.scan import Found, find_files, named_files
from admin.site.prepare.site_folder import SiteFolder
from fedaid.atomic_file import write_private
from fedaid.data.pixels.decode_pool import WORKERS
from fedaid.data.pseudonym import Pseudonyms, site_key
from fedaid.errors import InputError, require

OK, FAILED = 0, 1


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m admin prepare", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder of DICOM, PNG or JPEG files, nested")
    parser.add_argument("--reports", type=Path, help="folder of text files, or a .csv, .tsv or .jsonl")
    parser.add_argument("--preset", help=f"read a data set of another layout: {', '.join(PRESETS)}")
    parser.add_argument("--out", type=Path, required=True, help="the site's data folder, made where it is not there")
    parser.add_argument("--key", type=Path, help="the site's pseudonym key (default: OUT/private/key)")
    parser.add_argument("--image-size", type=int, default=64, help="pixels a side of the decoded images")
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes that decode")
    parser.add_argument("--max-bad-share", type=float, default=0.2, help="stop if more than this share is unusable")
    parser.add_argument("--strict", action="store_true", help="stop at the first thing that is unusable")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how the result is printed")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Prepare a site, say what came of it, and return the exit code."""
    options = parser().parse_args(arguments)
    try:
        result = prepare(options)
    except (InputError, OSError, RuntimeError) as error:
        shown = str(error) if not isinstance(error, OSError) else error.strerror or type(error).__name__
        result = {"error": shown}
    if options.format == "json":
        print(json.dumps(result))
    else:
        print("\n".join(f"{name}: {shown_value(value)}" for name, value in result.items()))
    return FAILED if "error" in result else OK


def shown_value(value: object) -> str:
    """A value of the result as a person reads it."""
    return (
        ", ".join(f"{name} {count}" for name, count in value.items()) or "-" if isinstance(value, dict) else str(value)
    )


def prepare(options: argparse.Namespace) -> dict[str, object]:
    """Prepare a site, and return the result: counts only, with "error" if there is no dataset.

    Raises:
        InputError: for a setting or a table that cannot be used.
    """
    check(options)
    site = SiteFolder(options.out.resolve(), options.image_size)
    site.make()
    with site.alone():
        names = Pseudonyms(key_of(options.key or site.private / "key", site))
        same_key(names, site)
        run = Preparation(options.images.resolve(), site, names, options.workers, track=tracked, strict=options.strict)
        stopped = ""
        try:
            run.run(*sources(options))
        except StoppedAtBad as bad:
            stopped = f"stopped at the first bad file, {bad}: {REMEDIES[str(bad)]} See quarantine.csv."
        write_quarantine(site.quarantine, run.bad)
        return finished(run, site, stopped=stopped, most=options.max_bad_share)


def key_of(file: Path, site: SiteFolder) -> bytes:
    """The site's key; a new one is drawn for a new site only.

    Raises:
        InputError: if the key of a site that was prepared before is not there, or cannot be read.
    """
    known = file.exists() or not (site.private / "files.jsonl").exists()
    where, remedy = "a site that was prepared before", "Restore it, or give another --out: a new key moves patients."
    require(known, "key file", "be there", got="none", where=where, remedy=remedy)
    return site_key(file)


def same_key(names: Pseudonyms, site: SiteFolder) -> None:
    """Leave a mark of the key at a new site, and compare it at one that was prepared before.

    Raises:
        InputError: if that was done with another key.
    """
    mark, own = site.private / "key_mark", names.study("mark of the key")
    known = mark.read_text().strip() if mark.exists() else own
    where, remedy = "a site that was prepared before", "Give the key it was prepared with, or another --out."
    require(known == own, "--key", "be the site's", got="another", where=where, remedy=remedy)
    write_private(mark, own + "\n")


def sources(options: argparse.Namespace) -> tuple[list[Found], list[Record]]:
    """The image files and the reports that the command line names."""
    if options.preset is None:
        files = list(find_files(options.images, leave_out=(options.reports, options.out)))
        return files, read_records(options.reports)
    records = imported_records(options.preset, options.images, options.reports or options.images)
    paths = dict.fromkeys(path for record in records for path, _ in record.images)
    return list(named_files(options.images, paths)), records


def finished(run: Preparation, site: SiteFolder, *, stopped: str, most: float) -> dict[str, object]:
    """Write the manifest if there is enough to write, and return the result."""
    result: dict[str, object] = {
        "studies": len(run.lines),
        "patients_unknown": run.patients_unknown,
        "labels_dropped": run.labels_dropped,
        "headers_read": run.described,
        "images_decoded": run.decoded,
        "identifiers_replaced": dict(run.scrubbed),
        "quarantined": counts(run.bad),
    }
    share = len(run.bad) / max(1, len(run.bad) + len(run.lines))
    if stopped:
        return result | {"error": stopped}
    if not run.lines:
        return result | {"error": "no study has an image and a report that can be used; see quarantine.csv"}
    if share > most:
        got = f"{share:.0%} cannot be used, more than --max-bad-share {most:.0%}"
        return result | {"error": f"{got}; see quarantine.csv; the manifest was not written"}
    site.write_manifest(run.lines)
    return result


def check(options: argparse.Namespace) -> None:
    """Raise InputError for a setting that is none."""
    where = "command line"
    require(options.images.is_dir(), "--images", "be a folder", got="none", where=where, remedy="Give an existing one.")
    if options.preset is None:
        check_reports(options, where)
    for name, least, most in (("image_size", 8, 4096), ("workers", 1, 256), ("max_bad_share", 0, 1)):
        value = getattr(options, name)
        option, rule = f"--{name.replace('_', '-')}", f"be from {least} to {most}"
        require(least <= value <= most, option, rule, got=value, where=where, remedy="Leave it out for the default.")


def check_reports(options: argparse.Namespace, where: str) -> None:
    """Raise InputError unless the reports are given, and apart from the images."""
    require(
        options.reports is not None, "--reports", "be given", got="none", where=where, remedy="Name a folder or table."
    )
    apart = not options.images.resolve().is_relative_to(options.reports.resolve())
    remedy = "Move them into two folders beside each other."
    require(apart, "--images", "not lie in the folder of reports", got="the same", where=where, remedy=remedy)


if __name__ == "__main__":
    sys.exit(main())
