"""One of the processes that share a site's batches: ``torchrun … -m fedaid.training.processes.rank FOLDER``.

The folder has a :class:`PhaseRequest`. Process 0 writes the result beside it; a process that fails writes the reason.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import torch
from torch import distributed, nn

from fedaid.atomic_file import replacing
from fedaid.errors import InputError, require
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.processes.out_of_memory import OUT_OF_MEMORY, is_out_of_memory
from fedaid.training.processes.phase_request import PhaseRequest, read_request, write_update
from fedaid.training.processes.process_group import process_number
from fedaid.training.site_worker import SiteWorker


def main(arguments: list[str]) -> None:
    """Trains the phase of the folder in the arguments."""
    threading.Thread(target=end_with_owner, daemon=True).start()
    folder = Path(arguments[0])
    try:
        join(folder / "meeting")
        train(folder)
    except Exception as error:
        tell(folder, error)
        raise
    distributed.destroy_process_group()


def tell(folder: Path, error: Exception) -> None:
    """Writes to the folder why this process fails."""
    said = isinstance(error, (InputError, FloatingPointError))  # the text of another error may hold data of the site
    file = failure_file(folder, int(os.environ["RANK"]))
    with replacing(file) as draft:
        kind = OUT_OF_MEMORY if is_out_of_memory(error) else type(error).__name__
        draft.write_text(json.dumps({"type": kind, "text": str(error) if said else ""}))


def end_with_owner() -> None:
    """Ends this process when the process that started the phase closes its pipe or ends."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def join(file: Path) -> None:
    """Joins the process group that torchrun started: NCCL with one GPU each, or gloo on the CPU."""
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, init_method=file.absolute().as_uri(), rank=rank, world_size=size)


def train(folder: Path) -> None:
    """Trains the requested phase together with the other processes."""
    request, start, site_tensors = read_request(folder)
    if request.settings.threads:
        torch.set_num_threads(max(1, request.settings.threads // request.settings.processes))
    worker = worker_of(request, folder)
    worker.site_tensors = site_tensors
    worker.load(start)
    phase = {"align": worker.align, "pretrain": worker.pretrain}[request.task]
    update = phase(round_number=request.round_number)
    if process_number() == 0:
        write_update(folder, update)


def worker_of(request: PhaseRequest, folder: Path) -> SiteWorker:
    """The site's worker, equal to that of the process that started the phase.

    Raises:
        InputError: if the site's data have changed since.
    """
    data = request.folders.load(request.configuration)
    rule, remedy = "stay as it is while a job runs", "Submit the job again."
    got = f"{len(data.train)} usable train studies instead of {request.studies}"
    require(len(data.train) == request.studies, "manifest", rule, got=got, where=f"site {request.site}", remedy=remedy)
    model = DualEncoder(**request.configuration)
    if torch.cuda.is_available():  # torch has none for the CPU: there each process uses the statistics of its share
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    return SiteWorker(model, data, request.settings, site=request.site, folder=folder)


def failure_file(folder: Path, rank: int) -> Path:
    """The file with the reason why a process failed."""
    return folder / f"failure-{rank}.json"


if __name__ == "__main__":
    main(sys.argv[1:])
