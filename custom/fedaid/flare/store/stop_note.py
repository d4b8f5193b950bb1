"""Why a job stopped before its end: ``stop.json`` in the job's folder, which the person who runs the job downloads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fedaid.atomic_file import replace_text
from fedaid.errors import InputError, NotYet
from fedaid.sealed_folder import NothingWhole

STOP = "stop.json"  # in the folder app_server of a job
INPUT = "input"  # a setting of the job or a file at the server must be mended
SITE_INPUT = "site-input"  # so many sites need a person that there can be no quorum
NOT_YET = "not-yet"  # a site is away, or another job holds the run
STORAGE = "storage"  # a file of the server cannot be written, or is damaged
ANSWERS = "answers"  # too few sites answered
CODES = (INPUT, SITE_INPUT, NOT_YET, STORAGE, ANSWERS)
LASTING = (INPUT, SITE_INPUT)  # another job of the run would stop in the same way


@dataclass(frozen=True)
class StopNote:
    """Why a job stopped.

    Attributes:
        code: one of :data:`CODES`.
        text: the message, as it is in the log.
        sites: site → what a person must mend there, or that it is away.

    Raises:
        ValueError: for another code, or a field of another type.
    """

    code: str
    text: str
    sites: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        texts = isinstance(self.text, str) and isinstance(self.sites, Mapping)
        if self.code not in CODES or not texts:
            raise ValueError("a stop must have a known code, a text and sites")


def stop_note(error: Exception, *, invalid: Mapping[str, str], spare: int) -> StopNote:
    """Why a job stops with this error.

    Args:
        error: what stops it.
        invalid: site → its error, for the sites whose task would fail again until a person mends something.
        spare: number of sites that the run can do without.
    """
    if isinstance(error, NotYet):
        return StopNote(NOT_YET, str(error), dict.fromkeys(error.sites, "not connected"))
    if isinstance(error, (InputError, NothingWhole)):
        return StopNote(INPUT, str(error))
    if isinstance(error, OSError):
        return StopNote(STORAGE, str(error))
    return StopNote(SITE_INPUT if len(invalid) > spare else ANSWERS, str(error), dict(invalid))


def write_stop(app: Path, note: StopNote) -> None:
    """Writes ``stop.json`` durably; the first reason of a job counts, since later ones follow from it."""
    if not (app / STOP).exists():
        replace_text(app / STOP, json.dumps(asdict(note), indent=1, sort_keys=True))


def read_stop(app: Path) -> StopNote | None:
    """The note in a job's folder; None without one, or if it is not as it was written."""
    try:
        return StopNote(**json.loads((app / STOP).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
