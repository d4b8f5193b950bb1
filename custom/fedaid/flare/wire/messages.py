"""Packs tasks and answers into FLARE messages, and unpacks them.

This is the only module that knows the layout of a DXO. A DXO holds numpy arrays and plain JSON only. FLARE would encode
an enum or a dataclass at the sender, but decoding it would end the receiver's process.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from nvflare.apis.dxo import DXO, DataKind, from_shareable
from nvflare.apis.dxo_filter import DXOFilter
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.app_common.app_constant import AppConstants

from fedaid.flare.wire.codec import Packed
from fedaid.flare.wire.message_fields import COUNTERS, counters_of, described, is_counter, part, stamp_of, stamped
from fedaid.flare.wire.tasks import (
    MOST_FIELDS,
    Arrays,
    MalformedMessage,
    MetricsMessage,
    ModelMessage,
    UpdateMessage,
)

LONGEST_RESULT = 1_000_000  # characters of JSON: the evaluation of one model at one site
WIRE = "wire"  # meta field of a message: how its tensors are encoded
TRAINED = "trained"  # meta field of a task: site → the last round that it took part in
BEGAN = "began"  # meta field of a task: which run of this name it is
HOLDS = "holds"  # meta field of an answer: the version of the model that the site holds
MODEL, UPDATE = DataKind.WEIGHTS, DataKind.WEIGHT_DIFF  # kinds of messages with tensors


def model_to_shareable(message: ModelMessage, *, num_rounds: int) -> Shareable:
    """Packs tensors for the sites, with the headers that FLARE's own components look for."""
    meta = {
        "round": message.round_number,
        "configuration": dict(message.configuration),
        "vocabulary_hash": message.vocabulary_hash,
        **stamped(message.run),
    }
    if message.run:
        meta |= {TRAINED: dict(message.trained), BEGAN: message.run.began}
    require_plain(message.tensors)
    shareable = DXO(MODEL, data=dict(message.tensors), meta=meta).to_shareable()
    shareable.set_header(AppConstants.CURRENT_ROUND, message.round_number)
    shareable.set_header(AppConstants.NUM_ROUNDS, num_rounds)
    shareable.add_cookie(AppConstants.CONTRIBUTION_ROUND, message.round_number)
    return shareable


def model_from_shareable(shareable: Shareable) -> ModelMessage:
    """Unpacks what the server sent."""
    dxo = read(shareable, MODEL)
    meta = dxo.meta
    number, configuration = part(meta, "round", int), part(meta, "configuration", dict)
    vocabulary_hash, run = part(meta, "vocabulary_hash", str), stamp_of(meta)
    trained = part(meta, TRAINED, dict) if run else {}
    run = replace(run, began=part(meta, BEGAN, str)) if run and BEGAN in meta else run
    return ModelMessage(number, dxo.data, configuration, vocabulary_hash, run, trained)


def total_to_shareable(tensors: Arrays) -> Shareable:
    """Packs the aggregated model for FLARE's base controller."""
    return DXO(MODEL, data=dict(tensors)).to_shareable()


def update_to_shareable(message: UpdateMessage) -> Shareable:
    """Packs a site's update as a difference, so that the privacy filters of the site treat it as one.

    Counters are among the other fields: as tensors they would dominate the norm that a filter computes.
    """
    require_plain(message.delta)
    counters = {name: int(tensor) for name, tensor in message.delta.items() if is_counter(tensor)}
    data = {name: tensor for name, tensor in message.delta.items() if name not in counters}
    meta = described(message) | ({COUNTERS: counters} if counters else {})
    return DXO(UPDATE, data=data, meta=meta).to_shareable()


def update_from_shareable(shareable: Shareable) -> UpdateMessage:
    """Unpacks a site's update; the gate judges its values."""
    dxo = read(shareable, UPDATE)
    counters = counters_of(dxo.meta)
    if counters.keys() & dxo.data.keys():
        raise MalformedMessage("a counter must not also be a tensor of the update")
    return update_of(dxo.meta, dxo.data | counters, metrics=part(dxo.meta, "metrics", dict))


def report_to_shareable(message: UpdateMessage) -> Shareable:
    """Packs metrics and counts without tensors; privacy filters do not treat such a message as a model."""
    meta = described(message)
    return DXO(DataKind.METRICS, data={"metrics": meta.pop("metrics")}, meta=meta).to_shareable()


def is_report(shareable: Shareable) -> bool:
    """Whether a site's answer holds metrics only."""
    try:
        read(shareable, DataKind.METRICS)
    except MalformedMessage:
        return False
    return True


def report_from_shareable(shareable: Shareable) -> UpdateMessage:
    """Unpacks metrics and counts of a site; the gate judges their values."""
    dxo = read(shareable, DataKind.METRICS)
    metrics = part(dxo.data, "metrics", dict)
    if len(dxo.data) > 1:
        raise MalformedMessage(f"report must hold metrics only, got {len(dxo.data)} fields")
    return update_of(dxo.meta, {}, metrics=metrics)


def update_of(meta: Mapping[str, Any], delta: Arrays, *, metrics: Mapping[str, float]) -> UpdateMessage:
    """An update from the fields of a message."""
    pairs, skipped = part(meta, "pairs", int), part(meta, "skipped", dict)
    return UpdateMessage(part(meta, "round", int), delta, metrics, pairs, skipped, stamp_of(meta))


def result_to_shareable(round_number: int, result: Mapping[str, Any]) -> Shareable:
    """Packs a site's evaluation of a model, plain JSON, as one text, so that it cannot carry anything else."""
    text = json.dumps(result, allow_nan=False)
    return DXO(DataKind.METRICS, data={"result": text}, meta={"round": round_number}).to_shareable()


def result_from_shareable(shareable: Shareable) -> tuple[int, Any]:
    """The round that a site answers, and its result; the ballot judges its values.

    Raises:
        MalformedMessage: if the result is too long or not JSON, or if the message holds anything else.
    """
    dxo = read(shareable, DataKind.METRICS)
    text = part(dxo.data, "result", str)
    if len(dxo.data) > 1:
        raise MalformedMessage(f"message must hold a result only, got {len(dxo.data)} fields")
    if len(text) > LONGEST_RESULT:
        raise MalformedMessage(f"result must be at most {LONGEST_RESULT} characters, got {len(text)}")
    try:
        return part(dxo.meta, "round", int), json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage("result must be JSON, got a text that cannot be parsed") from error


def metrics_to_shareable(message: MetricsMessage) -> Shareable:
    """Packs a site's metrics."""
    data = {split: {name: float(v) for name, v in metrics.items()} for split, metrics in message.splits.items()}
    return DXO(DataKind.METRICS, data=data, meta={"round": message.round_number}).to_shareable()


def metrics_from_shareable(shareable: Shareable) -> MetricsMessage:
    """Unpacks a site's metrics."""
    dxo = read(shareable, DataKind.METRICS)
    return MetricsMessage(part(dxo.meta, "round", int), {name: part(dxo.data, name, dict) for name in dxo.data})


class TensorFilter(DXOFilter):  # type: ignore[misc]
    """A FLARE filter that encodes or decodes the tensors of a message and leaves its other fields unchanged.

    Args:
        kind: :data:`MODEL` or :data:`UPDATE`; messages of another kind pass unchanged.
    """

    def __init__(self, kind: str) -> None:
        super().__init__([kind], [kind])

    @abstractmethod
    def convert(self, packed: Packed, shareable: Shareable, fl_ctx: FLContext) -> Packed | None:
        """The tensors for the next filter, or None to let the message pass unchanged."""

    def process_dxo(self, dxo: DXO, shareable: Shareable, fl_ctx: FLContext) -> DXO | None:
        """Unpacks the tensors, converts them and packs them again."""
        found = self.convert(Packed(dxo.data, dxo.meta.get(WIRE)), shareable, fl_ctx)
        if found is None:
            return None
        meta = {name: value for name, value in dxo.meta.items() if name != WIRE}
        meta |= {} if found.layout is None else {WIRE: found.layout}
        meta |= {} if found.holds is None else {HOLDS: found.holds}
        meta |= {"metrics": {**meta["metrics"], **found.metrics}} if found.metrics else {}
        return DXO(dxo.data_kind, data=dict(found.tensors), meta=meta)


def held_version(answer: Shareable) -> str | None:
    """The version of the model that a site holds, as its answer says; None for an error or a broken answer."""
    dxo = peek(answer) if answer.get_return_code() == ReturnCode.OK else None
    version = dxo.get_meta_prop(HOLDS) if dxo else None
    return version if isinstance(version, str) else None


def message_bytes(message: Shareable) -> int:
    """Bytes of a message's arrays and of its JSON; headers of FLARE and of the network are not counted."""
    dxo = peek(message)
    if dxo is None:
        return 0
    values = list((dxo.data or {}).values())
    fields = [dxo.meta, *(value for value in values if not isinstance(value, np.ndarray))]
    text = sum(len(json.dumps(field, default=str, skipkeys=True)) for field in fields)
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray)) + text


def peek(message: Shareable) -> DXO | None:
    """The DXO in a message of any kind, or None if it does not hold one."""
    try:
        return from_shareable(message)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def read(shareable: Shareable, kind: str) -> DXO:
    """The DXO in a message.

    Raises:
        MalformedMessage: if the message does not hold a DXO of this kind.
    """
    dxo = peek(shareable)
    if dxo is None:
        raise MalformedMessage("message must hold a DXO")
    if dxo.data_kind != kind or not isinstance(dxo.data, dict) or not isinstance(dxo.meta, dict):
        raise MalformedMessage(f"message must be of kind {kind}")
    if len(dxo.meta) > MOST_FIELDS:
        raise MalformedMessage(f"message must have at most {MOST_FIELDS} meta fields, got {len(dxo.meta)}")
    return dxo


def require_plain(arrays: Arrays) -> None:
    """Checks that the tensors of a message are numpy arrays of numbers before they leave the process.

    Raises:
        MalformedMessage: naming the tensor.
    """
    for name, array in arrays.items():
        if type(array) is not np.ndarray or array.dtype.kind not in "fiub":
            raise MalformedMessage(f"tensor {name} must be a numpy array of numbers, got {type(array).__name__}")
