"""The model of the round, kept at the site between its two phases.

The second phase sends the alignment modules only, since the site holds the encoders already: in memory, or, where each
task runs in a process of its own, in a file.
"""

from __future__ import annotations

from pathlib import Path

from fedaid.flare.messages import MalformedMessage, ModelMessage
from fedaid.flare.swap_file import SwapFile


class HeldModel:
    """Holds the newest ``align`` message."""

    def __init__(self) -> None:
        self._message: ModelMessage | None = None

    def keep(self, message: ModelMessage) -> None:
        """Keeps the message in place of the one before."""
        self._message = message

    def swap_out(self, folder: Path) -> None:
        """Writes the message for the process that comes next."""
        if self._message is not None:
            described = {
                "round": self._message.round_number,
                "configuration": dict(self._message.configuration),
                "vocabulary_hash": self._message.vocabulary_hash,
            }
            SwapFile(folder, "round").write(self._message.tensors, described)

    def load(self, round_number: int, folder: Path) -> ModelMessage:
        """The message of the given round.

        Raises:
            MalformedMessage: if the site does not hold that round's model.
        """
        message = self._message or self._swapped(folder)
        if message is None:
            raise MalformedMessage(f"pretrain of round {round_number} must follow align, got none: this site")
        if message.round_number != round_number:
            raise MalformedMessage(
                f"pretrain of round {round_number} must follow its align, got {message.round_number}"
            )
        return message

    def _swapped(self, folder: Path) -> ModelMessage | None:
        found = SwapFile(folder, "round").read()
        if found is None:
            return None
        tensors, described = found
        return ModelMessage(described["round"], tensors, described["configuration"], described["vocabulary_hash"])
