"""A site worker that trains in several processes, one for each GPU, and does the rest in its own process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from fedaid.data.site_data import SiteData
from fedaid.errors import require
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.model_tensors import move, views_of
from fedaid.training.processes.data_folders import DataFolders
from fedaid.training.processes.out_of_memory import OUT_OF_MEMORY
from fedaid.training.processes.phase_request import PhaseRequest, read_update
from fedaid.training.processes.rank import failure_file
from fedaid.training.processes.torchrun import ProcessesFailed, ProcessesLackMemory, run_processes
from fedaid.training.settings import WHERE, TrainingSettings
from fedaid.training.site_worker import LocalUpdate, SiteWorker
from fedaid.training.trainer import Check

LOG = "fedaid_processes.log"
VARIABLE = "FEDAID_PROCESSES"


class SpreadWorker(SiteWorker):
    """A :class:`SiteWorker` whose two phases run in several processes, on the same batches as in one.

    The processes return the change of the model, which is then added to the model of this process. Cached features are
    lost after a phase, so phase two computes what it needs again, with the same bits.

    Args:
        folders: of the data.
        folder: of the run, at the site: for private files of a phase, and the log of its processes.

    Raises:
        InputError: as :class:`SiteWorker`, or if the site has fewer GPUs than processes, but at least one.
    """

    def __init__(
        self,
        model: DualEncoder,
        data: SiteData,
        settings: TrainingSettings,
        *,
        site: str,
        folders: DataFolders,
        folder: Path,
    ) -> None:
        super().__init__(model, data, settings, site=site, folder=folder)
        self._folders, self._run = folders, folder
        gpus, processes = torch.cuda.device_count(), settings.processes
        rule, remedy = f"be at most the site's GPUs, {gpus}", "Lower processes."
        require(gpus == 0 or processes <= gpus, "processes", rule, got=processes, where=WHERE, remedy=remedy)

    def _train(
        self, phase: Any, task: str, round_number: int, check: Check, *, moves: Callable[[str], bool]
    ) -> LocalUpdate:
        torch.cuda.empty_cache()  # process 0 uses the same GPU
        with TemporaryDirectory(prefix="fedaid_phase_", dir=self._run) as name:
            folder = Path(name)
            self._request(task, round_number).write(folder, views_of(self._model), site_tensors=self.site_tensors)
            entry, processes = ["-m", "fedaid.training.processes.rank", name], self._settings.processes
            code = run_processes(entry, folder, processes=processes, log=self._run / LOG, check=check)
            if code != 0:
                text = failure(folder, processes, what=f"{task} at site {self.site}")
                raise (ProcessesLackMemory if OUT_OF_MEMORY in text else ProcessesFailed)(text)
            update = read_update(folder)
        move(self._model, update.delta)
        return update

    def _request(self, task: str, round_number: int) -> PhaseRequest:
        return PhaseRequest(
            task=task,
            site=self.site,
            round_number=round_number,
            settings=self._settings,
            configuration=self._model.configuration,
            folders=self._folders,
            studies=len(self.data.train),
        )


def worker_for(
    model: DualEncoder, data: SiteData, settings: TrainingSettings, *, site: str, folders: DataFolders, folder: Path
) -> SiteWorker:
    """The worker for the settings; only :class:`SpreadWorker` uses ``folders``."""
    if settings.processes == 1:
        return SiteWorker(model, data, settings, site=site, folder=folder)
    return SpreadWorker(model, data, settings, site=site, folders=folders, folder=folder)


def at_site(settings: TrainingSettings, environ: Mapping[str, str], *, site: str) -> TrainingSettings:
    """The job's settings with this site's number of processes, if it sets one, because sites have different GPUs.

    Raises:
        InputError: if the site's number does not divide the batch.
    """
    given = environ.get(VARIABLE, "").strip()
    if not given:
        return settings
    sound = given.isdecimal() and int(given) > 0 and settings.batch_size % int(given) == 0
    rule, where = f"be a divisor of batch_size {settings.batch_size}", f"environment of site {site}"
    remedy = "Set it to the number of GPUs to train on, or leave it out for what the job says."
    require(sound, VARIABLE, rule, got=repr(given), where=where, remedy=remedy)
    return replace(settings, processes=int(given))


def failure(folder: Path, processes: int, *, what: str) -> str:
    """Why a phase failed: the error of a process about a setting or a number, or how each process ended."""
    files = {rank: failure_file(folder, rank) for rank in range(processes)}
    failures = {rank: json.loads(file.read_text()) for rank, file in files.items() if file.exists()}
    for one in failures.values():
        if one["text"]:
            return str(one["text"])
    silent = {"type": "no word (killed, or ended with the others)"}
    ends = "; ".join(f"process {rank}: {failures.get(rank, silent)['type']}" for rank in range(processes))
    return f"training must end well in all processes, got {ends}: {what}. See {LOG} in the run's folder there."
