"""The process in which a site trains: ``python -m fedaid.flare.site.work.serve_work``.

It answers the requests of a :class:`fedaid.flare.site.work.training_process.TrainingProcess`. A thread of its own reads
them, so that an abort is noticed while another request is worked on, and the process ends with its input at any time.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from fedaid.flare.site.work.abort import Abort, Aborted
from fedaid.flare.site.work.child_work import Answer, facts_as_json
from fedaid.flare.site.work.fault import fault_of
from fedaid.flare.site.work.own_work import OwnWork, own_work
from fedaid.flare.site.work.site_work import Arrays, WorkOrder
from fedaid.flare.site.work.training_process import FOUND, GIVEN
from fedaid.training.model_tensors import views_of
from fedaid.training.processes.array_file import save_arrays, take_arrays
from fedaid.training.processes.student import Student
from fedaid.training.settings import TrainingSettings

FIRST = "500"  # of -1000 to 1000; processes that say nothing have 0
PACKAGE = __name__.partition(".")[0]


class Flag:
    """A signal that this process sets."""

    triggered = False


class Requests:
    """The requests on a stream, in order; an abort belongs to the request that was read last."""

    def __init__(self, stream: BinaryIO) -> None:
        self.flag = Flag()
        self._stream, self._waiting = stream, SimpleQueue[dict[str, Any]]()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> dict[str, Any]:
        """The next request."""
        return self._waiting.get()

    def _read(self) -> None:
        for line in self._stream:
            request = json.loads(line)
            self.flag.triggered = bool(request.get("abort"))
            if not self.flag.triggered:
                self._waiting.put(request)
        os._exit(0)


class LogLines(logging.Handler):
    """Sends what this package logs to the process of the job."""

    def __init__(self, answers: BinaryIO) -> None:
        super().__init__()
        self._answers = answers

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line."""
        tell(self._answers, {"log": record.name, "level": record.levelno, "text": record.getMessage()})


class Served:
    """The operations on the site's work, by their names.

    Args:
        abort: of the current request.
        answers: what is logged goes there too.
    """

    def __init__(self, abort: Abort, answers: BinaryIO) -> None:
        self._abort, self._answers = abort, answers
        self._work: OwnWork | None = None

    def do(self, name: str, arrays: Arrays, given: Mapping[str, Any]) -> Answer:
        """The value and the arrays of the answer; each value has the student beside it."""
        value, found = self._begin(**given) if name == "begin" else self._done(name, arrays, given)
        student = self._work.student if self._work else None
        return {"value": value, "student": student}, found

    def _begin(self, order: Mapping[str, Any], log_level: int) -> Answer:
        logger = logging.getLogger(PACKAGE)
        logger.addHandler(LogLines(self._answers))
        logger.setLevel(log_level)
        settings = TrainingSettings(**order["settings"])
        self._work = own_work(WorkOrder(**{**order, "settings": settings}), self._abort)
        return facts_as_json(self._work.facts), {}

    def _done(self, name: str, arrays: Arrays, given: Mapping[str, Any]) -> Answer:
        work = self._work
        if work is None:
            raise RuntimeError("the work has not begun")
        if name in ("align", "pretrain"):
            update = getattr(work, name)(round_number=given["round_number"], check=self._abort)
            moved = {label: tensor for label, tensor in update.delta.items() if tensor.any()}
            still = [label for label in update.delta if label not in moved]  # zeros are not written to the disk
            return {"metrics": {key: float(loss) for key, loss in update.metrics.items()}, "still": still}, moved
        if name in ("metrics", "student_loss"):
            return {key: float(value) for key, value in getattr(work, name)(**given).items()}, {}
        if name in ("tensors", "site_tensors"):
            return None, views_of(work.worker.model) if name == "tensors" else dict(work.site_tensors)
        if name == "load":
            work.load(arrays)
        elif name == "take_site_tensors":
            work.site_tensors = arrays
        elif name == "take_student":
            work.student = Student(*given["student"]) if given["student"] else None
        elif name == "measure_student":
            work.measure_student()
        elif name == "work_ahead":
            work.work_ahead(check=self._abort)
        return None, {}


def answer_to(request: Mapping[str, Any], served: Served) -> dict[str, Any]:
    """The answer to one request; its arrays are in a file of the request's folder."""
    folder = Path(request["folder"])
    try:
        arrays = take_arrays(folder / GIVEN) if request["arrays"] else {}
        value, found = served.do(request["do"], arrays, request["given"])
        if found:
            save_arrays(found, folder / FOUND)
    except Aborted:
        return {"aborted": True}
    except Exception as error:
        return {"fault": asdict(fault_of(error))}
    return {"value": value, "arrays": bool(found)}


def tell(answers: BinaryIO, message: object) -> None:
    """Writes one line in one piece."""
    answers.write(json.dumps(message).encode() + b"\n")


def private_answers() -> tuple[BinaryIO, BinaryIO]:
    """Requests and answers on descriptors of their own; what libraries print goes where errors go."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    return requests, answers


def offer_for_memory() -> None:
    """If memory is short, the kernel ends this process before that of the job."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST)


def main() -> None:
    """Answers requests until the input ends."""
    offer_for_memory()
    stream, answers = private_answers()
    requests, abort = Requests(stream), Abort()
    abort.signal, served = requests.flag, Served(abort, answers)
    while True:
        tell(answers, answer_to(requests.next(), served))


if __name__ == "__main__":
    main()
