"""``python -m admin.twin --out DIR``: write the demonstration consortium."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from fedaid.errors import require


def main(arguments: list[str] | None = None) -> None:
    """Write the demonstration consortium where the command line says."""
    parser = argparse.ArgumentParser(prog="python -m admin.twin", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write; one folder a hospital inside it")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other patients")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of studies of every hospital")
    options = parser.parse_args(arguments)
    require(options.scale > 0, "--scale", "be above 0", got=options.scale, where="command line", remedy="Try 0.1.")
    require(options.seed >= 0, "--seed", "be 0 or more", got=options.seed, where="command line", remedy="Try 0.")
    hospitals = [replace(site, studies=max(1, round(site.studies * options.scale))) for site in DEMO_HOSPITALS]
    write_consortium(options.out, hospitals=hospitals, seed=options.seed)
    for site in hospitals:
        print(f"{site.name}: {site.studies} studies in {options.out / site.name}")


if __name__ == "__main__":
    main()
