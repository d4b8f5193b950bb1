"""What each site brought: counts only, and small ones not told."""

from __future__ import annotations

from typing import Any

from admin.results.report.run_files import RunFiles

LEAST = 5


def at_least(count: float) -> str:
    """A count as the page tells it: small ones as ``<5``, others as they are."""
    return f"<{LEAST}" if 0 < count < LEAST else f"{count:.0f}"


def data_statement(files: RunFiles) -> list[dict[str, Any]]:
    """One row a site: training pairs, studies of the other splits, and how many studies were skipped for what reason.

    A site that never gave an update told no pairs; a split that was not validated has null.
    """
    validated = files.results["best"]
    return [
        {
            "site": site,
            "train": told(files.results["pairs"].get(site)),
            **{split: told(validated.get(site, {}).get(split, {}).get("studies")) for split in ("valid", "test")},
            "skipped": {why: at_least(count) for why, count in sorted(skipped_at(files, site).items())},
        }
        for site in files.sites
    ]


def skipped_at(files: RunFiles, site: str) -> dict[str, int]:
    """Reason → number of studies that a site could not use."""
    found: dict[str, int] = files.results.get("skipped", {}).get(site, {})
    return found


def told(count: float | None) -> str | None:
    """A count as the page tells it, or None."""
    return None if count is None else at_least(count)
