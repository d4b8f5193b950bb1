"""The model of the round, kept at the site between its two phases.

The second phase sends the alignment modules only, since the site holds the encoders already: in memory, or, where each
task runs in a process of its own (a simulator with fewer threads than clients), in a file of the run's folder.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from fedaid.flare.messages import MalformedMessage, ModelMessage


class HeldModel:
    """One file that holds the newest ``align`` message.

    Args:
        folder: of the run, at the site.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "fedaid_round.safetensors"

    def keep(self, message: ModelMessage) -> None:
        """Writes the message, replacing the one before in one step."""
        described = {
            "round": message.round_number,
            "configuration": dict(message.configuration),
            "vocabulary_hash": message.vocabulary_hash,
        }
        unfinished = self._file.with_suffix(".unfinished")
        tensors = {name: np.asarray(tensor, order="C") for name, tensor in message.tensors.items()}
        save_file(tensors, unfinished, metadata={"message": json.dumps(described)})
        unfinished.replace(self._file)

    def load(self, round_number: int) -> ModelMessage:
        """The message of the given round.

        Raises:
            MalformedMessage: if the site does not hold that round's model.
        """
        if not self._file.exists():
            raise MalformedMessage(f"pretrain of round {round_number} must follow align, got none: this site")
        with safe_open(self._file, framework="numpy") as file:
            described = json.loads(file.metadata()["message"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        if described["round"] != round_number:
            raise MalformedMessage(f"pretrain of round {round_number} must follow its align, got {described['round']}")
        return ModelMessage(round_number, tensors, described["configuration"], described["vocabulary_hash"])
