"""Numbers that are counted, not timed: the data catalogue's, and the doctor's on the bad hospital."""

from __future__ import annotations

from pathlib import Path

from tests.catalogue.run import run_catalogue


def catalogue_numbers(folder: Path) -> dict[str, object]:
    """Return code → how many were injected, and how many were counted."""
    folder.mkdir()
    outcome = run_catalogue(folder)
    return {"catalogue_injected": outcome.injected, "catalogue_counted": outcome.counted}


def doctor_numbers(folder: Path) -> dict[str, object]:
    """Return how many checks the doctor has, and how many of them fire on the twin's bad hospital."""
    return {}
