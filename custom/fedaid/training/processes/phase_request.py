"""The request and the result of a phase that several processes train, as safetensors and JSON in a folder.

The folder stays at the site, because it names the folders of the site's data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fedaid.training.processes.array_file import Arrays, mapped, save_arrays, take_arrays
from fedaid.training.processes.data_folders import DataFolders
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import LocalUpdate
from fedaid.training.trainer import PhaseLosses

REQUEST, START, SITE_TENSORS = "request.json", "start.safetensors", "site_tensors.safetensors"
LOSSES, DELTA = "losses.json", "delta.safetensors"


@dataclass(frozen=True)
class PhaseRequest:
    """One phase of one site.

    Attributes:
        task: ``align`` or ``pretrain``, a method of :class:`SiteWorker`.
        site: its name.
        round_number: from 0.
        settings: of local training.
        configuration: constructor arguments of the model, plain JSON.
        folders: of the site's data.
        studies: number of training studies; it must be equal in all processes, because a batch is a list of rows.
    """

    task: str
    site: str
    round_number: int
    settings: TrainingSettings
    configuration: Mapping[str, Any]
    folders: DataFolders
    studies: int

    def write(self, folder: Path, start: Arrays, *, site_tensors: Arrays) -> None:
        """Writes the request, the initial tensors of the phase and the site's stored tensors to an empty folder."""
        (folder / REQUEST).write_text(json.dumps(asdict(self), default=str))  # paths become text
        save_arrays(start, folder / START)
        save_arrays(site_tensors, folder / SITE_TENSORS)


def read_request(folder: Path) -> tuple[PhaseRequest, Arrays, Arrays]:
    """Reads the request, the initial tensors and the site's tensors of the site; all processes share their pages."""
    fields = json.loads((folder / REQUEST).read_text())
    fields["settings"] = TrainingSettings(**fields["settings"])
    fields["folders"] = DataFolders(**{name: Path(path) for name, path in fields["folders"].items()})
    return PhaseRequest(**fields), mapped(folder / START), mapped(folder / SITE_TENSORS)


def write_update(folder: Path, update: LocalUpdate) -> None:
    """Writes the result beside the request."""
    (folder / LOSSES).write_text(json.dumps(asdict(update.losses)))
    save_arrays(update.delta, folder / DELTA)


def read_update(folder: Path) -> LocalUpdate:
    """Reads the result that :func:`write_update` wrote."""
    losses = PhaseLosses(**json.loads((folder / LOSSES).read_text()))
    return LocalUpdate(take_arrays(folder / DELTA), losses)
