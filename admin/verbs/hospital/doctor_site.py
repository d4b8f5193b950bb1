"""Check a site's data, or a startup kit and its machine, and say what to correct.

The data are not changed. OUT/private holds names and pictures and must not leave the site. OUT/shareable holds counts
only, and is what is printed. The exit code is 1 if a check finds an error, or if the site cannot be examined.

  python -m admin doctor site
  python -m admin doctor site --confirm 1,4-6

A folder that holds startup/ is a startup kit: of a site, the server or a person. The doctor then checks the files of
the kit, its certificate, settings and software, the way to the server, the machine, and the site's data. The kit is not
changed. The doctor of the data runs if it has not run on this manifest. The server gets one connection and no data.

  python -m admin doctor kits/hospital-north
  python -m admin doctor kits/fl-server --job build/jobs/fedaid_pretrain
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import UsageError, existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``doctor``."""
    parser.add_argument(
        "site", type=existing_folder, metavar="SITE_DIR", help="data folder with manifest.csv, or startup kit"
    )
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
    parser.add_argument(
        "--job", type=existing_folder, metavar="JOB_FOLDER", help="of a kit: compare the machine with this job's needs"
    )


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Examine the kit; or examine the site, write both outcomes, and print the shareable one."""
    answer.after_interrupt = "the data are unchanged, and the results are incomplete"
    from admin.federation.kits.startup_kit import is_kit

    if is_kit(options.site):
        examine_kit_and_print(options, answer)
    else:
        examine_data(options, answer)


def examine_kit_and_print(options: argparse.Namespace, answer: Answer) -> None:
    """Examine a startup kit."""
    from admin.site.kit.kit_examination import examine_kit, kit_has_error
    from admin.site.kit.kit_text import kit_dict, kit_text

    for name in ("out", "confirm"):
        if getattr(options, name) is not None:
            raise UsageError(f"--{name} is for a site's data, and {options.site} is a startup kit. Leave it out.")
    results = examine_kit(options.site, job=options.job)
    answer.add(kit_text(options.site, results), **kit_dict(options.site, results))
    if kit_has_error(results):
        raise RuntimeError("a check found an error in the kit or on this machine")


def examine_data(options: argparse.Namespace, answer: Answer) -> None:
    """Examine a site's data."""
    if options.job is not None:
        raise UsageError(f"--job is for a startup kit, and {options.site} holds no startup/. Leave it out.")
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
