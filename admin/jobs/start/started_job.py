"""A job whose run starts from a finished model: its weights go into the app, its architecture into the configs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from admin.jobs.components import MODEL, components
from admin.jobs.evaluated_model import saved_configuration
from admin.jobs.folder import CONFIGS, config_files, read_object, write_object
from fedaid.errors import require
from fedaid.flare.store.architecture import described, require_same_architecture, require_same_tokens
from fedaid.flare.store.start_model import FOLDER, StartModel, start_tensors
from fedaid.models.configuration import without_folders
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import CONFIG, WEIGHTS
from fedaid.package_hash import STATED
from fedaid.sealed_folder import description, seal

TRAINS = "pretrain_steps"  # a setting of every job that trains
PERSISTOR = "persistor"


@dataclass(frozen=True)
class Start:
    """A model that a job starts from.

    Attributes:
        folder: with ``model.safetensors`` and ``config.json``.
        towers_only: whether to take the encoders only; alignment modules and logit scale are then drawn anew.
        name: for the records; empty for the folder's name.
    """

    folder: Path
    towers_only: bool = False
    name: str = ""

    @property
    def recorded_name(self) -> str:
        """The name without the path and without characters that a record should not hold."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", self.name or self.folder.resolve().name)[:80] or "model"

    @property
    def where(self) -> str:
        """For messages."""
        return f"--from {self.recorded_name}"

    @property
    def configuration(self) -> dict[str, Any]:
        """Constructor arguments of the model.

        Raises:
            InputError: the folder holds no model, or a damaged one.
        """
        return saved_configuration(self.folder, option="--from")


def add_start(job: Path, start: Start, *, chosen: Mapping[str, object]) -> None:
    """Copy the start model into the server's app, and give the job its architecture.

    Settings of the model that a person chose must be those of the start model, except what does not change its
    tensors: the seed, whether an encoder is frozen, and adapters for a model that has none.

    Args:
        job: the folder of a job that is being packaged, with its settings.
        start: the model.
        chosen: the settings that a person chose, by name.

    Raises:
        InputError: the job does not train, or the first difference of the two models.
    """
    (file,) = (file for file in config_files(job) if file.name == CONFIGS[0])
    require_training(job, start)
    content, configuration = read_object(file), start.configuration
    parts = {part.label: part for part in components(content, file)}
    model, persistor = parts[f"{PERSISTOR}.{MODEL}"], parts[PERSISTOR]
    wanted = dict(configuration)
    for key in model.args:
        if {key, f"{model.label}.{key}"} & chosen.keys():
            wanted[key] = model.args[key]
    wanted, before = described(wanted), described(configuration)
    require_same_architecture(wanted, before, towers_only=start.towers_only, where=start.where)
    require_same_tokens(wanted, str(read_object(start.folder / CONFIG).get("vocabulary_sha256")), where=start.where)
    model.args.clear()
    model.args.update(wanted)
    facts = copied(file.parent.parent, start)
    stated = facts._replace(sha256=facts.sha256[:STATED])
    persistor.args.update({f"start_{name}": value for name, value in stated._asdict().items()})
    require_fitting(file.parent.parent, wanted, facts)
    write_object(file, content)


def require_training(job: Path, start: Start) -> None:
    """Refuse a start model for a job that trains nothing."""
    texts = [file.read_text(encoding="utf-8") for file in config_files(job)]
    remedy = "Give an evaluation its model with --model FOLDER."
    trains = any(f'"{TRAINS}"' in text for text in texts)
    require(trains, "--from", "be left out for this job", got=start.recorded_name, where=job.name, remedy=remedy)


def copied(app: Path, start: Start) -> StartModel:
    """Copy the model's files into the app, sealed, and return what the job's configuration says about them."""
    folder = app / FOLDER
    folder.mkdir()
    for part in (WEIGHTS, CONFIG):
        shutil.copyfile(start.folder / part, folder / part)
    seal(folder)
    return StartModel(start.recorded_name, description(folder / WEIGHTS)["sha256"], start.towers_only)


def require_fitting(app: Path, configuration: Mapping[str, Any], start: StartModel) -> None:
    """Refuse a file whose tensors do not fit the job's model."""
    with torch.device("meta"):
        model = DualEncoder(**without_folders(configuration))
    state = model.state_dict()
    specs = {name: (tuple(t.shape), str(t.dtype).removeprefix("torch.")) for name, t in state.items()}
    start_tensors(app, specs, start)
