"""Numbers that are counted, not timed: the data catalogue's, and the doctor's on the bad hospital."""

from __future__ import annotations

from pathlib import Path

from admin.site.doctor.examination import CHECKS
from tests.admin.site.doctor.bad_hospitals import fired_on_bad_hospitals
from tests.catalogue.canaries import canary_hits
from tests.catalogue.run import run_catalogue
from tests.catalogue.wrong_pairs import wrong_pairs

SEED = 7


def catalogue_numbers(folder: Path) -> dict[str, object]:
    """Return code → how many were injected and counted, wrong pairs, and canaries found; no pair made is none right."""
    places = [folder / name for name in ("catalogue", "pairs", "canaries")]
    for place in places:
        place.mkdir(parents=True)
    outcome = run_catalogue(places[0])
    pairs = wrong_pairs(places[1], seed=SEED).values()
    return {
        "catalogue_injected": outcome.injected,
        "catalogue_counted": outcome.counted,
        "wrong_pairs": sum(one.wrong for one in pairs) if all(one.made for one in pairs) else None,
        "pairs_made": sum(one.made for one in pairs),
        "canary_hits": len(canary_hits(places[2])),
    }


def doctor_numbers(folder: Path) -> dict[str, object]:
    """Return how many checks the doctor has, and how many of them fire on the bad hospital and the bad practice."""
    found = fired_on_bad_hospitals(folder, seed=SEED)
    fired = found.hospital | found.practice
    silent = [check.name for check in CHECKS if check.name not in fired]
    return {"doctor_checks": len(CHECKS), "doctor_fired": len(fired), "doctor_silent": silent}
