"""Divide one manifest among sites, by whole patients, to simulate a federation.

python -m admin partition build/data/manifest.csv --sites 5 --kind dirichlet --alpha 0.3 --out build/sites
python -m admin partition build/data/manifest.csv --restore build/sites/split.json --out build/again
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from admin.site.partition.partition_plot import draw_partition
from admin.site.partition.site_folders import write_site
from admin.site.partition.site_split import FILE_NAME, SiteSplit, digest_of, labels_of, read_split, write_split
from fedaid.data.partition import KINDS, label_shift, partition, require_patients
from fedaid.data.table import Table, read_table
from fedaid.errors import InputError, closest, require

NATURAL = "natural"
PLOT = "partition.png"
REQUIRED = ("study_id", "patient_id", "image")


def main(arguments: Sequence[str] | None = None) -> int:
    """Partition a manifest and return the exit code: 0 done, 1 refused."""
    options = _options(arguments)
    try:
        table = _table(options.manifest)
        split = restored(options) if options.restore else made(options, table)
        shift = write_partition(split, table, manifest=options.manifest, out=options.out)
    except (InputError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for site, lines in split.sites.items():
        print(f"{site}: {len(lines)} studies")
    print(f"label shift {shift:.3f} (0: all sites have the same mix); {options.out / FILE_NAME}, {options.out / PLOT}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m admin partition", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("manifest", type=Path, help="manifest.csv, its paths relative to its folder")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, absent or empty; one folder a site")
    parser.add_argument("--kind", choices=[*KINDS, NATURAL], default="iid", help="default: %(default)s")
    parser.add_argument("--sites", type=int, default=3, help="how many; default: %(default)s; not for natural")
    parser.add_argument("--alpha", type=float, default=0.3, help="skew of dirichlet and quantity; near 0 is extreme")
    parser.add_argument("--column", default="site", help="column of a natural partition; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--least-patients", type=int, default=5, help="that each site has; default: %(default)s")
    parser.add_argument("--restore", type=Path, metavar="SPLIT", help="a saved split.json; then nothing is drawn")
    return parser.parse_args(arguments)


def made(options: argparse.Namespace, table: Table) -> SiteSplit:
    """A new partition as the command line asks for."""
    settings: dict[str, object] = {"kind": options.kind, "least_patients": options.least_patients}
    patients = [row.cell("patient_id") for row in table.rows]
    if options.kind == NATURAL:
        settings |= {"column": options.column}
        names = natural_sites(table, options.column, least_patients=options.least_patients)
    else:
        seeded, least = options.seed >= 0, options.least_patients
        require(seeded, "--seed", "be 0 or more", got=options.seed, where="command line", remedy="Try 0.")
        settings |= {"seed": options.seed, "alpha": None if options.kind == "iid" else options.alpha}
        numbers = partition(patients, label_matrix(table)[0], sites=options.sites, kind=options.kind,
                            alpha=options.alpha, seed=options.seed, least_patients=least)  # fmt: skip
        names = [f"site-{number + 1}" for number in numbers.tolist()]
    order = dict.fromkeys(names) if options.kind == NATURAL else [f"site-{n + 1}" for n in range(options.sites)]
    lines = {site: tuple(row.line for row, name in zip(table.rows, names, strict=True) if name == site)
             for site in order}  # fmt: skip
    return SiteSplit(settings, digest_of(options.manifest), lines)


def restored(options: argparse.Namespace) -> SiteSplit:
    """The partition of a saved file."""
    split = read_split(options.restore, manifest=options.manifest)
    for site in split.sites:
        _require_folder_name(site, options.restore.name)
    return split


def natural_sites(table: Table, column: str, *, least_patients: int) -> list[str]:
    """The site of each row by a column.

    Raises:
        InputError: if there is no such column, a cell is no folder's name, or a site has too few patients.
    """
    known = list(table.columns)
    require(column in known, "--column", "be a column", got=column, where=table.name, remedy=closest(column, known))
    home: dict[str, str] = {}
    for row in table.rows:
        _require_folder_name(row.cell(column), f"{table.name}, line {row.line}")
        same = home.setdefault(row.cell("patient_id"), row.cell(column)) == row.cell(column)
        where, remedy = f"{table.name}, line {row.line}", "Give the two a patient_id each, or correct the site."
        require(same, "patient", "be at one site", got="a patient at two", where=where, remedy=remedy)
    for site in sorted(set(home.values())):
        require_patients(list(home.values()).count(site), sites=1, least_patients=least_patients)
    return [row.cell(column) for row in table.rows]


def label_matrix(table: Table) -> tuple[NDArray[np.bool_], list[str]]:
    """(N, L) which labels each row has, and the names of the labels that occur."""
    given = [set(labels_of(row)) for row in table.rows]
    names = sorted(set().union(*given))
    return np.array([[name in labels for name in names] for labels in given], dtype=bool), names


def write_partition(split: SiteSplit, table: Table, *, manifest: Path, out: Path) -> float:
    """Write the sites' folders, the split file and the plot; return how far the sites' labels differ."""
    empty = not out.exists() or (out.is_dir() and not any(out.iterdir()))
    require(empty, "--out", "be absent or an empty folder", got="another", where=str(out), remedy="Give another one.")
    matrix, names = label_matrix(table)
    rows = split.rows(table)
    for site, held in rows.items():
        write_site(out / site, held, table=table, root=manifest.parent)
    write_split(split, out / FILE_NAME, table=table)
    at = {line: number for number, lines in enumerate(split.sites.values()) for line in lines}
    sites = np.array([at[row.line] for row in table.rows])
    counts = {site: np.append(matrix[sites == n].sum(axis=0), (sites == n).sum()) for n, site in enumerate(rows)}
    title = ", ".join(f"{name} {value}" for name, value in split.settings.items() if value is not None)
    draw_partition(counts, names, title=title, file=out / PLOT)
    return label_shift(sites, matrix)


def _table(manifest: Path) -> Table:
    """The manifest's rows, with what a partition needs of them."""
    table = read_table(manifest)
    missing = [column for column in REQUIRED if column not in table.columns]
    remedy = "See docs/data.md."
    require(not missing, "manifest", f"have {', '.join(REQUIRED)}", got="not all", where=table.name, remedy=remedy)
    for row in table.rows:
        given, where = bool(row.cell("patient_id")), f"{table.name}, line {row.line}"
        require(given, "patient_id", "be given in every row", got="an empty cell", where=where, remedy="Fill it in.")
    return table


def _require_folder_name(site: str, where: str) -> None:
    """Raise unless a site's name can be a folder's."""
    fits = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", site) is not None and site not in (FILE_NAME, PLOT)
    rule = "be letters, digits, points, hyphens and underscores"
    require(fits, "site", rule, got="another name", where=where, remedy="Rename the site.")


if __name__ == "__main__":
    sys.exit(main())
