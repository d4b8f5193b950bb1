"""What is exported: a trained model without adapters, and what its run measured."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError

from admin.export.evidence import Evidence, evidence_of_run, evidence_of_state
from admin.run_results import read_results
from fedaid.errors import InputError, require
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import WEIGHTS, load_model, merged_model


@dataclass(frozen=True)
class Source:
    """A model to export.

    Attributes:
        model: in evaluation mode, adapters merged.
        adapted: whether it was trained with adapters.
        sha256: of the folder's ``model.safetensors``.
        evidence: what the run measured; None where nothing is known.
        licence: as a model hub spells it.
    """

    model: DualEncoder
    adapted: bool
    sha256: str
    evidence: Evidence | None
    licence: str = "unknown"


def read_source(folder: Path, *, run: Path | None = None, licence: str = "unknown") -> Source:
    """The model that a run left in a folder.

    Args:
        folder: with ``model.safetensors`` and ``config.json``.
        run: the run folder that it is from, for what was measured on the test splits.
        licence: as a model hub spells it.

    Raises:
        InputError: if the folder holds no such model, or the run ended with another one.
    """
    where, remedy = str(folder), "Give a folder with model.safetensors and config.json, such as build/demo/model."
    rule = "be a model that a run left"
    try:
        loaded = load_model(folder)
    except InputError:
        raise
    except OSError as error:
        got = error.strerror or "no model"
        raise InputError("MODEL_FOLDER", rule, got=got, where=where, remedy=remedy) from error
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        got = f"{type(error).__name__} on loading"
        raise InputError("MODEL_FOLDER", rule, got=got, where=where, remedy=remedy) from error
    sha256 = hash_of(folder)
    adapted = loaded.configuration["adapters"] is not None
    model = merged_model(loaded).eval()
    evidence = evidence_of_state(folder) if run is None else evidence_of_the_run(run, sha256)
    return Source(model, adapted, sha256, evidence, licence)


def evidence_of_the_run(run: Path, sha256: str) -> Evidence | None:
    """What a run measured of its best model, if that is the model that is exported.

    Raises:
        InputError: if it is not, or the run did not get to its end.
    """
    results = read_results(run)
    best = hash_of(results.model) if (results.model / WEIGHTS).is_file() else "no file"
    remedy = "Give the run that the model is from, or none."
    require(best == sha256, "--run", f"end with the model {sha256[:12]}…", got=best[:12], where=str(run), remedy=remedy)
    return evidence_of_run(results)


def hash_of(folder: Path) -> str:
    """Sha256 of a model folder's weights in hex."""
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
