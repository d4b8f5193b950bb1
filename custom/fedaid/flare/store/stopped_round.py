"""What sites missed in a round that stopped, kept beside the rounds: such a round is never committed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fedaid.atomic_file import flush
from fedaid.flare.store.missed_phases import ABSENT, MISSED, RETRIES
from fedaid.sealed_folder import damage, seal

STOPPED, ABSENCES = "stopped", "absences.json"  # a folder of the run store, and its file


def keep_absences(store: Path, round_number: int, absences: Mapping[str, Any]) -> None:
    """Writes who was missing in the run durably; on a full disk only the log and ``stop.json`` have it.

    Args:
        store: folder of the run.
        round_number: of the round that stopped, from 0.
        absences: all of the run so far, plain JSON.
    """
    unfinished = store / f".{STOPPED}.unfinished"
    with suppress(OSError):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        text = json.dumps({**absences, "round": round_number}, indent=1, sort_keys=True)
        (unfinished / ABSENCES).write_text(text, encoding="utf-8")
        seal(unfinished)
        shutil.rmtree(store / STOPPED, ignore_errors=True)
        unfinished.rename(store / STOPPED)
        flush(store)


def kept_absences(store: Path, committed: int) -> dict[str, Any]:
    """Who was missing until the last stop; empty if the committed rounds have it, or without a stop.

    Args:
        store: folder of the run.
        committed: number of rounds that the job continues from.
    """
    folder = store / STOPPED
    if not folder.exists() or damage(folder):
        return {}
    found = json.loads((folder / ABSENCES).read_text(encoding="utf-8"))
    return (
        {name: found[name] for name in (MISSED, RETRIES, ABSENT) if name in found}
        if found["round"] >= committed
        else {}
    )
