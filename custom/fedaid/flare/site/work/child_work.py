"""The work of a site in a child of this process, so that its end costs the site a round and not everybody the job.

FLARE fails a job if a signal ends the process of one of its sites. So that process does not train.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedaid.flare.site.work.abort import Abort
from fedaid.flare.site.work.site_work import Arrays, Check, Trained, WorkFacts, WorkOrder
from fedaid.flare.site.work.training_process import COMMAND, TrainingProcess
from fedaid.training.processes.array_file import untouched_zeros
from fedaid.training.processes.student import Student

Answer = tuple[Any, dict[str, NDArray[Any]]]


class ChildWork:
    """The :class:`OwnWork` of another process.

    Args:
        order: what to work on.
        abort: checked while the other process works.
        log_level: of the site.
        command: starts the process; tests use another.

    Raises:
        Faulted: if the work cannot begin, or the process ended.
    """

    def __init__(self, order: WorkOrder, abort: Abort, *, log_level: int, command: Sequence[str] = COMMAND) -> None:
        self.site, self._abort = order.site, abort
        self._student: Student | None = None
        self.process = TrainingProcess(Path(order.run), command=command)
        try:
            self.facts = facts_from(self._ask("begin", order=asdict(order), log_level=log_level)[0])
        except BaseException:
            self.end()
            raise

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.alive

    @property
    def student(self) -> Student | None:
        """The model at the end of the last phase two."""
        return self._student

    @student.setter
    def student(self, student: Student | None) -> None:
        self._ask("take_student", student=student)

    @property
    def site_tensors(self) -> Arrays:
        """The tensors that stay at the site for its next round."""
        return self._ask("site_tensors")[1]

    @site_tensors.setter
    def site_tensors(self, tensors: Arrays) -> None:
        self._ask("take_site_tensors", tensors)

    def load(self, tensors: Arrays) -> None:
        """Puts the server's tensors into the model."""
        self._ask("load", tensors)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Copies of the model's tensors."""
        return self._ask("tensors")[1]

    def metrics(self, split: str) -> dict[str, float]:
        """Loss and retrieval of the current model on ``valid`` or ``test``."""
        return dict(self._ask("metrics", split=split)[0])

    def align(self, *, round_number: int, check: Check) -> Trained:
        """Phase one from the current model."""
        return self._phase("align", round_number)

    def pretrain(self, *, round_number: int, check: Check) -> Trained:
        """Phase two from the current model."""
        return self._phase("pretrain", round_number)

    def student_loss(self, round_number: int) -> dict[str, float]:
        """The loss of the model that the site trained in this round."""
        return dict(self._ask("student_loss", round_number=round_number)[0])

    def measure_student(self) -> None:
        """Measures the student, if it is not measured yet."""
        self._ask("measure_student")

    def work_ahead(self, *, check: Check) -> None:
        """Does work of the next task before it arrives."""
        self._ask("work_ahead")

    def end(self) -> None:
        """Ends the process by force."""
        self.process.end()

    def _phase(self, name: str, round_number: int) -> Trained:
        told, moved = self._ask(name, round_number=round_number)
        still = {label: untouched_zeros(*self.facts.specs[label]) for label in told["still"]}
        found = moved | still
        return Trained({label: found[label] for label in self.facts.specs if label in found}, told["metrics"])

    def _ask(self, do: str, arrays: Arrays | None = None, **given: Any) -> Answer:
        """The value and the arrays of an answer; each answer also says what the student is."""
        told, found = self.process.ask(do, arrays, check=self._abort, **given)
        self._student = Student(*told["student"]) if told["student"] else None
        return told["value"], found


def facts_as_json(facts: WorkFacts) -> dict[str, Any]:
    """The facts as plain JSON."""
    specs = {name: [list(shape), dtype.str] for name, (shape, dtype) in facts.specs.items()}
    return facts._asdict() | {"specs": specs, "batch_norm": sorted(facts.batch_norm)}


def facts_from(told: dict[str, Any]) -> WorkFacts:
    """The facts that :func:`facts_as_json` wrote."""
    specs = {name: (tuple(shape), np.dtype(dtype)) for name, (shape, dtype) in told["specs"].items()}
    return WorkFacts(**told | {"specs": specs, "batch_norm": frozenset(told["batch_norm"])})
