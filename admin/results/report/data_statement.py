"""The data of each site as counts; small counts are hidden."""

from __future__ import annotations

from typing import Any

from admin.results.report.run_files import RunFiles

LEAST = 5
"""The smallest count that is reported."""


def at_least(count: float) -> str:
    """Return a count as the page shows it, small ones as ``<5``."""
    return f"<{LEAST}" if 0 < count < LEAST else f"{count:.0f}"


def data_statement(files: RunFiles) -> list[dict[str, Any]]:
    """Return one row per site: training pairs, studies of the other splits, and skipped studies by reason.

    The pairs are null if the site never sent an update; a split is null if no model was measured on it.
    """
    validated = files.results["best"]
    return [
        {
            "site": site,
            "train": shown(files.results["pairs"].get(site)),
            **{split: shown(validated.get(site, {}).get(split, {}).get("studies")) for split in ("valid", "test")},
            "skipped": {why: at_least(count) for why, count in sorted(skipped_at(files, site).items())},
        }
        for site in files.sites
    ]


def skipped_at(files: RunFiles, site: str) -> dict[str, int]:
    """Return reason → number of studies that a site could not use."""
    found: dict[str, int] = files.results.get("skipped", {}).get(site, {})
    return found


def shown(count: float | None) -> str | None:
    """Return a count as the page shows it, or None."""
    return None if count is None else at_least(count)
