"""The record of a federation in its workspace: where the kits are, and which processes were started."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self
from uuid import uuid4

from admin.federation.kit_process import KitProcess
from fedaid.atomic_file import replacing
from fedaid.errors import InputError

FILE = "federation.json"


@dataclass(frozen=True)
class Record:
    """Kits and processes of one federation; the environment of each of its processes carries ``mark``."""

    mark: str
    kits: Path
    server: str
    project_admin: str
    lead: str
    sites: tuple[str, ...]
    processes: tuple[KitProcess, ...] = ()

    @property
    def server_kit(self) -> Path:
        """The server's kit."""
        return self.kits / self.server

    @property
    def admin_kit(self) -> Path:
        """The project admin's kit."""
        return self.kits / self.project_admin

    @property
    def lead_kit(self) -> Path:
        """The lead's kit."""
        return self.kits / self.lead

    def with_processes(self, processes: Iterable[KitProcess]) -> Self:
        """Return this record with its processes replaced."""
        return replace(self, processes=tuple(processes))


def new_mark() -> str:
    """Return a unique mark for a federation."""
    return uuid4().hex


def write_record(workspace: Path, record: Record) -> None:
    """Write the record atomically: a reader sees the old or the new one."""
    with replacing(workspace / FILE) as draft:
        draft.write_text(json.dumps(asdict(record), default=str, indent=2), encoding="utf-8")


def read_record(workspace: Path) -> Record | None:
    """Return the record of ``workspace``, or None if the file is absent.

    Raises:
        InputError: the file exists but is not a valid record.
    """
    file = workspace / FILE
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        processes = tuple(KitProcess(**process) for process in content.pop("processes"))
        kits, sites = Path(content.pop("kits")), tuple(content.pop("sites"))
        return Record(**content, kits=kits, sites=sites, processes=processes)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            FILE,
            "be as this project wrote it",
            got=type(error).__name__,
            where=str(file),
            remedy="End its processes by hand if any are left, and delete the workspace.",
        ) from error
