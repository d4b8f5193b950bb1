"""What is exported: a trained model without adapters, and what its run measured."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError

from admin.model.export.run_evidence import Evidence, evidence_of_run, evidence_of_state
from admin.results.run_results import read_results
from fedaid.errors import InputError, require
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import CONFIG, WEIGHTS, load_model, merged_model
from fedaid.version import VERSION_KEY


@dataclass(frozen=True)
class Source:
    """A model to export.

    Attributes:
        model: in evaluation mode, adapters merged.
        adapted: whether it was trained with adapters.
        sha256: of the folder's ``model.safetensors``.
        evidence: what the run measured; None where nothing is known.
        licence: as a model hub spells it.
        trained_by: version of this software that trained it; empty where the folder does not state it.
    """

    model: DualEncoder
    adapted: bool
    sha256: str
    evidence: Evidence | None
    licence: str = "unknown"
    trained_by: str = ""


def read_source(folder: Path, *, run: Path | None = None, licence: str = "unknown") -> Source:
    """The model that a run left in a folder.

    Args:
        folder: with ``model.safetensors`` and ``config.json``.
        run: the run folder that it is from, for what was measured on the test splits.
        licence: as a model hub spells it.

    Raises:
        InputError: if the folder holds no such model, or the run ended with another one.
    """
    with refusal("MODEL_FOLDER", "be a model that a run left", where=str(folder)):
        loaded = load_model(folder)
        sha256 = hash_of(folder)
        trained_by = str(json.loads((folder / CONFIG).read_text(encoding="utf-8")).get(VERSION_KEY, ""))
        evidence = evidence_of_state(folder)
    if run is not None:
        with refusal("--run", "be the folder of a finished run", where=str(run)):
            evidence = evidence_of_the_run(run, sha256)
    adapted = loaded.configuration["adapters"] is not None
    return Source(merged_model(loaded).eval(), adapted, sha256, evidence, licence, trained_by)


@contextmanager
def refusal(name: str, rule: str, *, where: str) -> Iterator[None]:
    """Says in one line that files cannot be read as what they should be.

    Raises:
        InputError: for whatever reading them raises.
    """
    remedy = "Give a folder as a run left it, such as build/demo/model, or for --run the one with app_server."
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(name, rule, got=error.strerror or "no such file", where=where, remedy=remedy) from error
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise InputError(name, rule, got=f"{type(error).__name__} on reading", where=where, remedy=remedy) from error


def evidence_of_the_run(run: Path, sha256: str) -> Evidence | None:
    """What a run measured of its best model, if that is the model that is exported.

    Raises:
        InputError: if it is not, the run did not get to its end, or its sites trained alone.
    """
    results = read_results(run)
    alone, remedy = results.best_round < 0, "Leave it out: such a run has no model of all sites, and no numbers of one."
    require(not alone, "--run", "be one of a federation", got="sites alone", where=str(run), remedy=remedy)
    best = hash_of(results.model) if (results.model / WEIGHTS).is_file() else "no file"
    remedy = "Give the run that the model is from, or none."
    require(best == sha256, "--run", f"end with the model {sha256[:12]}…", got=best[:12], where=str(run), remedy=remedy)
    return evidence_of_run(results)


def hash_of(folder: Path) -> str:
    """Sha256 of a model folder's weights in hex."""
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
