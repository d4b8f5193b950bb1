"""What the filters of a site leave of its answer, brought back to the tensors that the server expects.

A filter that computes with plain numpy changes more than values: arithmetic turns an array without axes into a numpy
scalar, and float32 into float64. A filter may also remove tensors on purpose. What is clear in meaning is brought back;
anything else is an error at the site, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.shareable import Shareable

from fedaid.flare.wire.message_fields import COUNTERS, RUN
from fedaid.flare.wire.messages import UPDATE, peek
from fedaid.flare.wire.tasks import MalformedMessage

NUMBERS = "fiub"  # kinds of numpy types
NEEDED = frozenset({"round", "metrics", "pairs", "skipped", RUN, COUNTERS})  # fields of an update
LONGEST_NAME = 80  # characters of a name in an error
FILTER = "a filter of this site (local/privacy.json or the job)"


@dataclass(frozen=True)
class AnswerForm:
    """The form of an update before the filters of the site.

    Attributes:
        tensors: name → shape and type.
        fields: names of the other fields that the server needs.
    """

    tensors: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]
    fields: frozenset[str]


def form_of(answer: object) -> AnswerForm | None:
    """The form of an update as the executor made it; None for every other answer."""
    dxo = peek(answer) if isinstance(answer, Shareable) and answer.get_return_code() == ReturnCode.OK else None
    if dxo is None or dxo.data_kind != UPDATE or not isinstance(dxo.data, dict):
        return None
    tensors = {name: (tensor.shape, tensor.dtype) for name, tensor in dxo.data.items() if type(tensor) is np.ndarray}
    return AnswerForm(tensors, frozenset(dxo.meta) & NEEDED)


def brought_back(answer: Shareable, form: AnswerForm | None) -> tuple[Shareable, list[str]]:
    """The answer with its tensors in the form that they had before the filters, and the names of removed tensors.

    A removed tensor becomes zeros: the site does not move it. Numpy scalars become arrays without axes, and in the
    other fields plain numbers.

    Args:
        answer: after the filters.
        form: before the filters; without it, scalars become arrays and types stay.

    Raises:
        MalformedMessage: if a filter has added, reshaped or emptied something, or changed whole numbers to fractions.
    """
    if answer.get_return_code() != ReturnCode.OK:
        return answer, []
    dxo = peek(answer)
    if form is not None and (dxo is None or dxo.data_kind != UPDATE):
        raise MalformedMessage(f"answer must stay an update of kind {UPDATE}: {FILTER} has changed it")
    if dxo is None or dxo.data_kind != UPDATE or not isinstance(dxo.data, dict) or not isinstance(dxo.meta, dict):
        return answer, []
    removed: list[str] = []
    if form is None:
        dxo.data = {name: np.asarray(value) if is_number(value) else value for name, value in dxo.data.items()}
    else:
        judge_names(dxo.data, dxo.meta, form)
        removed = [name for name in form.tensors if name not in dxo.data]
        dxo.data = {
            name: np.zeros(*spec) if name in removed else fitted(name, dxo.data[name], *spec)
            for name, spec in form.tensors.items()
        }
    dxo.meta = {name: plain(value) for name, value in dxo.meta.items()}
    changed: Shareable = dxo.update_shareable(answer)
    return changed, removed


def judge_names(data: Mapping[str, Any], meta: Mapping[str, Any], form: AnswerForm) -> None:
    """Raises :class:`MalformedMessage` if a filter has added a tensor, removed every tensor, or removed a field."""
    extra = sorted(str(name)[:LONGEST_NAME] for name in data.keys() - form.tensors.keys())
    if extra:
        raise MalformedMessage(f"tensor {extra[0]} must be of the update: {FILTER} has added it ({len(extra)} in all)")
    if form.tensors and not data:
        raise MalformedMessage(f"an update must hold at least one tensor: {FILTER} has removed all of them")
    missing = sorted(form.fields - meta.keys())
    if missing:
        remedy = "Change dxo.data and return the same dxo"
        raise MalformedMessage(f"field {missing[0]} of the update must stay: {FILTER} has removed it. {remedy}")


def fitted(name: str, value: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A value as an array of this shape and type.

    Raises:
        MalformedMessage: for another shape, for something else than numbers, and if the type cannot hold the values.
    """
    subject = f"tensor {name[:LONGEST_NAME]}"
    if not (type(value) is np.ndarray or is_number(value)):
        raise MalformedMessage(f"{subject} must be a numpy array of numbers, got {type(value).__name__}: {FILTER}")
    array = np.asarray(value)
    if array.dtype.kind not in NUMBERS:
        raise MalformedMessage(f"{subject} must be a numpy array of numbers, got {array.dtype.name}: {FILTER}")
    if array.shape != shape:
        raise MalformedMessage(f"{subject} must have shape {shape}, got {array.shape}: {FILTER}")
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore", invalid="ignore"):
        cast = array.astype(dtype)
    if dtype.kind == "f" and np.isfinite(array).all() and not np.isfinite(cast).all():
        raise MalformedMessage(f"{subject} must be within the range of {dtype}: {FILTER}")
    if dtype.kind != "f" and not np.array_equal(cast, array):
        raise MalformedMessage(f"{subject} must hold whole numbers ({dtype}), got {array.dtype}: {FILTER}")
    return cast


def is_number(value: object) -> bool:
    """Whether this is a single number, of numpy or of Python; a bool is not one."""
    return (isinstance(value, np.generic) and value.dtype.kind in NUMBERS) or type(value) in (int, float)


def plain(value: Any) -> Any:
    """A field with its numpy scalars as plain numbers; a loop in it is left for the check of the whole answer."""
    if isinstance(value, np.generic) and value.dtype.kind in NUMBERS:
        return value.item()
    if type(value) is dict:
        return {name: inner if type(inner) in (dict, list) else plain(inner) for name, inner in value.items()}
    return value
