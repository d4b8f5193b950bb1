"""The model of the round, kept at the site between its two phases.

The second phase sends the alignment modules only, since the site holds the encoders already: in memory, or, where each
task runs in a process of its own, in a file.
"""

from __future__ import annotations

from nvflare.apis.fl_context import FLContext

from fedaid.flare.site.swap_file import SwapFile
from fedaid.flare.wire.tasks import MalformedMessage, ModelMessage


class HeldModel:
    """Holds the newest ``align`` message.

    Attributes:
        swap: the file that it goes through where it must.
    """

    def __init__(self) -> None:
        self.swap = SwapFile("round")
        self._message: ModelMessage | None = None

    def keep(self, message: ModelMessage, fl_ctx: FLContext) -> None:
        """Keeps the message in place of the one before."""
        described = {
            "round": message.round_number,
            "configuration": dict(message.configuration),
            "vocabulary_hash": message.vocabulary_hash,
        }
        self._message = message
        self.swap.write(fl_ctx, message.tensors, described)

    def load(self, round_number: int, fl_ctx: FLContext) -> ModelMessage:
        """The message of the given round.

        Raises:
            MalformedMessage: if the site does not hold that round's model.
        """
        message = self._message or self._swapped(fl_ctx)
        if message is None:
            raise MalformedMessage(f"pretrain of round {round_number} must follow align, got none: this site")
        if message.round_number != round_number:
            raise MalformedMessage(
                f"pretrain of round {round_number} must follow its align, got {message.round_number}"
            )
        return message

    def _swapped(self, fl_ctx: FLContext) -> ModelMessage | None:
        found = self.swap.read(fl_ctx)
        if found is None:
            return None
        tensors, described = found
        return ModelMessage(described["round"], tensors, described["configuration"], described["vocabulary_hash"])
