"""Divides one manifest among sites, by patient, and writes a data folder for each site."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from admin.site.partition.partition_plot import draw_partition
from admin.site.partition.site_folders import write_site
from admin.site.partition.site_split import FILE_NAME, SiteSplit, digest_of, labels_of, read_split, write_split
from fedaid.data.partition import KINDS, label_shift, partition, require_patients
from fedaid.data.spelling import same_patients
from fedaid.data.table import Table, read_table
from fedaid.errors import closest, require

NATURAL = "natural"
ALL_KINDS = (*KINDS, NATURAL)
PLOT = "partition.png"
REQUIRED = ("study_id", "patient_id", "image")


@dataclass(frozen=True)
class Division:
    """How a manifest is divided.

    Attributes:
        kind: one of :data:`ALL_KINDS`.
        sites: number of sites; unused for "natural".
        alpha: skew of "dirichlet" and "quantity"; near 0 is extreme.
        column: the column with the site's name, for "natural".
        seed: seed of the random draw.
        least_patients: least number of patients of each site.
    """

    kind: str = "iid"
    sites: int = 3
    alpha: float = 0.3
    column: str = "site"
    seed: int = 0
    least_patients: int = 5


class Divided(NamedTuple):
    """A written partition.

    Attributes:
        split: which rows each site has.
        label_shift: how much the sites' labels differ; 0 means equal distributions.
        spelt_twice: patients at several sites that differ only in how they are written. A drawn partition has none.
    """

    split: SiteSplit
    label_shift: float
    spelt_twice: int = 0


def divide(manifest: Path, out: Path, division: Division) -> Divided:
    """Draw a partition and write it.

    Args:
        manifest: a manifest.csv; its paths are relative to its folder.
        out: an absent or empty folder for the sites' folders, the split file and a plot.
        division: how to divide.

    Raises:
        InputError: if the manifest cannot be divided in this way, or ``out`` holds files.
    """
    table = _table(manifest)
    split = drawn(division, table, digest=digest_of(manifest))
    return _written(split, table, manifest=manifest, out=out)


def divide_again(manifest: Path, out: Path, saved: Path) -> Divided:
    """Write the partition of a saved split file. See :func:`divide`."""
    table = _table(manifest)
    split = read_split(saved, manifest=manifest)
    for site in split.sites:
        _require_folder_name(site, saved.name)
    return _written(split, table, manifest=manifest, out=out)


def _written(split: SiteSplit, table: Table, *, manifest: Path, out: Path) -> Divided:
    """Write a partition, and count the patients that it separates by their spelling only."""
    label_shift = write_partition(split, table, manifest=manifest, out=out)
    first = same_patients(row.cell("patient_id") for row in table.rows)
    sites: defaultdict[str, set[str]] = defaultdict(set)
    for site, rows in split.rows(table).items():
        for row in rows:
            sites[first[row.cell("patient_id")]].add(site)
    return Divided(split, label_shift, sum(len(held) > 1 for held in sites.values()))


def drawn(division: Division, table: Table, *, digest: str) -> SiteSplit:
    """Return a new partition."""
    kind, least = division.kind, division.least_patients
    settings: dict[str, object] = {"kind": kind, "least_patients": least}
    if kind == NATURAL:
        settings |= {"column": division.column}
        names = natural_sites(table, division.column, least_patients=least)
    else:
        where = "the command line"
        require(division.seed >= 0, "--seed", "be 0 or more", got=division.seed, where=where, remedy="Try 0.")
        settings |= {"seed": division.seed, "alpha": None if kind == "iid" else division.alpha}
        first = same_patients(row.cell("patient_id") for row in table.rows)
        patients = [first[row.cell("patient_id")] for row in table.rows]
        numbers = partition(patients, label_matrix(table)[0], sites=division.sites, kind=kind,
                            alpha=division.alpha, seed=division.seed, least_patients=least)  # fmt: skip
        names = [f"site-{number + 1}" for number in numbers.tolist()]
    order = dict.fromkeys(names) if kind == NATURAL else [f"site-{n + 1}" for n in range(division.sites)]
    lines = {site: tuple(row.line for row, name in zip(table.rows, names, strict=True) if name == site)
             for site in order}  # fmt: skip
    return SiteSplit(settings, digest, lines)


def natural_sites(table: Table, column: str, *, least_patients: int) -> list[str]:
    """Return the site of each row, taken from a column.

    Raises:
        InputError: if the column is missing, a cell is not a valid folder name, or a site has too few patients.
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
    """Return which labels each row has, (N, L), and the names of the labels."""
    given = [set(labels_of(row)) for row in table.rows]
    names = sorted(set().union(*given))
    return np.array([[name in labels for name in names] for labels in given], dtype=bool), names


def write_partition(split: SiteSplit, table: Table, *, manifest: Path, out: Path) -> float:
    """Write the sites' folders, the split file and the plot; return how much the sites' labels differ."""
    empty = not out.exists() or (out.is_dir() and not any(out.iterdir()))
    require(empty, "--out", "be absent or an empty folder", got="files", where=str(out), remedy="Give another folder.")
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
    """Return the manifest, after checking that it has the required columns and a patient in every row."""
    table = read_table(manifest)
    missing = [column for column in REQUIRED if column not in table.columns]
    rule, got, remedy = f"have {', '.join(REQUIRED)}", f"no {', '.join(missing)}", "See docs/data.md."
    require(not missing, "manifest", rule, got=got, where=table.name, remedy=remedy)
    for row in table.rows:
        given, where = bool(row.cell("patient_id")), f"{table.name}, line {row.line}"
        require(given, "patient_id", "be given in every row", got="an empty cell", where=where, remedy="Fill it in.")
    return table


def _require_folder_name(site: str, where: str) -> None:
    """Raise unless a site's name is a valid folder name."""
    fits = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", site) is not None and site not in (FILE_NAME, PLOT)
    rule = "be letters, digits, points, hyphens and underscores"
    require(fits, "site", rule, got="other characters", where=where, remedy="Rename the site.")
