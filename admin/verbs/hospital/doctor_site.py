"""Check a site's images, reports and manifest, and say what to correct.

The data are not changed. OUT/private holds names and pictures and must not leave the site. OUT/shareable holds counts
only, and is what is printed. The exit code is 1 if a check finds an error, or if the site cannot be examined.

  python -m admin doctor site
  python -m admin doctor site --confirm 1,4-6
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``doctor``."""
    parser.add_argument("site", type=existing_folder, metavar="SITE_DIR", help="data folder with manifest.csv")
    parser.add_argument("--out", type=Path, help="folder of the results (default: SITE_DIR/doctor)")
    parser.add_argument("--least-cell", type=int, default=5, help="smaller counts are not shared (default: 5)")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the draw of the studies on the private page (default: 0)"
    )
    parser.add_argument(
        "--confirm",
        metavar="NUMBERS",
        help="of phrases on the last private page: add them to SITE_DIR/private/deny_list.txt, which prepare removes",
    )


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Examine the site, write both outcomes, and print the shareable one."""
    answer.after_interrupt = "the data are unchanged, and the results are incomplete"
    from admin.site.doctor.examined_site import examine_site
    from admin.site.doctor.plain_text import as_dict, as_text

    out = options.out or options.site / "doctor"
    if options.confirm is not None:
        from admin.site.doctor.phrases.confirmation import confirm

        added = confirm(options.site, out, options.confirm)
        answer.add(f"{added} phrases added to private/deny_list.txt. Run prepare again.", phrases_added=added)
        return
    outcome, ill = examine_site(options.site, out, least_cell=options.least_cell, seed=options.seed)
    answer.add(as_text(outcome).rstrip("\n"), **as_dict(outcome))
    answer.add("\nWhich studies: private/doctor.html of the output folder.")
    if ill:
        raise RuntimeError("a check found an error in the data; private/doctor.html names the studies")
