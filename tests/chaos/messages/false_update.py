"""Every kind of false update that a site could send in place of a sound one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from nvflare.apis.fl_constant import ReservedKey
from nvflare.apis.shareable import Shareable

from fedaid.flare.wire.tasks import ALIGN, PRETRAIN

Spoil = Callable[[Shareable], Shareable]
NAN, INFINITE, MANY = float("nan"), float("inf"), 100_000
CULPRIT, HONEST, STRANGER = "site-c", ("site-a", "site-b"), "site-x"
INSTEAD, SECOND, LATE, LATE_AS_ANSWER, FROM_STRANGER = "instead", "second", "late", "late as answer", "from stranger"


@dataclass(frozen=True)
class FalseUpdate:
    """One false update.

    Attributes:
        kind: of the catalogue in docs/reliability.md; several updates may be of one kind.
        name: of this update.
        spoil: a sound reply → the false one; it may change its argument, which is a copy.
        arrives: in place of the site's answer, after it, in the next phase, or from a site that is not in the run.
        phases: tasks in which it can be sent.
    """

    kind: str
    name: str
    spoil: Spoil = lambda reply: reply
    arrives: str = INSTEAD
    phases: tuple[str, ...] = (ALIGN, PRETRAIN)

    def of(self, reply: Shareable) -> Shareable:
        """The false reply; the sound one does not change."""
        return self.spoil(copy.deepcopy(reply))


def matrix_of(data: Mapping[str, Any]) -> str:
    """The first matrix of an update."""
    return next(name for name, tensor in sorted(data.items()) if tensor.ndim == 2 and tensor.dtype == np.float32)


def tensor(change: Callable[[Any], Any], *, named: str = "") -> Spoil:
    """Changes one tensor: the first matrix, or the first whose name ends so."""

    def spoil(reply: Shareable) -> Shareable:
        data = reply["DXO"]["data"]
        name = next((one for one in sorted(data) if one.endswith(named)), "") if named else matrix_of(data)
        data[name] = change(data[name])
        return reply

    return spoil


def element(value: float) -> Spoil:
    """One element of one tensor."""

    def change(array: Any) -> Any:
        array[-1, -1] = value
        return array

    return tensor(change)


def scaled(factor: float, *, last: str = "") -> Spoil:
    """All tensors of floats, or those whose last part of the name is ``last``."""

    def spoil(reply: Shareable) -> Shareable:
        data = reply["DXO"]["data"]
        for name, array in data.items():
            if array.dtype.kind == "f" and (not last or name.rpartition(".")[2] == last):
                data[name] = np.asarray(array * np.float32(factor))
        return reply

    return spoil


def names(change: Callable[[dict[str, Any], str], dict[str, Any]]) -> Spoil:
    """Other tensors: a function of the tensors and of the name of one."""

    def spoil(reply: Shareable) -> Shareable:
        data = reply["DXO"]["data"]
        reply["DXO"]["data"] = change(data, matrix_of(data))
        return reply

    return spoil


def field(name: str, value: Any) -> Spoil:
    """One field of the meta data."""

    def spoil(reply: Shareable) -> Shareable:
        reply["DXO"]["meta"][name] = value
        return reply

    return spoil


def without(*path: str) -> Spoil:
    """A field is missing."""

    def spoil(reply: Shareable) -> Shareable:
        at = reply["DXO"]["meta"]
        for name in path[:-1]:
            at = at[name]
        del at[path[-1]]
        return reply

    return spoil


def loss(value: Any) -> Spoil:
    """The validation loss in phase one, the training loss in phase two."""

    def spoil(reply: Shareable) -> Shareable:
        metrics = reply["DXO"]["meta"]["metrics"]
        metrics["loss" if "loss" in metrics else "contrastive"] = value
        return reply

    return spoil


def metrics(more: Mapping[str, Any]) -> Spoil:
    """More metrics."""

    def spoil(reply: Shareable) -> Shareable:
        reply["DXO"]["meta"]["metrics"] |= more
        return reply

    return spoil


def no_loss(reply: Shareable) -> Shareable:
    """Without the loss that the phase needs."""
    found = reply["DXO"]["meta"]["metrics"]
    del found["loss" if "loss" in found else "contrastive"]
    return reply


def dxo(value: Any) -> Spoil:
    """Another object in place of the DXO."""

    def spoil(reply: Shareable) -> Shareable:
        reply["DXO"] = value
        return reply

    return spoil


def dxo_field(name: str, value: Any) -> Spoil:
    """One part of the DXO."""

    def spoil(reply: Shareable) -> Shareable:
        reply["DXO"][name] = value
        return reply

    return spoil


def round_shifted(by: int) -> Spoil:
    """Another round."""

    def spoil(reply: Shareable) -> Shareable:
        reply["DXO"]["meta"]["round"] += by
        return reply

    return spoil


def stamp(**fields: Any) -> Spoil:
    """Another run, or another job of it."""

    def spoil(reply: Shareable) -> Shareable:
        reply["DXO"]["meta"]["run"] |= fields
        return reply

    return spoil


def under_false_name(spoil: Spoil) -> Spoil:
    """The reply says that another site sent it."""

    def named(reply: Shareable) -> Shareable:
        found = spoil(reply)
        found.set_peer_props({ReservedKey.IDENTITY_NAME: HONEST[0]})
        found.set_header("client_name", HONEST[0])
        return found

    return named
