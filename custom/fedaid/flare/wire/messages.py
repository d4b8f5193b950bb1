"""What server and sites say to each other, and how it lies in a FLARE message.

This is the only module that knows the layout of a DXO. Everything in one is a numpy array or plain JSON: an enum or a
dataclass would encode at the sender and end the receiver's process at decoding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.dxo import DXO, DataKind, from_shareable
from nvflare.apis.shareable import Shareable
from nvflare.app_common.app_constant import AppConstants

ALIGN, PRETRAIN, VALIDATE = "align", "pretrain", "validate"
TRAIN = "train"  # in place of the first two where a run has no alignment phase
TRAIN_ALONE, KEEP_ALONE = "train_alone", "keep_alone"  # of jobs/local_pretrain
EVALUATE, LOCAL_MODEL = "evaluate", "local_model"  # of jobs/evaluate_global
GIVEN_MODEL = 0  # number of the task that is about the given model; those after it are about the sites' own
ERROR_HEADER = "fedaid_error"
REFUSED_HEADER = "fedaid_refused"  # true where the server could not read an answer, and not the site its task
LONGEST_ERROR = 500  # characters
LONGEST_RESULT = 1_000_000  # characters of the JSON that an evaluation of one model at one site may be
MOST_FIELDS = 100  # of metrics, counts or meta; far above what a message of ours holds

Arrays = Mapping[str, NDArray[Any]]
Metrics = dict[str, float]


@dataclass(frozen=True)
class ModelMessage:
    """Server → site: tensors to work on.

    Attributes:
        round_number: counted from 0.
        tensors: the alignment modules for ``pretrain``, the whole model for the other tasks.
        configuration: constructor arguments of the model, plain JSON.
        vocabulary_hash: sha256 of the vocabulary file that both sides must use.
    """

    round_number: int
    tensors: Arrays
    configuration: Mapping[str, Any]
    vocabulary_hash: str


@dataclass(frozen=True)
class UpdateMessage:
    """Site → server: how far a phase moved the model, and what was measured.

    Attributes:
        round_number: the round that it answers.
        delta: name → end − start.
        metrics: of the round's model on the validation split (``align``), of training (``pretrain``), or of both.
        pairs: training pairs of the site.
        skipped: reason → studies that could not be used.
    """

    round_number: int
    delta: Arrays
    metrics: Mapping[str, float]
    pairs: int
    skipped: Mapping[str, int]


@dataclass(frozen=True)
class MetricsMessage:
    """Site → server: metrics of a model by split, for ``validate``."""

    round_number: int
    splits: Mapping[str, Mapping[str, float]]


class MalformedMessage(ValueError):
    """A message that does not have the layout of its kind; the text names the part at fault, never its content."""


def model_to_shareable(message: ModelMessage, *, num_rounds: int) -> Shareable:
    """Packs tensors for the sites, with the headers that FLARE's own components look for."""
    meta = {
        "round": message.round_number,
        "configuration": dict(message.configuration),
        "vocabulary_hash": message.vocabulary_hash,
    }
    require_plain(message.tensors)
    shareable = DXO(DataKind.WEIGHTS, data=dict(message.tensors), meta=meta).to_shareable()
    shareable.set_header(AppConstants.CURRENT_ROUND, message.round_number)
    shareable.set_header(AppConstants.NUM_ROUNDS, num_rounds)
    shareable.add_cookie(AppConstants.CONTRIBUTION_ROUND, message.round_number)
    return shareable


def model_from_shareable(shareable: Shareable) -> ModelMessage:
    """Unpacks what the server sent."""
    dxo = read(shareable, DataKind.WEIGHTS)
    meta = dxo.meta
    return ModelMessage(
        part(meta, "round", int), dxo.data, part(meta, "configuration", dict), part(meta, "vocabulary_hash", str)
    )


def update_to_shareable(message: UpdateMessage) -> Shareable:
    """Packs a site's update; its tensors are a difference, which privacy filters of a site know how to treat."""
    require_plain(message.delta)
    return DXO(DataKind.WEIGHT_DIFF, data=dict(message.delta), meta=described(message)).to_shareable()


def described(message: UpdateMessage) -> dict[str, Any]:
    """All of an update but its tensors, as plain numbers."""
    return {
        "round": message.round_number,
        "metrics": {name: float(value) for name, value in message.metrics.items()},
        "pairs": int(message.pairs),
        "skipped": {str(reason): int(count) for reason, count in message.skipped.items()},
    }


def update_from_shareable(shareable: Shareable) -> UpdateMessage:
    """Unpacks a site's update; values are not judged here but by the gate."""
    dxo = read(shareable, DataKind.WEIGHT_DIFF)
    meta = dxo.meta
    return UpdateMessage(
        part(meta, "round", int),
        dxo.data,
        part(meta, "metrics", dict),
        part(meta, "pairs", int),
        part(meta, "skipped", dict),
    )


def report_to_shareable(message: UpdateMessage) -> Shareable:
    """Packs an update that moves nothing: metrics and counts, which no privacy filter takes for a model."""
    meta = described(message)
    return DXO(DataKind.METRICS, data={"metrics": meta.pop("metrics")}, meta=meta).to_shareable()


def is_report(shareable: Shareable) -> bool:
    """Whether a site's answer is of metrics only."""
    try:
        read(shareable, DataKind.METRICS)
    except MalformedMessage:
        return False
    return True


def report_from_shareable(shareable: Shareable) -> UpdateMessage:
    """Unpacks metrics and counts of a site; values are not judged here but by the gate."""
    dxo = read(shareable, DataKind.METRICS)
    meta, metrics = dxo.meta, part(dxo.data, "metrics", dict)
    if len(dxo.data) > 1:
        raise MalformedMessage("report must hold metrics only, got more")
    return UpdateMessage(part(meta, "round", int), {}, metrics, part(meta, "pairs", int), part(meta, "skipped", dict))


def result_to_shareable(round_number: int, result: Mapping[str, Any]) -> Shareable:
    """Packs what a site found of a model, plain JSON, as one text: nothing else can travel in it."""
    text = json.dumps(result, allow_nan=False)
    return DXO(DataKind.METRICS, data={"result": text}, meta={"round": round_number}).to_shareable()


def result_from_shareable(shareable: Shareable) -> tuple[int, Any]:
    """The round that a site answers, and its result; what is in it is not judged here.

    Raises:
        MalformedMessage: if it is too long or no JSON, or anything comes with it.
    """
    dxo = read(shareable, DataKind.METRICS)
    text = part(dxo.data, "result", str)
    if len(dxo.data) > 1:
        raise MalformedMessage("message must hold a result only, got more")
    if len(text) > LONGEST_RESULT:
        raise MalformedMessage(f"result must be at most {LONGEST_RESULT} characters, got {len(text)}")
    try:
        return part(dxo.meta, "round", int), json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage("result must be JSON, got something else") from error


def metrics_to_shareable(message: MetricsMessage) -> Shareable:
    """Packs a site's metrics."""
    data = {split: {name: float(v) for name, v in metrics.items()} for split, metrics in message.splits.items()}
    return DXO(DataKind.METRICS, data=data, meta={"round": message.round_number}).to_shareable()


def metrics_from_shareable(shareable: Shareable) -> MetricsMessage:
    """Unpacks a site's metrics."""
    dxo = read(shareable, DataKind.METRICS)
    return MetricsMessage(part(dxo.meta, "round", int), {name: part(dxo.data, name, dict) for name in dxo.data})


def read(shareable: Shareable, kind: str) -> DXO:
    """The DXO of the wanted kind in a message.

    Raises:
        MalformedMessage: if there is none.
    """
    try:
        dxo = from_shareable(shareable)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MalformedMessage("message must hold a DXO") from error
    if dxo.data_kind != kind or not isinstance(dxo.data, dict) or not isinstance(dxo.meta, dict):
        raise MalformedMessage(f"message must be of kind {kind}")
    if len(dxo.meta) > MOST_FIELDS:
        raise MalformedMessage(f"message must have at most {MOST_FIELDS} meta fields, got {len(dxo.meta)}")
    return dxo


def part(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    """A field of the wanted type; a bool is no number.

    Raises:
        MalformedMessage: naming the field.
    """
    value = fields.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise MalformedMessage(f"{name} must be of type {kind.__name__}, got {type(value).__name__}")
    return value


def require_plain(arrays: Arrays) -> None:
    """The last check before tensors leave a process: numpy arrays of numbers and nothing else.

    Raises:
        MalformedMessage: naming the tensor.
    """
    for name, array in arrays.items():
        if type(array) is not np.ndarray or array.dtype.kind not in "fiub":
            raise MalformedMessage(f"tensor {name} must be a numpy array of numbers, got {type(array).__name__}")
