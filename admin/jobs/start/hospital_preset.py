"""The preset for real sites: pretrained towers that are frozen or get low-rank adapters, and short numbers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from admin.jobs.components import MODEL
from admin.jobs.start.started_job import TRAINS, Start
from fedaid.errors import require
from fedaid.models.local_folder import LOCAL

PRESET = "hospital"
VALUES: Mapping[str, object] = MappingProxyType({"precision": "auto", "wire_dtype": "bf16"})
WITH_ADAPTERS: Mapping[str, object] = MappingProxyType({"gradient_checkpointing": True})
"""Adapters alone save little memory: the activations of all layers stay for them."""
TOWERS = ("image_encoder", "text_encoder")
NAMES = f"persistor.{MODEL}"
WHERE = f"--preset {PRESET}"


def hospital_settings(
    chosen: Mapping[str, object], *, present: Mapping[str, object], start: Start | None
) -> dict[str, object]:
    """Return the preset's settings for a job, overridden by those that a person chose.

    With adapters, chosen or of the start model, the encoders train by them, with gradient checkpointing; without, the
    encoders are frozen. The alignment modules and the temperature train in both cases.

    Args:
        chosen: settings by name, as ``--set`` gives them.
        present: the source job's settings by qualified name.
        start: the finished model that the job starts from, if any.

    Raises:
        InputError: the job does not train, or a tower is neither of a local folder nor of a start model.
    """
    plain = {name.rpartition(".")[2]: value for name, value in present.items()}
    remedy = "Use it with a job that trains."
    require(TRAINS in plain, "--preset", "be left out for this job", got=PRESET, where=WHERE, remedy=remedy)
    given = {name.rpartition(".")[2]: (name, value) for name, value in chosen.items()}
    configuration = start.configuration if start else {}
    adapted = given.get("adapters", ("", configuration.get("adapters")))[1] is not None
    values = {**VALUES, **(WITH_ADAPTERS if adapted else {})}
    settings = {name: value for name, value in values.items() if name in plain and name not in given}
    for tower in TOWERS:
        name, value = given.get(tower, (f"{NAMES}.{tower}", configuration.get(tower, plain.get(tower))))
        settings[name] = tower_settings(tower, value, adapted=adapted, pretrained=start is not None)
    return {**chosen, **settings}


def tower_settings(tower: str, value: object, *, adapted: bool, pretrained: bool) -> object:
    """Return a tower's encoder, frozen unless it has adapters or its settings say otherwise.

    Args:
        tower: name of the setting.
        value: of the setting: a name, or an object of a name and options.
        adapted: whether the encoders train by adapters.
        pretrained: whether the weights come with a start model.

    Raises:
        InputError: the encoder would start from random weights.
    """
    options: dict[str, Any] = dict(value) if isinstance(value, Mapping) else {"name": value}
    local = str(options.get("name")).startswith(LOCAL)
    rule, got = "be a pretrained encoder, local:FOLDER", options.get("name")
    remedy = f"Set {tower}=local:FOLDER, or start from a finished model: --from FOLDER."
    require(local or pretrained, tower, rule, got=got, where=WHERE, remedy=remedy)
    return options if adapted or "frozen" in options else options | {"frozen": True}
