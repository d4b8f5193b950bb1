"""Divide one manifest into sites, by whole patients, to simulate a federation.

python -m admin partition build/data/manifest.csv --sites 5 --kind dirichlet --alpha 0.3 --out build/sites
python -m admin partition build/data/manifest.csv --restore build/sites/split.json --out build/again
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_file

KINDS = ("iid", "dirichlet", "quantity", "natural")
SETTINGS = ("kind", "sites", "alpha", "column", "seed", "least_patients")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``partition``."""
    parser.add_argument("manifest", type=existing_file, help="manifest.csv; its paths are relative to its folder")
    parser.add_argument("--out", type=Path, required=True, help="absent or empty; gets one folder for each site")
    parser.add_argument("--kind", choices=KINDS, default="iid", help="default: %(default)s")
    parser.add_argument("--sites", type=int, default=3, help="how many; unused for natural (default: %(default)s)")
    parser.add_argument(
        "--alpha", type=float, default=0.3, help="skew of dirichlet and quantity; near 0 is extreme (default: 0.3)"
    )
    parser.add_argument("--column", default="site", help="column of a natural partition (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (default: %(default)s)")
    parser.add_argument("--least-patients", type=int, default=5, help="that each site has (default: %(default)s)")
    parser.add_argument(
        "--restore", type=existing_file, metavar="SPLIT", help="write the partition of a saved split.json; draw nothing"
    )


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Write the partition, and print the sites' sizes and how far their labels differ."""
    answer.after_interrupt = "remove the incomplete --out folder before you repeat the command"
    from admin.site.partition.manifest_partition import PLOT, Division, divide, divide_again
    from admin.site.partition.site_split import FILE_NAME

    if options.restore:
        divided = divide_again(options.manifest, options.out, options.restore)
    else:
        division = Division(**{name: getattr(options, name) for name in SETTINGS})
        divided = divide(options.manifest, options.out, division)
    sizes = {site: len(lines) for site, lines in divided.split.sites.items()}
    if divided.spelt_twice:
        answer.warn(
            f"{divided.spelt_twice} patients are at several sites, written in ways that differ in case, zeros, blanks "
            "or dashes only; give each patient one spelling"
        )
    files = (options.out / FILE_NAME, options.out / PLOT)
    answer.add("\n".join(f"{site}: {size} studies" for site, size in sizes.items()), studies=sizes)
    shift = f"label shift {divided.label_shift:.3f} (0: all sites have the same mix)"
    answer.add(
        f"{shift}; {files[0]}, {files[1]}",
        label_shift=divided.label_shift,
        patients_spelt_twice=divided.spelt_twice,
        split=files[0],
        plot=files[1],
    )
