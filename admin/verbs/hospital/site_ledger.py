"""Check the ledger of what left a site, and summarise it for a data protection officer.

The ledger has one line for each answer that the site sent. A line that was altered, removed or moved is found, and
so are missing lines at the end. The end is noted in the kit; --noted takes one that you have noted elsewhere. The exit
code is 1 if the ledger is not as it was written. --out gets ledger.html, a page without network, and ledger.json.

  python -m admin ledger site-1
  python -m admin ledger site-1 --out for-the-officer --noted 120:9f2c...
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder
from fedaid.errors import InputError
from fedaid.flare.store.hash_chain import Head


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ledger``."""
    parser.add_argument("kit", type=existing_folder, metavar="KIT", help="startup kit of the site")
    parser.add_argument("--out", type=Path, help="folder for ledger.html and ledger.json (default: none)")
    parser.add_argument("--noted", metavar="LINES:SHA256", help="an earlier end of the ledger, noted elsewhere")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Check the ledger, print its summary, and write the page."""
    answer.after_interrupt = "the ledger is unchanged"
    import json

    from admin.site.policy.examined_ledger import examine_ledger
    from admin.site.policy.ledger_page import ledger_page

    ledger = examine_ledger(options.kit, noted=noted_head(options.noted))
    found = ledger.summary()
    for job in found["jobs"]:
        counts = ", ".join(f"{name} {job[name]}" for name in ("updates", "metrics", "errors", "blocked", "bytes"))
        answer.add(f"{job['job']}: {counts}")
    answer.add(f"end of the ledger: {found['lines']}:{found['sha256']}", **found)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True, mode=0o700)
        page, plain = options.out / "ledger.html", options.out / "ledger.json"
        page.write_text(ledger_page(ledger, site=options.kit.resolve().name), encoding="utf-8")
        plain.write_text(json.dumps(found | {"entries": list(ledger.lines)}, indent=1) + "\n", encoding="utf-8")
        answer.add(f"written: {page} and {plain}")
    if not found["whole"]:
        raise RuntimeError(f"the ledger is not as it was written: {'; '.join(found['problems'][:5])}")
    answer.add("the ledger is as it was written")


def noted_head(text: str | None) -> Head | None:
    """Return the end of a ledger that a person has noted.

    Raises:
        InputError: the text is not a number, a colon and a sha256.
    """
    if text is None:
        return None
    lines, _, sha256 = text.partition(":")
    if not lines.isdecimal() or len(sha256) != 64:
        remedy = "Copy the line 'end of the ledger' of an earlier call."
        raise InputError("--noted", "be LINES:SHA256", got=text, where="the command line", remedy=remedy)
    return Head(int(lines), sha256)
