"""Saves which rows of a manifest belong to which site, so that the same partition can be made again.

The file names rows by their line in the manifest, never by an identifier. It holds the manifest's SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fedaid.data.table import Row, Table, divided_labels
from fedaid.errors import InputError, require

FORMAT = 1
FILE_NAME = "split.json"


@dataclass(frozen=True)
class SiteSplit:
    """A partition of one manifest.

    Attributes:
        settings: kind, seed, alpha, column.
        digest: SHA-256 of the manifest's bytes.
        sites: site → lines of the manifest, ascending.
    """

    settings: Mapping[str, Any]
    digest: str
    sites: Mapping[str, tuple[int, ...]]

    def rows(self, table: Table) -> dict[str, list[Row]]:
        """Return the rows of each site.

        Raises:
            InputError: unless every row of the table belongs to exactly one site.
        """
        by_line = {row.line: row for row in table.rows}
        lines = [line for held in self.sites.values() for line in held]
        complete = sorted(lines) == sorted(by_line)
        rule, remedy = "place every row of the manifest once", "Make the partition again."
        require(complete, FILE_NAME, rule, got=f"{len(lines)} lines", where=table.name, remedy=remedy)
        return {site: [by_line[line] for line in held] for site, held in self.sites.items()}


def digest_of(manifest: Path) -> str:
    """Return the SHA-256 of a manifest."""
    return hashlib.sha256(manifest.read_bytes()).hexdigest()


def labels_of(row: Row) -> list[str]:
    """Return the labels of a row that are not uncertain."""
    return list(divided_labels(row.cell("labels"))[0])


def write_split(split: SiteSplit, file: Path, *, table: Table) -> None:
    """Write a partition. For the reader it also has each site's numbers of studies, patients and labels."""
    sites = {
        site: {
            "studies": len(rows),
            "patients": len({row.cell("patient_id") for row in rows}),
            "labels": dict(sorted(Counter(label for row in rows for label in labels_of(row)).items())),
            "lines": list(split.sites[site]),
        }
        for site, rows in split.rows(table).items()
    }
    content = {"format": FORMAT, **split.settings, "manifest_sha256": split.digest, "sites": sites}
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")


def read_split(file: Path, *, manifest: Path) -> SiteSplit:
    """Return the saved partition of a manifest.

    Raises:
        InputError: if the file is not a saved partition, or the manifest is different.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        sites = {str(site): tuple(int(line) for line in held["lines"]) for site, held in content["sites"].items()}
        digest, form = str(content["manifest_sha256"]), content["format"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        got, remedy = type(error).__name__, "Give a file that python -m admin partition wrote."
        raise InputError("split file", "be a saved partition", got=got, where=file.name, remedy=remedy) from None
    require(form == FORMAT, "format", f"be {FORMAT}", got=form, where=file.name, remedy="Make the partition again.")
    rule, remedy = "be the one that the split was made from", "Make a new partition of this manifest."
    require(digest == digest_of(manifest), "manifest", rule, got="a different file", where=file.name, remedy=remedy)
    others = ("format", "manifest_sha256", "sites")
    return SiteSplit({name: value for name, value in content.items() if name not in others}, digest, sites)
