"""``python -m admin doctor SITE_DIR``: what is wrong with a site's images, reports and manifest, and what to do.

It changes nothing of the data. OUT/private holds names and pictures and must not leave the site; OUT/shareable holds
counts only. The exit code is 0 without an error among the findings, 1 with one, and 2 if the doctor could not work.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from admin.site.doctor.collection import SEED, Collected, collect
from admin.site.doctor.doctor_page import private_page, shareable_page
from admin.site.doctor.examination import Result, examine, has_error
from admin.site.doctor.outcome import Outcome, private_outcome, shareable_outcome
from admin.site.doctor.plain_text import as_dict, as_json, as_text
from admin.site.prepare.display import tracked
from fedaid.atomic_file import write_private
from fedaid.errors import InputError, require

HEALTHY, ILL, FAILED = 0, 1, 2
LEAST_CELL = 5


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m admin doctor", description=__doc__)
    parser.add_argument("site", type=Path, metavar="SITE_DIR", help="data root with manifest.csv, prepared or your own")
    parser.add_argument("--out", type=Path, help="where the results go (default: SITE_DIR/doctor)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how the shareable one is printed")
    parser.add_argument("--least-cell", type=int, default=LEAST_CELL, help="counts below it are not shared")
    parser.add_argument("--seed", type=int, default=SEED, help="of the draw of the studies shown in the private page")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Examine a site, write both results, print the shareable one, and return the exit code."""
    options = parser().parse_args(arguments)
    out = options.out or options.site / "doctor"
    try:
        remedy = "Leave it out for the default."
        sound = 1 <= options.least_cell <= 1000
        rule = "be from 1 to 1000"
        require(sound, "--least-cell", rule, got=options.least_cell, where="command line", remedy=remedy)
        collected, results = _examined(options.site, out, seed=options.seed)
    except (InputError, OSError, RuntimeError) as error:
        shown = error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
        print(json.dumps({"error": shown}) if options.format == "json" else f"error: {shown}")
        return FAILED
    private = private_outcome(collected.evidence, results, least=options.least_cell)
    shareable = shareable_outcome(collected.evidence, results, least=options.least_cell)
    _write(out / "private", private, private_page(private, collected))
    _write(out / "shareable", shareable, shareable_page(shareable))
    if options.format == "json":
        print(json.dumps(as_dict(shareable)))
    else:
        print(as_text(shareable), end="")
        print("\nWhich studies: private/doctor.html of the output folder.")
    return ILL if has_error(results) else HEALTHY


def _examined(site: Path, out: Path, *, seed: int) -> tuple[Collected, tuple[Result, ...]]:
    """What there is to see of a site, and what the checks find."""
    require(site.is_dir(), "SITE_DIR", "be a folder", got="none", where="command line", remedy="Give an existing one.")
    for folder, mode in ((out / "private", 0o700), (out / "shareable", 0o755)):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
    collected = collect(site, out / "private", track=tracked, seed=seed)
    return collected, examine(collected.evidence)


def _write(folder: Path, outcome: Outcome, page: str) -> None:
    """Put the three forms of an outcome in place, readable by their owner only."""
    for name, text in (("html", page), ("txt", as_text(outcome)), ("json", as_json(outcome))):
        write_private(folder / f"doctor.{name}", text)


if __name__ == "__main__":
    sys.exit(main())
