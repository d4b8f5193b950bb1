"""Write synthetic hospitals with images, reports and manifests; by default those of the demo.

python -m admin twin --out build/twin
python -m admin twin --out build/pooled --preset five --pooled
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_file
from fedaid.errors import require

if TYPE_CHECKING:
    from admin.twin.hospital import Hospital

PRESETS = ("demo", "small", "five", "population")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``twin``."""
    parser.add_argument("--out", type=Path, required=True, help="folder that gets one folder for each hospital")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other patients (default: %(default)s)")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="multiplies every hospital's number of studies (default: 1)"
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--preset", choices=PRESETS, default="demo", help="default: %(default)s")
    source.add_argument(
        "--hospitals", type=existing_file, metavar="FILE", help="YAML or JSON with the settings of each hospital"
    )
    made = parser.add_mutually_exclusive_group()
    made.add_argument("--pooled", action="store_true", help="also write one manifest of all, with a column 'site'")
    made.add_argument(
        "--export", action="store_true", help="write no manifest, but what a PACS and a report system hand over"
    )
    made.add_argument("--faults", action="store_true", help="then plant every kind of fault once in each hospital")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Write the hospitals, and print their sizes."""
    answer.after_interrupt = f"remove the incomplete folder {options.out}, then repeat the command"
    require_from(0, "--seed", options.seed)
    require_from(0, "--scale", options.scale, excluded=True)
    from admin.twin.consortia import PRESETS as KNOWN
    from admin.twin.hospital_file import read_hospitals

    chosen = read_hospitals(options.hospitals) if options.hospitals else KNOWN[options.preset]
    hospitals = [replace(site, studies=max(1, round(site.studies * options.scale))) for site in chosen]
    write(hospitals, options)
    sizes = {site.name: site.studies for site in hospitals}
    lines = [f"{name}: {studies} studies in {options.out / name}" for name, studies in sizes.items()]
    answer.add("\n".join(lines), studies=sizes)
    if options.faults:
        plant(list(sizes), options, answer)


def write(hospitals: Sequence[Hospital], options: argparse.Namespace) -> None:
    """Write the hospitals in the form that the command line asks for."""
    from admin.twin.consortium import write_consortium
    from admin.twin.export import export_consortium
    from admin.twin.population import write_population

    if options.pooled:
        write_population(options.out, hospitals=hospitals, seed=options.seed)
    elif options.export:
        export_consortium(options.out, hospitals=hospitals, seed=options.seed)
    else:
        write_consortium(options.out, hospitals=hospitals, seed=options.seed)


def plant(sites: Sequence[str], options: argparse.Namespace, answer: Answer) -> None:
    """Plant the faults that a site's manifest survives, and print how many."""
    from admin.twin.faults.planted import plant_faults

    planted = {site: plant_faults(options.out / site, seed=options.seed, whole_manifest=False) for site in sites}
    lines = [f"{site}: {sum(counts.values())} faults of {len(counts)} kinds" for site, counts in planted.items()]
    answer.add("\n".join(lines), faults=planted)


def require_from(least: float, name: str, value: float, *, excluded: bool = False) -> None:
    """Refuse a number that is too small."""
    rule = f"be above {least}" if excluded else f"be {least} or more"
    fits = value > least if excluded else value >= least
    require(fits, name, rule, got=value, where="the command line", remedy="Leave it out for the default.")
