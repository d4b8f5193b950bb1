"""Encodes tensors for the wire: matrices in 16 or 8 bits, all other tensors unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float32]

WIRE_DTYPES = ("fp32", "bf16", "int8")
SCALE = "::scale"  # suffix of the scales that go with an int8 matrix
QUIET_NAN = np.uint16(0x7FC0)
LARGEST = 127
SMALLEST_SCALE = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Packed:
    """The tensors of a message as they travel.

    Attributes:
        tensors: name → array.
        layout: plain JSON that says how the tensors are encoded; None if they are not.
        holds: of an answer: the version of the model that the site holds.
        metrics: of an answer: metrics that the filter adds to those of the site.
    """

    tensors: Arrays
    layout: Any = None
    holds: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


def encode(arrays: Arrays, dtype: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Returns the encoded arrays, and the JSON that :func:`decode` needs.

    Only float32 tensors with two or more axes are encoded. Vectors, scalars and whole numbers (biases, norms, the
    statistics of batch norm and its counters) are a hundredth of a real model and stay exact.

    Args:
        arrays: name → tensor. The error of ``int8`` is a share of the largest value, so differences suit it best.
        dtype: one of :data:`WIRE_DTYPES`; ``fp32`` encodes nothing.

    Raises:
        ValueError: if a tensor has the type that marks an encoded one.
    """
    mark = {"fp32": None, "bf16": np.dtype(np.uint16), "int8": np.dtype(np.int8)}[dtype]
    sent: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.dtype == mark:
            raise ValueError(f"tensor {name} must not have type {mark}: it marks tensors in {dtype}")
        if mark is None or not is_packable(array):
            sent[name] = array
        elif dtype == "bf16":
            sent[name] = to_bf16(array)
        else:
            sent[name], sent[name + SCALE] = to_int8(array)
    return sent, {"dtype": dtype}


def decode(sent: Arrays, layout: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Returns the arrays that :func:`encode` encoded, within its error; the gate judges the values.

    Raises:
        ValueError: if the arrays do not fit the layout.
    """
    dtype = layout.get("dtype")
    if dtype not in WIRE_DTYPES:
        raise ValueError(f"wire dtype must be one of {', '.join(WIRE_DTYPES)}")
    if dtype == "fp32":
        return dict(sent)
    if dtype == "bf16":
        return {name: from_bf16(array) if array.dtype == np.uint16 else array for name, array in sent.items()}
    names = [name for name in sent if not name.endswith(SCALE)]
    if any(name.removesuffix(SCALE) not in sent for name in sent):
        raise ValueError("every scale must have its matrix")
    return {
        name: from_int8(sent[name], sent.get(name + SCALE)) if sent[name].dtype == np.int8 else sent[name]
        for name in names
    }


def is_packable(array: NDArray[Any]) -> bool:
    """Whether a tensor is encoded."""
    return array.ndim >= 2 and array.dtype == np.float32 and array.size > 0


def to_bf16(array: Floats) -> NDArray[np.uint16]:
    """The upper 16 bits of float32, rounded to nearest, ties to even; NaN stays NaN. numpy has no such type."""
    bits = np.ascontiguousarray(array).view(np.uint32)
    rounded = (bits + (np.uint32(0x7FFF) + ((bits >> 16) & 1))) >> 16
    return np.asarray(np.where(np.isnan(array), QUIET_NAN, rounded.astype(np.uint16)), np.uint16)


def from_bf16(bits: NDArray[np.uint16]) -> Floats:
    """Converts bfloat16 bit patterns to float32, exactly."""
    return np.asarray(np.ascontiguousarray(bits).astype(np.uint32) << 16, np.uint32).view(np.float32)


def to_int8(array: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Divides each row (output channel) of a matrix into whole steps of −127..127.

    Returns:
        The steps, with the shape of ``array``, and the scales, shape (rows,): the largest value of a row over 127. The
        error after :func:`from_int8` is at most half a scale. A row below 127 times the smallest normal number becomes
        0. A row that is not finite gets a scale that is not finite.
    """
    rows = np.ascontiguousarray(array).reshape(len(array), -1)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        scales = np.asarray(np.abs(rows).max(axis=1) / np.float32(LARGEST), np.float32)
        scales[scales < SMALLEST_SCALE] = 0
        steps = np.rint(rows / np.where(scales == 0, np.float32(np.inf), scales)[:, None])
        whole = np.clip(np.nan_to_num(steps), -LARGEST, LARGEST).astype(np.int8)
    return whole.reshape(array.shape), scales


def from_int8(steps: NDArray[np.int8], scales: Floats | None) -> Floats:
    """Returns steps times scales as float32.

    Raises:
        ValueError: if there is not one scale for each row.
    """
    fits = scales is not None and steps.ndim >= 2 and scales.dtype == np.float32 and scales.shape == steps.shape[:1]
    if scales is None or not fits:
        raise ValueError("an int8 matrix must have one float32 scale for each row")
    with np.errstate(invalid="ignore"):
        spread = steps.astype(np.float32) * scales.reshape(-1, *[1] * (steps.ndim - 1))
    return np.asarray(spread, np.float32)
