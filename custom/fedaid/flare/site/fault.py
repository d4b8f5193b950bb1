"""What a site says of an error in its work: never its text, unless the text is one of ours."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from fedaid.errors import InputError
from fedaid.flare.wire.tasks import MalformedMessage
from fedaid.training.processes.out_of_memory import is_out_of_memory
from fedaid.training.processes.spread_worker import ProcessesFailed, ProcessesLackMemory

OURS = (InputError, MalformedMessage, FloatingPointError, ProcessesFailed)  # their texts hold no data of the site
LASTING = (InputError, FloatingPointError)  # the same data and settings give the same error
NO_MEMORY = "{what}: out of memory ({kind}). Lower batch_size, set micro_batch_size, or give the site more memory."


@dataclass(frozen=True)
class Fault:
    """An error, as it may leave the site.

    Attributes:
        kind: of the error, its type.
        text: of an error of ours; empty for any other, whose text may hold a path or a value of the site.
        place: where it was raised: files, lines and code of the program; for the site's log.
        out_of_memory: whether the memory was not enough.
        invalid: whether the same task would fail again until a person mends a setting or a file.
    """

    kind: str
    text: str = ""
    place: str = ""
    out_of_memory: bool = False
    invalid: bool = False

    def said(self, what: str) -> str:
        """The text for the server; ``what`` was being done."""
        if self.text:
            return self.text
        return NO_MEMORY.format(what=what, kind=self.kind) if self.out_of_memory else f"{what}: {self.kind}"


def fault_of(error: Exception) -> Fault:
    """What may be said of an error."""
    kind = type(error).__name__
    if isinstance(error, OURS):
        out_of_memory, invalid = isinstance(error, ProcessesLackMemory), isinstance(error, LASTING)
        return Fault(kind, str(error), out_of_memory=out_of_memory, invalid=invalid)
    place = "".join(traceback.format_tb(error.__traceback__))
    return Fault(kind, place=place, out_of_memory=is_out_of_memory(error))
