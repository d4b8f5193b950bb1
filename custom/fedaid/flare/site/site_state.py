"""What the work of a site has besides the server's model, and needs again when another process goes on with the run.

It is the loss of the model that the site trained in its last round (the student), the tensors of that model for MOON
and local normalisation, and the batch norm of every round. Within a job it is in memory; :class:`KeptRounds` has it for
the next job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from nvflare.apis.fl_context import FLContext

from fedaid.flare.site.kept_rounds import KeptRounds, is_lost
from fedaid.flare.site.round_normalisation import BY_ROUND, remember_normalisation
from fedaid.flare.site.task_memory import TaskMemory
from fedaid.flare.site.work.site_work import SiteWork
from fedaid.flare.wire.tasks import STATE_LOST, ModelMessage
from fedaid.training.processes.student import Student
from fedaid.training.settings import TrainingSettings

# Sets of tensors: those of the site's last model, for MOON and local normalisation; the student until it is measured.
SITE_TENSORS, STUDENT = "site_tensors", "student"
SETS = (SITE_TENSORS, STUDENT, BY_ROUND)


class SiteState:
    """The state of the work of one executor.

    Args:
        settings: nothing is kept unless they need it.
        memory: of the executor, for the simulator's processes of one task.
    """

    def __init__(self, settings: TrainingSettings, memory: TaskMemory) -> None:
        self._normalised = settings.local_normalisation
        self._needed = settings.report_student_loss or settings.moon_weight > 0 or self._normalised
        self._memory, self._kept = memory, KeptRounds("state")
        self._unmeasured: ModelMessage | None = None  # the round whose student has no loss yet
        self._trained = -1  # the last round in which the work has trained, or begun to
        self._lost: int | None = None  # the round in which the work started without its state

    def begin(self, message: ModelMessage) -> None:
        """Notes that phase two begins; from now on the work may have another state, whether it answers or not.

        A student of an earlier round that was not settled stays as tensors on the disk.
        """
        self._trained, self._unmeasured = message.round_number, None

    def keep(self, work: SiteWork, message: ModelMessage, fl_ctx: FLContext) -> None:
        """Keeps the state after phase two, before the answer is sent; :meth:`begin` came before it.

        To measure the student takes a validation. The server would wait for it, so the student's tensors are kept
        instead until it is measured. A process that may end with its task measures it now.
        """
        if self._memory.may_end_with_task:
            work.measure_student()
            if work.site_tensors or work.student:
                described = {"student": work.student, "round": message.round_number}
                self._memory.remember(SITE_TENSORS, dict(work.site_tensors), description=described, fl_ctx=fl_ctx)
        if self._normalised:
            remember_normalisation(self._memory, work, rounds=message.round_number + 1, fl_ctx=fl_ctx)
        if self._needed and message.run is not None:
            unmeasured = work.student is not None and work.student.loss is None
            self._write(work, message, work.tensors() if unmeasured else {}, fl_ctx)
            self._unmeasured = message if unmeasured else None

    def settle(self, work: SiteWork, fl_ctx: FLContext) -> None:
        """Replaces the student's tensors by its loss, once it is measured."""
        if self._unmeasured and work.student is not None and work.student.loss is not None:
            self._write(work, self._unmeasured, {}, fl_ctx)
            self._unmeasured = None

    def _write(
        self, work: SiteWork, message: ModelMessage, student: Mapping[str, NDArray[Any]], fl_ctx: FLContext
    ) -> None:
        by_round = self._memory.recall(BY_ROUND, fl_ctx)
        sets = {SITE_TENSORS: work.site_tensors, STUDENT: student, BY_ROUND: by_round.tensors if by_round else {}}
        tensors = {f"{kind}/{name}": tensor for kind, found in sets.items() for name, tensor in found.items()}
        description = {"student": work.student}
        if message.run is not None:
            self._kept.keep(message.run, message.round_number, tensors, description=description, fl_ctx=fl_ctx)

    def restore(self, work: SiteWork, message: ModelMessage, fl_ctx: FLContext) -> None:
        """Gives a new work the state that it had when this message's round began."""
        self._unmeasured, self._trained = None, -1
        if found := self._memory.recall(SITE_TENSORS, fl_ctx):
            work.site_tensors = found.tensors
            work.student, self._trained = student_of(found.description), found.description["round"]
        else:
            self._restore_kept(work, message, fl_ctx)

    def rewind(self, work: SiteWork, message: ModelMessage, fl_ctx: FLContext) -> bool:
        """Gives the work the state that it had when this message's round began, if it has trained in that round.

        The server asks again for a phase if too few answers arrived. So the second answer has the bits of the first,
        even if the first one failed after the training.
        Returns whether the work was changed.
        """
        if message.round_number > self._trained:
            return False
        return self._restore_kept(work, message, fl_ctx)

    def _restore_kept(self, work: SiteWork, message: ModelMessage, fl_ctx: FLContext) -> bool:
        """Gives the work what :class:`KeptRounds` has; returns whether the settings and the run need that."""
        if not self._needed or message.run is None:
            return False
        self._unmeasured = None
        kept = self._kept.before(message.round_number, message.run, fl_ctx)
        self._lost = message.round_number if is_lost(kept, message, site=work.site) else None
        sets = {kind: below(kept.tensors, kind) if kept else {} for kind in SETS}
        self._take_over(work, sets, student_of(kept.description) if kept else None, fl_ctx)
        self._trained = -1  # not before: what fails on the way is done again by the next try
        return True

    def _take_over(self, work: SiteWork, sets: Mapping[str, Any], student: Student | None, fl_ctx: FLContext) -> None:
        work.site_tensors = sets[SITE_TENSORS]
        if sets[BY_ROUND]:
            self._memory.remember(BY_ROUND, sets[BY_ROUND], fl_ctx=fl_ctx)
        if sets[STUDENT]:
            work.load(sets[STUDENT])
        work.student = student
        work.measure_student()

    def lost_in(self, round_number: int) -> dict[str, float]:
        """A metric that says that the site started this round without its state; empty otherwise."""
        return {STATE_LOST: 1.0} if self._lost == round_number else {}


def student_of(description: Mapping[str, Any]) -> Student | None:
    """The student that a description names."""
    return Student(*description["student"]) if description["student"] else None


def below(tensors: Mapping[str, NDArray[Any]], kind: str) -> dict[str, NDArray[Any]]:
    """The tensors of one set, by their own names."""
    return {name.removeprefix(f"{kind}/"): t for name, t in tensors.items() if name.startswith(f"{kind}/")}
