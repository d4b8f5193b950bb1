"""Server → site: sends only the tensors that changed since the site's last message, encoded in few bits.

Server and site hold the same version of the model. A message is a step from one version to the next. Tensors that did
not change (frozen ones) are left out. Matrices are sent as encoded differences from the version that the site holds;
other tensors are sent unchanged. The difference refers to the tensors that the site really holds. So the rounding error
of a message is part of the next difference, and errors do not add up. A site that does not hold the previous version
gets the whole model, without encoding.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import ReservedHeaderKey, Shareable
from nvflare.app_common.app_event_type import AppEventType

from fedaid.arguments import keeps_arguments
from fedaid.errors import require
from fedaid.flare.site.task_memory import TaskMemory
from fedaid.flare.wire.codec import SCALE, WIRE_DTYPES, Arrays, Packed, decode, encode, is_packable
from fedaid.flare.wire.message_fields import part
from fedaid.flare.wire.messages import MODEL, TensorFilter, held_version, model_from_shareable
from fedaid.flare.wire.tasks import MalformedMessage

ORDER = "fedaid_wire_order"  # private context property at the site: (dtype, version) of the answer to this task
DOWNLINK_VIEW = "fedaid_downlink_view"  # private context property at the server: the model as the sites hold it
OF_A_FORMER_JOB = "of a former job"  # version that no site holds
TASK_MESSAGE = "fedaid_task_message"  # the same at the site: the message of this task, without its tensors
MODEL_SET = "view"  # the site's set of tensors: the whole model as the server holds it for this site
WHERE = "task_data_filters of config_fed_server.json"


class ModelEncoder(TensorFilter):
    """The last filter of task data at the server.

    Args:
        wire_dtype: type of matrices on the wire, both ways: ``fp32``, ``bf16`` or ``int8``.

    Raises:
        InputError: for another type.
    """

    @keeps_arguments()
    def __init__(self, wire_dtype: str = "fp32") -> None:
        super().__init__(MODEL)
        rule, remedy = f"be one of {', '.join(WIRE_DTYPES)}", "Use fp32 for an exact wire."
        require(wire_dtype in WIRE_DTYPES, "wire_dtype", rule, got=repr(wire_dtype), where=WHERE, remedy=remedy)
        self._dtype, self._lock = wire_dtype, Lock()
        self._version: str | None = None
        self._base: str | None = None  # the version before it
        self._model: dict[str, NDArray[Any]] = {}  # of this version, as the sites hold it
        self._step: dict[str, NDArray[Any]] = {}  # from the base to this version, encoded
        self._unchanged: list[str] = []
        self._closed: set[str] = set()  # versions before this one
        self._holds: dict[str, str] = {}  # site → version that it holds, as it says

    def convert(self, packed: Packed, shareable: Shareable, fl_ctx: FLContext) -> Packed | None:
        """The message for the site that asked; the tensors of a task are encoded once for all sites.

        FLARE runs filters outside its lock. So a site can ask for a task just before it closes, and the filter can see
        that request after the next task was encoded. The filter then lets the message pass unchanged: the model has
        moved on, and encoding the old version again would give other bits.
        """
        with self._lock:
            version = str(shareable.get_header(ReservedHeaderKey.MSG_ROOT_ID))
            if version in self._closed:
                self._holds.pop(peer_of(fl_ctx), None)
                return None
            if version != self._version:
                self._advance(version, packed.tensors)
            layout: dict[str, Any] = {"dtype": self._dtype, "version": version}
            if self._base is not None and self._holds.get(peer_of(fl_ctx)) == self._base:
                return Packed(self._step, layout | {"base": self._base, "kept": self._unchanged})
            layout |= {"only": sorted(packed.tensors)} if len(packed.tensors) < len(self._model) else {}
            return Packed(self._model, layout)

    def _advance(self, version: str, tensors: Arrays) -> None:
        """Encodes the step from the last version to ``tensors`` and applies it, as every site will."""
        known = {name: tensor for name, tensor in tensors.items() if name in self._model}
        self._unchanged = [name for name, tensor in known.items() if np.array_equal(tensor, self._model[name])]
        if len(self._unchanged) == len(tensors):
            self._unchanged.pop()  # FLARE's filters skip a message without data
        moved = {name: tensor for name, tensor in tensors.items() if name not in self._unchanged}
        small = self._dtype != "fp32" and bool(self._model)
        step: dict[str, NDArray[Any]] = {}
        for name, tensor in moved.items():  # one by one, as they are as large as the model
            if small and is_packable(tensor) and name in known:
                step |= encode({name: tensor - self._model[name]}, self._dtype)[0]
            else:
                step[name] = tensor
        self._step = step
        self._model = stepped(self._model, step, dtype=self._dtype)
        self._closed |= {self._version} if self._version else set()
        self._base, self._version = self._version, version

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Notes the version that a site holds, as its answer says; after a failed answer it is unknown.

        It also gives the sites' version of the model to the persistor before a commit, and takes that of an earlier
        job at the start: no site holds it, so each site first gets the whole model, with the bits of a run without a
        stop.
        """
        super().handle_event(event_type, fl_ctx)
        if event_type == AppEventType.BEFORE_LEARNABLE_PERSIST and self._dtype != "fp32":
            fl_ctx.set_prop(DOWNLINK_VIEW, dict(self._model), private=True, sticky=False)
        if event_type == AppEventType.INITIAL_MODEL_LOADED and fl_ctx.get_prop(DOWNLINK_VIEW):
            self._model, self._version = fl_ctx.get_prop(DOWNLINK_VIEW), OF_A_FORMER_JOB
        if event_type == EventType.BEFORE_TASK_RESULT_FILTER:
            result, site = fl_ctx.get_prop(FLContextKey.TASK_RESULT), peer_of(fl_ctx)
            version = held_version(result) if isinstance(result, Shareable) else None
            with self._lock:
                self._holds = {other: held for other, held in self._holds.items() if other != site}
                self._holds |= {site: version} if version else {}


class ModelDecoder(TensorFilter):
    """The last filter of task data at a site."""

    def __init__(self) -> None:
        super().__init__(MODEL)
        self._memory = TaskMemory()

    def convert(self, packed: Packed, shareable: Shareable, fl_ctx: FLContext) -> Packed | None:
        """The task's tensors as the server holds them for this site.

        Raises:
            MalformedMessage: if the message is a step from a version that this site does not hold.
        """
        layout = packed.layout
        if not isinstance(layout, dict):
            return None
        version = part(layout, "version", str)
        message = replace(model_from_shareable(shareable), tensors={})
        fl_ctx.set_prop(TASK_MESSAGE, message, private=True, sticky=False)
        if layout.get("base") is None:
            model, names = dict(packed.tensors), layout.get("only", list(packed.tensors))
        else:
            model = self._model_after(packed.tensors, layout, fl_ctx)
            names = [*(name for name in packed.tensors if not name.endswith(SCALE)), *layout["kept"]]
        model = self._memory.remember(MODEL_SET, model, description={"version": version}, fl_ctx=fl_ctx)
        fl_ctx.set_prop(ORDER, (layout["dtype"], version), private=True, sticky=False)
        return Packed({name: model[name] for name in names})

    def _model_after(self, step: Arrays, layout: dict[str, Any], fl_ctx: FLContext) -> dict[str, NDArray[Any]]:
        """The whole model after a step; if FLARE sends a task again, the step was applied already."""
        held = self._memory.recall(MODEL_SET, fl_ctx)
        if held is None or held.description["version"] not in (layout["base"], layout["version"]):
            version = held.description["version"] if held else "no version"
            rule = f"be a step from the version that this site holds ({version})"
            raise MalformedMessage(f"model must {rule}, got a step from {layout['base']}: task data")
        if held.description["version"] == layout["version"]:
            return held.tensors
        return stepped(held.tensors, step, dtype=part(layout, "dtype", str))

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Passes the event on to the memory."""
        super().handle_event(event_type, fl_ctx)
        self._memory.notice(event_type)


def stepped(model: Arrays, step: Arrays, *, dtype: str) -> dict[str, NDArray[Any]]:
    """A model after a step: encoded tensors are added, others replaced; the same bits at server and site.

    The tensors are decoded one by one, as they are as large as the model.

    Raises:
        ValueError: if the step does not fit its layout.
    """
    found = dict(model)
    for name in [name for name in step if not (name.endswith(SCALE) and name.removesuffix(SCALE) in step)]:
        sent = {label: step[label] for label in (name, name + SCALE) if label in step}
        moved = decode(sent, {"dtype": dtype})[name]
        found[name] = moved if moved is step[name] else model[name] + moved
    return found


def peer_of(fl_ctx: FLContext) -> str:
    """The name of the site that a message comes from or goes to.

    The peer itself says it. A site that gives the name of another makes the other's next message unreadable there; the
    other then gets the whole model.
    """
    peer = fl_ctx.get_peer_context()
    return str(peer.get_identity_name()) if peer else ""
