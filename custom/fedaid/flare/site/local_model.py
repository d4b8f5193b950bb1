"""The local model: the model that a site trained alone. Its folder, its validation loss, and whether it fits a run."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from safetensors.numpy import load_file

from fedaid.errors import require
from fedaid.models.saved_model import CONFIG, WEIGHTS
from fedaid.version import VERSION_KEY

if TYPE_CHECKING:
    from fedaid.data.dataset import StudyDataset

FOLDER, STATE = "fedaid_local_model", "state.json"
VARIABLE, PLACEHOLDER = "FEDAID_LOCAL_MODEL", "{site}"


@dataclass(frozen=True)
class ValidSplit:
    """What a validation loss was measured on; two losses are comparable only if all fields are equal.

    Attributes:
        studies: of the validation split.
        batch_size: of the loss.
        sha256: of the split's token ids, in order; it stays at the site.
    """

    studies: int
    batch_size: int
    sha256: str


@dataclass(frozen=True)
class LocalState:
    """The description of a local model.

    Attributes:
        round: rounds that it was trained for.
        valid_loss: its validation loss in nats.
        valid: what the loss was measured on.
        job_id: of the run that trained it.
        sha256: of the file with its weights.
        pairs: image-text pairs that it was trained on, counting repetitions; 0 if unknown.
    """

    round: int
    valid_loss: float
    valid: ValidSplit
    job_id: str
    sha256: str
    pairs: int = 0


class LocalModel:
    """A site's folder for the model that it trained alone: ``model.safetensors``, ``config.json``, ``state.json``.

    Args:
        folder: if it is absent, the site has no local model.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def state(self) -> LocalState | None:
        """The description, or None if the folder does not hold a model."""
        try:
            fields = json.loads((self.folder / STATE).read_text())
            return LocalState(**fields | {"valid": ValidSplit(**fields["valid"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def fits(self, configuration: Mapping[str, Any], vocabulary_hash: str) -> bool:
        """Whether the model has this configuration and vocabulary."""
        try:
            config = json.loads((self.folder / CONFIG).read_text())
        except (OSError, ValueError):
            return False
        wanted = {"configuration": dict(configuration), "vocabulary_sha256": vocabulary_hash}
        if isinstance(config, dict):
            config.pop(VERSION_KEY, None)  # a model of another version of this software may fit
        return bool(config == json.loads(json.dumps(wanted)))  # as it was saved: JSON knows no tuples

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The model's tensors.

        Raises:
            InputError: if the file is not the one that the site kept.
        """
        digest, state = sha256_of(self.folder / WEIGHTS), self.state
        whole, remedy = state is not None and digest == state.sha256, "Run local_pretrain again."
        got = f"sha256 {digest[:12]}…"
        require(whole, "local model", "be the one that the site kept", got=got, where=FOLDER, remedy=remedy)
        tensors: dict[str, NDArray[Any]] = load_file(self.folder / WEIGHTS)
        return tensors

    def alone_loss(self, valid: ValidSplit, configuration: Mapping[str, Any], vocabulary_hash: str) -> dict[str, float]:
        """``{"alone_loss": nats}`` if the model's loss is comparable with those of a run, else an empty dictionary."""
        state = self.state
        comparable = state is not None and state.valid == valid and self.fits(configuration, vocabulary_hash)
        return {"alone_loss": state.valid_loss} if state is not None and comparable else {}

    def keep(
        self, model: Path, *, round_number: int, valid_loss: float, valid: ValidSplit, job_id: str, pairs: int
    ) -> None:
        """Replaces the local model by a copy of ``model``; a reader sees the old one, the new one, or none."""
        unfinished, former = (self.folder.with_name(f".{self.folder.name}.{part}") for part in ("unfinished", "former"))
        for left in (unfinished, former):
            shutil.rmtree(left, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name in (WEIGHTS, CONFIG):
            shutil.copyfile(model / name, unfinished / name)
        digest = sha256_of(unfinished / WEIGHTS)
        state = LocalState(round_number, valid_loss, valid, job_id, digest, pairs)
        (unfinished / STATE).write_text(json.dumps(asdict(state), indent=1, sort_keys=True))
        if self.folder.exists():
            self.folder.rename(former)
        unfinished.rename(self.folder)
        shutil.rmtree(former, ignore_errors=True)


def sha256_of(file: Path) -> str:
    """The hash of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def local_model_of(site: str, kit: Path, environ: Mapping[str, str]) -> LocalModel:
    """The local model of a site: in its startup kit, or in the folder that the site's FEDAID_LOCAL_MODEL names.

    Args:
        site: its name; it replaces ``{site}`` in the variable.
        kit: the root of the site's startup kit.
        environ: of the site's process.

    Raises:
        InputError: if the variable is not an absolute path.
    """
    setting = environ.get(VARIABLE, "").strip()
    folder = Path(setting.replace(PLACEHOLDER, site)) if setting else kit / FOLDER
    where, got = f"environment of site {site}", "a relative path"
    require(folder.is_absolute(), VARIABLE, "be an absolute path", got=got, where=where, remedy="Correct it.")
    return LocalModel(folder)


def valid_split(valid: StudyDataset, *, batch_size: int) -> ValidSplit:
    """The description of a validation split."""
    digest = hashlib.sha256()
    for ids in valid.token_ids:
        digest.update(len(ids).to_bytes(4, "little") + ids.numpy().tobytes())
    return ValidSplit(len(valid), batch_size, digest.hexdigest())
