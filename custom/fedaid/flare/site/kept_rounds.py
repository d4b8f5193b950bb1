"""What a component of a site keeps from round to round, on the site's disk, so that another job can continue the run.

The folder is the site's own, by the run's name, outside every FLARE workspace: ``<kit>/fedaid_runs/<run_name>``. Each
round has a sealed folder in it, so that a damaged one is noticed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.fl_context import FLContext
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from fedaid.flare.store.run_folder import run_folder
from fedaid.flare.wire.messages import BEGAN
from fedaid.flare.wire.tasks import ModelMessage, RunStamp
from fedaid.sealed_folder import damage, seal

LOG = logging.getLogger(__name__)
MEANS = "the run goes on, but a later job cannot continue it with the same bits"
KEPT = 3  # rounds: as many as the server has generations to go back to
NUMBER = re.compile(r"[0-9]{5,}")
TENSORS, DESCRIPTION = "tensors.safetensors", "description.json"


class KeptRound(NamedTuple):
    """What was kept after phase two of a round: tensors, and plain JSON that describes them."""

    round_number: int
    tensors: dict[str, NDArray[Any]]
    description: Mapping[str, Any]


class KeptRounds:
    """The last rounds of one component.

    Args:
        kind: what the component keeps: the start of the folders' names.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def keep(
        self,
        run: RunStamp,
        round_number: int,
        tensors: Mapping[str, NDArray[Any]],
        *,
        fl_ctx: FLContext,
        description: Mapping[str, Any],
    ) -> None:
        """Writes what the next round needs; a round that is done again replaces the former one and those after it.

        It is called before the answer is sent. So whenever the server has committed a round, the site has kept it. If
        the disk is full, the round goes on, and a warning says what that means.
        """
        try:
            began = {BEGAN: run.began} if run.began else {}
            self._write(folder_of(run, fl_ctx), round_number, tensors, {**description, **began})
        except (OSError, SafetensorError) as error:
            LOG.warning(f"round {round_number} was not written to the site's disk ({type(error).__name__}): {MEANS}")

    def _write(
        self,
        folder: Path,
        round_number: int,
        tensors: Mapping[str, NDArray[Any]],
        description: Mapping[str, Any],
    ) -> None:
        unfinished, final = folder / f".{self._kind}.unfinished", folder / f"{self._kind}-{round_number:05d}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        save_file({name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}, unfinished / TENSORS)
        (unfinished / DESCRIPTION).write_text(json.dumps(dict(description)), encoding="utf-8")
        seal(unfinished)
        shutil.rmtree(final, ignore_errors=True)
        unfinished.rename(final)
        rounds = self._rounds(folder)
        needed = sorted(number for number in rounds if number <= round_number)[-KEPT:]
        for number in rounds.keys() - needed:  # later ones are of a former run of this name, or will be done again
            shutil.rmtree(rounds[number])

    def before(self, round_number: int, run: RunStamp, fl_ctx: FLContext) -> KeptRound | None:
        """What this run kept of the newest whole round before this one; None if there is none, or it cannot be read."""
        try:
            return self._newest_before(round_number, run, folder_of(run, fl_ctx))
        except OSError as error:
            LOG.warning(f"what this site kept cannot be read from its disk ({type(error).__name__}): {MEANS}")
            return None

    def _newest_before(self, round_number: int, run: RunStamp, at: Path) -> KeptRound | None:
        for number, folder in sorted(self._rounds(at).items(), reverse=True):
            if number < round_number and not damage(folder):
                description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
                if description.pop(BEGAN, "") == run.began:
                    return KeptRound(number, load_file(folder / TENSORS), description)
        return None

    def _rounds(self, folder: Path) -> dict[int, Path]:
        """Number of each kept round → its folder; a copy with another name is ignored."""
        found = ((path, path.name.rpartition("-")) for path in folder.iterdir())
        return {
            int(number): path for path, (kind, _, number) in found if kind == self._kind and NUMBER.fullmatch(number)
        }


def is_lost(found: KeptRound | None, message: ModelMessage, *, site: str) -> bool:
    """Whether the site lacks what it had in a run without a stop: it trained in a later round than it has kept."""
    trained = message.trained.get(site, -1)
    return trained > (found.round_number if found else -1)


def folder_of(run: RunStamp, fl_ctx: FLContext) -> Path:
    """The folder of a run at this site."""
    workspace = fl_ctx.get_engine().get_workspace()
    kit, config_dir = Path(workspace.get_root_dir()), Path(workspace.get_site_config_dir())
    return run_folder(run.name, kit, config_dir, os.environ, machine=fl_ctx.get_identity_name())
