"""Make a site's dataset from its images and reports. Nothing leaves the site.

A second run does only what is new. A run that was interrupted continues with the same command. Unusable files are
listed in OUT/quarantine.csv with a code and a remedy. The exit code is 0 if the dataset was written, else 1.

  python -m admin prepare --images export/images --reports export/reports --out site
  python -m admin prepare --images images --reports reports.csv --out site --column accession=Nr
  python -m admin prepare --preset openi --images openi/images --reports openi/reports --out site
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_file, existing_folder, existing_path

PRESETS = ("cxr-clip", "manifest", "mimic-cxr-jpg", "open-clip", "openi")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``prepare``."""
    parser.add_argument(
        "--images", type=existing_folder, required=True, help="folder of DICOM, PNG or JPEG files, nested"
    )
    parser.add_argument("--reports", type=existing_path, help="folder of text files, or a table (CSV, TSV, JSONL)")
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="ROLE=NAME",
        help="name a column of the table, once a role: accession, study, image, patient, report, findings, impression, "
        "path, sex, age, labels, split",
    )
    parser.add_argument("--encoding", default="", help="of the table, such as cp1252 (default: found from its bytes)")
    parser.add_argument(
        "--match-without-leading-zeros",
        action="store_true",
        help="match accession numbers and patients that differ in leading zeros only",
    )
    parser.add_argument("--preset", choices=PRESETS, help="read a public data set or another project's table")
    parser.add_argument("--out", type=Path, required=True, help="the site's data folder; made if absent")
    parser.add_argument("--key", type=existing_file, help="the site's pseudonym key (default: OUT/private/key)")
    parser.add_argument("--image-size", type=int, default=64, help="pixels a side of the decoded images (default: 64)")
    parser.add_argument("--workers", type=int, help="processes that decode (default: 2, or 1 on one core)")
    parser.add_argument(
        "--max-bad-share", type=float, default=0.2, help="stop above this share of unusable files (default: 0.2)"
    )
    parser.add_argument(
        "--letters",
        choices=("quick", "ocr", "off"),
        default="ocr",
        help="look for names in the pictures: read letters (default), a screen that cannot read, or nobody looks",
    )
    parser.add_argument(
        "--quarantine-letters", action="store_true", help="leave out pictures with letters that may be a name"
    )
    parser.add_argument("--strict", action="store_true", help="stop at the first unusable file")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Prepare the site, and print how many studies were found, decoded and left out."""
    answer.after_interrupt = "finished files are kept, and the same command continues"
    from admin.site.prepare.site_dataset import Export, prepare
    from fedaid.data.pixels.decode_pool import WORKERS

    names = (
        "images",
        "out",
        "reports",
        "preset",
        "key",
        "image_size",
        "max_bad_share",
        "strict",
        "encoding",
        "letters",
    )
    given = {name: getattr(options, name) for name in (*names, "match_without_leading_zeros", "quarantine_letters")}
    given["columns"] = tuple(options.column)
    result = prepare(Export(**given, workers=WORKERS if options.workers is None else options.workers))
    error = result.pop("error", "")
    answer.add("\n".join(f"{name}: {shown_value(value)}" for name, value in result.items()), **result)
    if error:
        raise RuntimeError(error)
    if "hints" in result:
        answer.warn(result["hints"])


def shown_value(value: object) -> str:
    """Return a value of the result as a person reads it."""
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{name} {count}" for name, count in value.items()) or "-"
