"""The source of an export: a trained model with merged adapters, and the measurements of its run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError

from admin.model.export.run_evidence import Evidence, evidence_of_run, evidence_of_state, state_of
from admin.results.run_results import read_results
from fedaid.errors import InputError, require
from fedaid.flare.store.start_model import START, StartModel
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import CONFIG, WEIGHTS, load_model, merged_model
from fedaid.version import VERSION_KEY


@dataclass(frozen=True)
class Source:
    """A model to export.

    Attributes:
        model: the model in evaluation mode, adapters merged.
        adapted: whether the model was trained with adapters.
        sha256: hash of the folder's ``model.safetensors``.
        evidence: the run's measurements; None if unknown.
        licence: the licence, as model hubs write it.
        trained_by: version of this software that trained the model; empty if the folder does not state it.
        start: the model that its run started from; None if it was drawn, or if the folder does not state it.
    """

    model: DualEncoder
    adapted: bool
    sha256: str
    evidence: Evidence | None
    licence: str = "unknown"
    trained_by: str = ""
    start: StartModel | None = None


def read_source(folder: Path, *, run: Path | None = None, licence: str = "unknown") -> Source:
    """Read the model that a run wrote to a folder.

    Args:
        folder: the folder with ``model.safetensors`` and ``config.json``.
        run: the model's run folder, for the metrics on the test splits.
        licence: the licence, as model hubs write it.

    Raises:
        InputError: the folder has no such model, or the run's best model is another one.
    """
    with refusal("MODEL_FOLDER", "be a model that a run left", where=str(folder)):
        loaded = load_model(folder)
        sha256 = hash_of(folder)
        trained_by = str(json.loads((folder / CONFIG).read_text(encoding="utf-8")).get(VERSION_KEY, ""))
        evidence, state = evidence_of_state(folder), state_of(folder)
        start = StartModel(**state[START]) if START in state else None
    if run is not None:
        with refusal("--run", "be the folder of a finished run", where=str(run)):
            evidence = evidence_of_the_run(run, sha256)
    adapted = loaded.configuration["adapters"] is not None
    return Source(merged_model(loaded).eval(), adapted, sha256, evidence, licence, trained_by, start)


@contextmanager
def refusal(name: str, rule: str, *, where: str) -> Iterator[None]:
    """Turn every error of reading files into an error of one line.

    Raises:
        InputError: reading the files raised an error.
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
    """Return the run's measurements of its best model, if it is the exported one.

    Raises:
        InputError: the exported model is another one, the run did not finish, or its sites trained alone.
    """
    results = read_results(run)
    alone, remedy = results.best_round < 0, "Leave it out: such a run has no model of all sites, and no numbers of one."
    require(not alone, "--run", "be one of a federation", got="sites alone", where=str(run), remedy=remedy)
    best = hash_of(results.model) if (results.model / WEIGHTS).is_file() else "no file"
    remedy = "Give the run that the model is from, or none."
    require(best == sha256, "--run", f"end with the model {sha256[:12]}…", got=best[:12], where=str(run), remedy=remedy)
    return evidence_of_run(results)


def hash_of(folder: Path) -> str:
    """Return the SHA-256 of a model folder's weights in hex."""
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
