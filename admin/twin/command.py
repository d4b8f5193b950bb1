"""``python -m admin twin --out DIR``: write a consortium of synthetic hospitals; without more, the demonstration's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from admin.twin.consortia import PRESETS
from admin.twin.consortium import write_consortium
from admin.twin.export import export_consortium
from admin.twin.faults.planted import plant_faults
from admin.twin.hospital import Hospital
from admin.twin.hospital_file import read_hospitals
from admin.twin.population import write_population
from fedaid.errors import InputError, require


def main(arguments: list[str] | None = None) -> None:
    """Write the hospitals that the command line names, where it says."""
    options = _options(arguments)
    require(options.scale > 0, "--scale", "be above 0", got=options.scale, where="command line", remedy="Try 0.1.")
    require(options.seed >= 0, "--seed", "be 0 or more", got=options.seed, where="command line", remedy="Try 0.")
    chosen = read_hospitals(options.hospitals) if options.hospitals else PRESETS[options.preset]
    hospitals = [replace(site, studies=max(1, round(site.studies * options.scale))) for site in chosen]
    if options.pooled:
        write_population(options.out, hospitals=hospitals, seed=options.seed)
    elif options.export:
        export_consortium(options.out, hospitals=hospitals, seed=options.seed)
    else:
        write_consortium(options.out, hospitals=hospitals, seed=options.seed)
    for site in hospitals:
        print(f"{site.name}: {site.studies} studies in {options.out / site.name}")
    if options.faults:
        _spoil(options.out, hospitals, seed=options.seed)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m admin twin", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write; one folder a hospital inside it")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other patients")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of studies of every hospital")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--preset", choices=list(PRESETS), default="demo", help="default: %(default)s")
    source.add_argument("--hospitals", type=Path, metavar="FILE", help="YAML or JSON with the dials of each hospital")
    made = parser.add_mutually_exclusive_group()
    made.add_argument("--pooled", action="store_true", help="also write one manifest over all, with a column 'site'")
    made.add_argument("--export", action="store_true", help="no manifest: what a PACS and a report system hand over")
    made.add_argument("--faults", action="store_true", help="then plant every kind of fault, once, in each hospital")
    return parser.parse_args(arguments)


def _spoil(folder: Path, hospitals: Sequence[Hospital], *, seed: int) -> None:
    """Plant the faults of which a site's manifest survives, and say how many."""
    for site in hospitals:
        counts = plant_faults(folder / site.name, seed=seed, whole_manifest=False)
        print(f"{site.name}: {sum(counts.values())} faults of {len(counts)} kinds")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
