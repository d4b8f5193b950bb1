"""What the filter has let pass, and whether the message that is about to be sent is that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hospital_policy.limited_update import Forms
from hospital_policy.rules import PolicyFault

ERROR_HEADER = "fedaid_error"  # where the server of this software looks for the reason of an error
SCALE = "::scale"  # suffix of the scales of a matrix that the job packs into 8 bits
PACKED = (np.dtype(np.uint16), np.dtype(np.int8))  # types of packed matrices
ADDED_METRICS = ("state_lost", "withheld_tensors")  # by the job's own encoder, which has no other way to say it
LONGEST_FIELD = 200_000  # characters of JSON of the fields that the encoder adds


@dataclass(frozen=True)
class Release:
    """An answer that may leave.

    Attributes:
        kind: of data.
        data: tensors, or metrics.
        meta: its other fields.
        details: for the ledger: norm, clip factor, ε.
        model: names, shapes and types of the tensors of the model.
    """

    kind: str
    data: Mapping[str, Any]
    meta: Mapping[str, Any]
    details: Mapping[str, Any]
    model: Forms

    def judge(self, kind: str, data: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
        """Compares a message with this release.

        A tensor must be the released one, bit for bit. A matrix that the job packs into 16 or 8 bits must have its name
        and shape. A tensor of zeros may be left out, and a tensor of the model that a filter has removed may be zeros.

        Raises:
            PolicyFault: if a filter of the job has added or changed something.
        """
        if kind != self.kind:
            raise PolicyFault("the kind of a released answer must stay")
        for name, value in data.items():
            if type(value) is np.ndarray:
                self._judge_tensor(name, value)
            elif name not in self.data or value != self.data[name]:
                raise PolicyFault("a released answer must not change after the policy")
        self._judge_fields(meta)

    def _judge_tensor(self, name: str, value: NDArray[Any]) -> None:
        base = name.removesuffix(SCALE)
        released = self.data.get(base)
        if type(released) is not np.ndarray:
            if (value.shape, value.dtype) != self.model.get(name) or value.any():
                raise PolicyFault(f"tensor {name[:80]} must be released by the policy")
            return
        packed = released.ndim >= 2 and released.dtype == np.float32
        if name != base:
            fits = packed and value.dtype == np.float32 and value.shape == released.shape[:1]
        elif packed and value.dtype in PACKED:
            fits = value.shape == released.shape
        else:
            same = value.dtype == released.dtype and value.shape == released.shape
            fits = same and value.tobytes() == released.tobytes()
        if not fits:
            raise PolicyFault(f"tensor {name[:80]} must not change after the policy")

    def _judge_fields(self, meta: Mapping[str, Any]) -> None:
        for name, value in meta.items():
            if name == "metrics" and isinstance(value, dict) and "metrics" in self.meta:
                added = {n: v for n, v in value.items() if n in ADDED_METRICS and isinstance(v, float)}
                same = {n: v for n, v in value.items() if n not in added} == self.meta["metrics"]
            elif name in ("wire", "holds", "filter_history"):
                same = (
                    name not in self.meta and len(json.dumps(value)) <= LONGEST_FIELD and self._names_only(name, value)
                )
            else:
                same = name in self.meta and self.meta[name] == value
            if not same:
                raise PolicyFault(f"field {name[:40]} of a released answer must not change after the policy")

    def _names_only(self, field: str, value: Any) -> bool:
        """Whether a field that the encoder adds says no more than how the tensors are packed."""
        if field == "filter_history":
            return isinstance(value, list) and all(isinstance(name, str) and name.isidentifier() for name in value)
        if field == "holds":
            return isinstance(value, str) and len(value) <= 80
        still = value.get("still", {}) if isinstance(value, dict) else None
        if not isinstance(still, dict) or value.keys() - {"dtype", "still"}:
            return False
        return value.get("dtype") in ("fp32", "bf16", "int8") and all(
            name in self.model and form == [list(self.model[name][0]), self.model[name][1].str]
            for name, form in still.items()
        )


def digest(data: Mapping[str, Any], meta: Mapping[str, Any]) -> str:
    """The sha256 of a message's content."""
    found = hashlib.sha256()
    for part in parts(data, meta):
        found.update(part)
    return found.hexdigest()


def size(data: Mapping[str, Any], meta: Mapping[str, Any]) -> int:
    """Bytes of a message's arrays, and of its other fields as JSON."""
    arrays = [value for value in data.values() if type(value) is np.ndarray]
    other = {name: value for name, value in data.items() if type(value) is not np.ndarray}
    return sum(array.nbytes for array in arrays) + len(as_json(meta)) + (len(as_json(other)) if other else 0)


def parts(data: Mapping[str, Any], meta: Mapping[str, Any]) -> Iterator[bytes]:
    """The content as bytes: each array with its name, type and shape, in the order of names, then the other fields."""
    for name in sorted(data):
        value = data[name]
        if type(value) is np.ndarray:
            yield json.dumps([name, value.dtype.str, list(value.shape)]).encode()
            yield np.ascontiguousarray(value).tobytes()
        else:
            yield json.dumps([name]).encode() + as_json(value)
    yield as_json(meta)


def as_json(value: Any) -> bytes:
    """JSON with sorted names."""
    return json.dumps(value, sort_keys=True, default=str).encode()
