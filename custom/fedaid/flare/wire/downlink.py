"""From the server to a site: only the tensors that changed since that site's last message, and those small.

Server and site keep the same view of the model. A message moves it from one version to the next: a tensor that did not
change (a frozen one) is left out, a matrix goes as the packed difference from the view, the rest as it is. The
difference is taken from what the sites really hold, so a rounding error of one message is part of the next one's
difference and does not add up. A site that does not hold the version before gets the whole view, unpacked.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.dxo import DXO, DataKind, from_shareable
from nvflare.apis.dxo_filter import DXOFilter
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey, ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import ReservedHeaderKey, Shareable

from fedaid.arguments import keeps_arguments
from fedaid.errors import require
from fedaid.flare.site.swap_file import SwapFile
from fedaid.flare.wire.codec import SCALE, WIRE_DTYPES, Arrays, decode, encode, is_packable
from fedaid.flare.wire.messages import MalformedMessage, part

WIRE = "wire"  # the meta field of a message: how its tensors lie there
HOLDS = "holds"  # the meta field of an answer: the version of the site's view
ORDER = "fedaid_wire_order"  # private context property at the site: what the answer to this task must be like
WHERE = "task_data_filters of config_fed_server.json"


class ModelEncoder(DXOFilter):  # type: ignore[misc]
    """The last filter of task data at the server.

    Args:
        wire_dtype: type of matrices on the wire, both ways: ``fp32``, ``bf16`` or ``int8``.

    Raises:
        InputError: for another type.
    """

    @keeps_arguments()
    def __init__(self, wire_dtype: str = "fp32") -> None:
        super().__init__([DataKind.WEIGHTS], [DataKind.WEIGHTS])
        rule, remedy = f"be one of {', '.join(WIRE_DTYPES)}", "Use fp32 for an exact wire."
        require(wire_dtype in WIRE_DTYPES, "wire_dtype", rule, got=repr(wire_dtype), where=WHERE, remedy=remedy)
        self._dtype, self._lock = wire_dtype, Lock()
        self._version: str | None = None
        self._base: str | None = None
        self._view: dict[str, NDArray[Any]] = {}
        self._step: dict[str, NDArray[Any]] = {}
        self._kept: list[str] = []
        self._closed: set[str] = set()  # versions before this one
        self._holds: dict[str, str] = {}  # site → version that it said it holds

    def process_dxo(self, dxo: DXO, shareable: Shareable, fl_ctx: FLContext) -> DXO | None:
        """The message for the site that asked; one broadcast is encoded once.

        FLARE filters outside its lock: a request taken just before a task closed may come after the next task was
        encoded. It goes as it is, since the view has moved on, and a version made twice would not have the same bits.
        """
        with self._lock:
            version = str(shareable.get_header(ReservedHeaderKey.MSG_ROOT_ID))
            if version in self._closed:
                self._holds.pop(peer_of(fl_ctx), None)
                return None
            if version != self._version:
                self._advance(version, dxo.data)
            layout: dict[str, Any] = {"dtype": self._dtype, "version": version}
            if self._base is not None and self._holds.get(peer_of(fl_ctx)) == self._base:
                sent, layout = self._step, layout | {"base": self._base, "kept": self._kept}
            else:
                sent = self._view
                layout |= {"only": sorted(dxo.data)} if len(dxo.data) < len(sent) else {}
        return DXO(dxo.data_kind, data=dict(sent), meta=dxo.meta | {WIRE: layout})

    def _advance(self, version: str, tensors: Arrays) -> None:
        """Encodes the step from the view to ``tensors`` and takes it, as every site will."""
        known = {name: tensor for name, tensor in tensors.items() if name in self._view}
        self._kept = [name for name, tensor in known.items() if np.array_equal(tensor, self._view[name])]
        if len(self._kept) == len(tensors):
            self._kept.pop()  # FLARE's filters pass over a message without data
        moved = {name: tensor for name, tensor in tensors.items() if name not in self._kept}
        small = self._dtype != "fp32" and bool(self._view)
        steps = {name: t - self._view[name] for name, t in moved.items() if small and is_packable(t) and name in known}
        packed, _ = encode(steps, self._dtype)
        self._step = {name: tensor for name, tensor in moved.items() if name not in steps} | packed
        self._view = stepped(self._view, self._step, dtype=self._dtype)
        self._closed |= {self._version} if self._version else set()
        self._base, self._version = self._version, version

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Notes which version a site holds, by its answer; a failed answer leaves that open."""
        super().handle_event(event_type, fl_ctx)
        if event_type == EventType.BEFORE_TASK_RESULT_FILTER:
            result, site = fl_ctx.get_prop(FLContextKey.TASK_RESULT), peer_of(fl_ctx)
            held = held_version(result) if isinstance(result, Shareable) else None
            with self._lock:
                self._holds = {other: version for other, version in self._holds.items() if other != site}
                self._holds |= {site: held} if held else {}


class ModelDecoder(DXOFilter):  # type: ignore[misc]
    """The last filter of task data at a site."""

    def __init__(self) -> None:
        super().__init__([DataKind.WEIGHTS], [DataKind.WEIGHTS])
        self._view: dict[str, NDArray[Any]] = {}
        self._version: str | None = None
        self._swap = SwapFile("view")

    def process_dxo(self, dxo: DXO, shareable: Shareable, fl_ctx: FLContext) -> DXO | None:
        """The task's tensors as the server's view has them.

        Raises:
            MalformedMessage: if the message is a step from a version that this site does not hold.
        """
        layout = dxo.meta.get(WIRE)
        if not isinstance(layout, dict):
            return None
        version, base = part(layout, "version", str), layout.get("base")
        if base is None:
            self._view, names = dict(dxo.data), layout.get("only", list(dxo.data))
        else:
            self._take(base, version, dxo.data, layout, fl_ctx)
            names = [*(name for name in dxo.data if not name.endswith(SCALE)), *layout["kept"]]
        self._version = version
        self._swap.write(fl_ctx, self._view, {"version": version})
        fl_ctx.set_prop(ORDER, {"dtype": layout["dtype"], HOLDS: version}, private=True, sticky=False)
        meta = {name: value for name, value in dxo.meta.items() if name != WIRE}
        return DXO(dxo.data_kind, data={name: self._view[name] for name in names}, meta=meta)

    def _take(self, base: str, version: str, step: Arrays, layout: dict[str, Any], fl_ctx: FLContext) -> None:
        """Moves the view, unless FLARE sent a task again whose step was taken already."""
        if self._version is None and (found := self._swap.read(fl_ctx)):
            self._view, self._version = found[0], found[1]["version"]
        if self._version not in (base, version):
            self._view, self._version = {}, None
            raise MalformedMessage("model must follow the one that this site holds, got another: task data")
        if self._version == base:
            self._view = stepped(self._view, step, dtype=part(layout, "dtype", str))

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Takes note of a process that may be swapped out."""
        super().handle_event(event_type, fl_ctx)
        self._swap.notice(event_type)


def stepped(view: Arrays, step: Arrays, *, dtype: str) -> dict[str, NDArray[Any]]:
    """A view after a step: packed tensors are added, others replaced; the same bits at server and site."""
    moved = decode(step, {"dtype": dtype})
    return {**view, **{name: view[name] + t if t is not step[name] else t for name, t in moved.items()}}


def held_version(result: Shareable) -> str | None:
    """The version that the sender of a sound answer says it holds."""
    if result.get_return_code() != ReturnCode.OK:
        return None
    try:
        meta: Mapping[str, Any] = from_shareable(result).meta
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    held = meta.get(HOLDS)
    return held if isinstance(held, str) else None


def peer_of(fl_ctx: FLContext) -> str:
    """The name of the site that a message comes from or goes to.

    It is the peer's own word. One that lies about it makes the other's next message unreadable there; the other then
    gets the whole model.
    """
    peer = fl_ctx.get_peer_context()
    return str(peer.get_identity_name()) if peer else ""
