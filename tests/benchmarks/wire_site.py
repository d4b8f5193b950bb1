"""A site's round through its executor and the filters of the wire: what its memory is measured on, messages included.

    python -m tests.benchmarks.wire_site '{"method": "fedaid", "steps": [2, 2], "folder": "…"}'

prints the peak of the process's memory in MiB after two rounds, and before them. The messages come from files that
:func:`write_messages` left in the folder, so that nothing of a server is in the process.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal
from nvflare.apis.utils.decomposers import flare_decomposers
from nvflare.app_common.decomposers import numpy_decomposers
from nvflare.fuel.utils import fobs

import admin  # noqa: F401 - makes custom/fedaid importable
from fedaid.flare.site.executor import FedAIDExecutor
from fedaid.flare.site.work.own_work import OwnWork
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, TRAIN
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.tensor_names import is_alignment
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker
from tests.benchmarks.machine import peak_mib
from tests.benchmarks.speed_site import MIDDLE, settings_of, site
from tests.flare.wire_link import Arrays, Server, Site

ROUNDS = 2
TASKS = {"fedaid": (ALIGN, PRETRAIN), "fedavg": (TRAIN,)}


class PreparedExecutor(FedAIDExecutor):
    """An executor whose site has its data in memory already."""

    def __init__(self, settings: TrainingSettings, worker: SiteWorker) -> None:
        super().__init__(**vars(settings))
        self._work = OwnWork(worker, alone={}, valid={})


def write_messages(folder: Path, method: str, *, model: dict[str, Any] = MIDDLE, wire_dtype: str = "fp32") -> None:
    """Write what a server sends one site in a few rounds, a file a task, in their order."""
    register()
    theta: Arrays = {name: tensor.numpy() for name, tensor in DualEncoder(**model).state_dict().items()}
    server, link = Server(wire_dtype), Site("site", folder / "writer")
    for number in range(ROUNDS):
        for place, task in enumerate(TASKS[method]):
            sent = {name: t for name, t in theta.items() if task != PRETRAIN or is_alignment(name)}
            message = server.send(server.broadcast(sent), link)
            (folder / f"{number}-{place}-{task}.fobs").write_bytes(fobs.dumps(message))
            link.receive(message)
            moved = {name: t for name, t in theta.items() if task != ALIGN or is_alignment(name)}
            delta = {name: np.full_like(t, 1e-3 if t.dtype.kind == "f" else 0) for name, t in moved.items()}
            server.take(link.answer(delta), link)
            theta = {name: np.asarray(t + delta.get(name, 0), t.dtype) for name, t in theta.items()}


def register() -> None:
    """Tell FLARE's serialiser about its own types and numpy's, as a FLARE process does."""
    flare_decomposers.register()
    numpy_decomposers.register()


def tasks(folder: Path) -> Iterator[tuple[str, Shareable]]:
    """Name and message of each task, read one at a time."""
    for file in sorted(folder.glob("*.fobs")):
        yield file.stem.rpartition("-")[2], fobs.loads(file.read_bytes())


def answer(executor: FedAIDExecutor, link: Site, task: str, message: Shareable, fl_ctx: FLContext) -> int:
    """Bytes of the answer to a task as it leaves the site."""
    reply = executor.execute(task, link.decoder.process(message, fl_ctx), fl_ctx, Signal())
    if reply.get_return_code() != ReturnCode.OK:
        raise RuntimeError(f"{task} failed: {reply}")
    sent = len(fobs.dumps(link.encoder.process(reply, fl_ctx)))
    executor.handle_event(EventType.AFTER_SEND_TASK_RESULT, fl_ctx)
    return sent


def main() -> None:
    """Prints the peaks after and before the rounds, and the bytes that left."""
    given = json.loads(sys.argv[1])
    folder, model, studies = Path(given.pop("folder")), given.pop("model", MIDDLE), given.pop("studies", 280)
    settings = settings_of(given.pop("method"), steps=tuple(given.pop("steps")), **given)
    executor = PreparedExecutor(settings, site(model, settings, studies=studies))
    register()
    with tempfile.TemporaryDirectory() as own:
        link, before = Site("site", Path(own) / "site"), peak_mib()
        sent = [answer(executor, link, task, message, link.context()) for task, message in tasks(folder)]
    print(json.dumps({"peak": peak_mib(), "before": before, "sent": sent}))


if __name__ == "__main__":
    main()
