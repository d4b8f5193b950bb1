"""Examines a site, and writes what was found in two forms: private to the site, and shareable.

The data are not changed. ``<out>/private`` holds names and pictures and must not leave the site; ``<out>/shareable``
holds counts only.
"""

from __future__ import annotations

from pathlib import Path

from admin.site.doctor.collection import SEED, collect
from admin.site.doctor.doctor_page import private_page, shareable_page
from admin.site.doctor.examination import examine, has_error
from admin.site.doctor.outcome import Outcome, private_outcome, shareable_outcome
from admin.site.doctor.plain_text import as_json, as_text
from admin.site.prepare.display import tracked
from fedaid.atomic_file import write_private
from fedaid.errors import require

LEAST_CELL = 5


def examine_site(site: Path, out: Path, *, least_cell: int = LEAST_CELL, seed: int = SEED) -> tuple[Outcome, bool]:
    """Examine a site, write both outcomes, and return the shareable one and whether an error was found.

    Args:
        site: a data root with its manifest.
        out: folder of the results; made if absent.
        least_cell: smaller counts are not shared.
        seed: of the draw of the studies that the private page shows.

    Raises:
        InputError: if there is no manifest, or a setting cannot be used.
    """
    where, remedy = "the command line", "Leave it out for the default."
    require(1 <= least_cell <= 1000, "--least-cell", "be from 1 to 1000", got=least_cell, where=where, remedy=remedy)
    for folder, mode in ((out / "private", 0o700), (out / "shareable", 0o755)):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
    collected = collect(site, out / "private", track=tracked, seed=seed)
    results = examine(collected.evidence)
    private = private_outcome(collected.evidence, results, least=least_cell)
    shareable = shareable_outcome(collected.evidence, results, least=least_cell)
    _write(out / "private", private, private_page(private, collected))
    _write(out / "shareable", shareable, shareable_page(shareable))
    return shareable, has_error(results)


def _write(folder: Path, outcome: Outcome, page: str) -> None:
    """Put the three forms of an outcome in place, readable by their owner only."""
    for name, text in (("html", page), ("txt", as_text(outcome)), ("json", as_json(outcome))):
        write_private(folder / f"doctor.{name}", text)
