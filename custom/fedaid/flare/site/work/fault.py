"""What a site says of an error in its work: never its text, unless the text is one of ours."""

from __future__ import annotations

import errno
import traceback
from dataclasses import dataclass

from fedaid.errors import InputError
from fedaid.flare.wire.tasks import MalformedMessage
from fedaid.training.processes.out_of_memory import is_out_of_memory
from fedaid.training.processes.torchrun import ProcessesFailed, ProcessesLackMemory

OURS = (InputError, MalformedMessage, FloatingPointError, ProcessesFailed)  # their texts hold no data of the site
LASTING = (InputError, FloatingPointError)  # the same data and settings give the same error
KILLED, OUT_OF_MEMORY = "killed", "out_of_memory"  # reasons; any other error has none
REMEDY = "Lower batch_size, set micro_batch_size, or give the site more memory."
FULL = (errno.ENOSPC, errno.EDQUOT)
NO_ROOM = (
    "disk must have room, got {reason}: this site's cache of images and temporary files. "
    "Free space on it; the next task continues."
)


@dataclass(frozen=True)
class Fault:
    """An error, as it may leave the site, and as one process of the site tells it to another.

    Attributes:
        kind: of the error, its type; of a process that ended, how it ended.
        text: of an error of ours; empty for any other, whose text may hold a path or a value of the site.
        place: where it was raised: files, lines and code of the program; for the site's log.
        reason: KILLED, OUT_OF_MEMORY, or empty.
        invalid: whether the same task would fail again until a person mends a setting or a file.
    """

    kind: str
    text: str = ""
    place: str = ""
    reason: str = ""
    invalid: bool = False

    def said(self, what: str) -> str:
        """The text for the server; ``what`` was being done."""
        if self.text:
            return self.text
        if self.reason == OUT_OF_MEMORY:
            return f"{what}: out of memory ({self.kind}). {REMEDY}"
        if self.reason == KILLED:
            return f"{what}: the training process ended ({self.kind}). The next task starts another one."
        return f"{what}: {self.kind}"


class Faulted(Exception):
    """A fault that another process of the site has told, or that was its end."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.kind)
        self.fault = fault


def fault_of(error: Exception) -> Fault:
    """What may be said of an error."""
    if isinstance(error, Faulted):
        return error.fault
    kind = type(error).__name__
    if isinstance(error, OURS):
        reason = OUT_OF_MEMORY if isinstance(error, ProcessesLackMemory) else ""
        return Fault(kind, str(error), reason=reason, invalid=isinstance(error, LASTING))
    place = "".join(traceback.format_tb(error.__traceback__))
    if isinstance(error, OSError) and error.errno in FULL:
        return Fault(kind, NO_ROOM.format(reason=error.strerror), place=place)
    return Fault(kind, place=place, reason=OUT_OF_MEMORY if is_out_of_memory(error) else "")
