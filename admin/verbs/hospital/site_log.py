"""Write the redacted log of one job into a file, for the hospital to read and then to send to the lead.

  python -m admin log KIT JOB_ID --out job-log.txt

KIT is the startup kit of the site. Only lines of a list are copied: messages without names, levels and times, and of a
failure the type of the exception and the places in the code, without values. Everything else is left out and counted.
Nothing is sent. Read the file before you send it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``log``."""
    parser.add_argument("kit", type=existing_folder, metavar="KIT", help="startup kit of the site")
    parser.add_argument("job_id", metavar="JOB_ID", help="number of the job, which the lead names")
    parser.add_argument("--out", type=Path, default=Path("job-log.txt"), help="file to write (default: %(default)s)")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Write the redacted log, and print how much was left out."""
    answer.after_interrupt = "the log is unchanged, and nothing was sent"
    from admin.site.kit.redacted_log import Redaction, lines_of_job
    from fedaid.errors import require
    from fedaid.version import VERSION

    remedy = "Choose another --out, or remove the file."
    require(not options.out.exists(), "--out", "not exist", got="a file", where=str(options.out), remedy=remedy)
    redaction = Redaction(lines_of_job(options.kit, options.job_id))
    written = list(redaction)
    left = ", ".join(f"{count} {level}" for level, count in sorted(redaction.left_out.items())) or "none"
    head = f"FedAID {VERSION}, redacted log of job {options.job_id}; lines left out: {left}"
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.touch(mode=0o600)
    options.out.write_text("\n".join([head, *written]) + "\n", encoding="utf-8")
    counts = {"lines": len(written), "left_out": dict(redaction.left_out)}
    text = f"{options.out}: {len(written)} lines; left out: {left}. Nothing was sent: read it before you send it"
    answer.add(text, file=options.out, **counts)
