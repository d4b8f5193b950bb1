"""Site → server: encodes the update as the task asked, and adds the rounding error to the next update.

At the site, :class:`UpdateEncoder` is the last filter of a result. The filters of the site's privacy policy (FLARE runs
them first) and of the job see the float32 difference that they are made for; their output is encoded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey, ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable

from fedaid.flare.site.kept_rounds import KeptRounds, is_lost
from fedaid.flare.site.task_memory import TaskMemory
from fedaid.flare.wire.codec import Packed, decode, encode, is_packable
from fedaid.flare.wire.downlink import ORDER, TASK_MESSAGE
from fedaid.flare.wire.filtered_answer import brought_back, form_of, is_number
from fedaid.flare.wire.messages import UPDATE, TensorFilter
from fedaid.flare.wire.plain_answer import checked
from fedaid.flare.wire.replies import error_reply
from fedaid.flare.wire.tasks import ALIGN, STATE_LOST, WITHHELD, MalformedMessage, ModelMessage

RESIDUAL = "residual"  # the site's set of tensors: the rounding errors of its last update
ALIGNED = "residual_aligned"  # the same of its last phase one: only the tensors that the phase may move
FORM = "fedaid_answer_form"  # private context property at the site: the update before the filters, without its tensors
REMOVED = "fedaid_removed_tensors"  # the same: names of the tensors that a filter has removed
STILL = "still"  # layout field: name → shape and type of a tensor of zeros, which is not sent


Tensors = dict[str, NDArray[Any]]


class UpdateEncoder(TensorFilter):
    """The last filter of a result at a site; the rounding error of an update is added to the next one."""

    def __init__(self) -> None:
        super().__init__(UPDATE)
        self._memory, self._kept = TaskMemory(), KeptRounds("residual")
        self._lost = False

    def process(self, shareable: Shareable, fl_ctx: FLContext) -> Shareable:
        """The result encoded, or an error reply if a filter before this one has made something unusable of it."""
        try:
            shareable, removed = brought_back(shareable, fl_ctx.get_prop(FORM))
        except MalformedMessage as error:
            self.log_error(fl_ctx, str(error))
            return error_reply(ReturnCode.EXECUTION_RESULT_ERROR, str(error))
        if removed:
            self.log_warning(fl_ctx, f"a filter has removed {len(removed)} tensors: this site does not move them")
        fl_ctx.set_prop(REMOVED, removed, private=True, sticky=False)
        before = checked(shareable)
        if before is not shareable:
            return before
        encoded: Shareable = super().process(shareable, fl_ctx)
        return checked(encoded)

    def convert(self, packed: Packed, shareable: Shareable, fl_ctx: FLContext) -> Packed | None:
        """The encoded update, with the version of the model that this site holds.

        If the site has lost the rounding errors of its last update, the answer says so.
        """
        order = fl_ctx.get_prop(ORDER)
        if order is None:
            return None
        dtype, version = order
        message: ModelMessage | None = fl_ctx.get_prop(TASK_MESSAGE)
        residual = self._residual(message, fl_ctx) if dtype != "fp32" else {}
        removed = fl_ctx.get_prop(REMOVED, [])
        residual = {name: error for name, error in residual.items() if name not in removed}
        sent: Tensors = {}
        still: dict[str, Any] = {}
        for name, tensor in packed.tensors.items():
            # One by one: a site has no memory for the update, its encoded copy and the residuals at the same time.
            wanted = tensor + residual[name] if name in residual else tensor
            last = len(still) == len(packed.tensors) - 1  # FLARE's filters skip a message without data
            if wanted.any() or last:
                encoded, error = encoded_with_error(name, wanted, dtype)
                sent |= encoded
                residual |= error
            else:
                still[name] = [list(wanted.shape), wanted.dtype.str]
                residual.pop(name, None)
        if dtype != "fp32":
            self._remember(residual, [*packed.tensors, *removed], message, fl_ctx)
        lost, self._lost = self._lost, False
        metrics = ({STATE_LOST: 1.0} if lost else {}) | ({WITHHELD: float(len(removed))} if removed else {})
        return Packed(sent, {"dtype": dtype, STILL: still}, holds=version, metrics=metrics)

    def _remember(self, residual: Tensors, moved: list[str], message: ModelMessage | None, fl_ctx: FLContext) -> None:
        """Remembers the rounding errors for the next update, and on disk what another try or another job needs.

        Args:
            residual: after this update.
            moved: names of the tensors that this phase may move.
        """
        phase = phase_of(message, fl_ctx)
        residual = self._memory.remember(RESIDUAL, residual, description={"of": phase}, fl_ctx=fl_ctx)
        if message is None or message.run is None:
            return
        if phase[1] == ALIGN:
            aligned = {name: residual[name] for name in moved if name in residual}
            described = {"round": message.round_number, "moved": sorted(moved)}
            self._memory.remember(ALIGNED, aligned, description=described, fl_ctx=fl_ctx)
        else:
            self._kept.keep(message.run, message.round_number, residual, fl_ctx=fl_ctx, description={})

    def _residual(self, message: ModelMessage | None, fl_ctx: FLContext) -> Tensors:
        """The rounding errors to add: from memory; in a new job, and for a phase that is asked for again, from disk.

        The disk has those of the round before. Those of phase one of this round are in memory.
        """
        found, phase = self._memory.recall(RESIDUAL, fl_ctx), phase_of(message, fl_ctx)
        again = found is not None and found.description["of"] == phase
        if message is None or message.run is None or (found is not None and not again):
            return found.tensors if found else {}
        kept = self._kept.before(message.round_number, message.run, fl_ctx)
        self._lost = is_lost(kept, message, site=fl_ctx.get_identity_name())
        residual, aligned = kept.tensors if kept else {}, self._memory.recall(ALIGNED, fl_ctx)
        if phase[1] == ALIGN or aligned is None or aligned.description["round"] != message.round_number:
            return residual
        return {name: e for name, e in residual.items() if name not in aligned.description["moved"]} | aligned.tensors

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Passes the event on to the memory, and notes the form of the answer before the filters of the site."""
        super().handle_event(event_type, fl_ctx)
        self._memory.notice(event_type)
        if event_type == EventType.BEFORE_TASK_RESULT_FILTER:
            form = form_of(fl_ctx.get_prop(FLContextKey.TASK_RESULT))
            fl_ctx.set_prop(FORM, form, private=True, sticky=False)


class UpdateDecoder(TensorFilter):
    """The first filter of a result at the server; the gate judges the decoded tensors."""

    def __init__(self) -> None:
        super().__init__(UPDATE)

    def process(self, shareable: Shareable, fl_ctx: FLContext) -> Shareable:
        """The result with the update decoded, or an error reply that says why it cannot be decoded."""
        try:
            decoded: Shareable = super().process(shareable, fl_ctx)
        except Exception as error:  # a site can send any layout, and it reaches numpy's parsers
            text = f"update must be as its layout says: {error}"
            return error_reply(ReturnCode.BAD_TASK_DATA, text, refused=True)
        return decoded

    def convert(self, packed: Packed, shareable: Shareable, fl_ctx: FLContext) -> Packed | None:
        """The update, decoded."""
        if packed.layout is None:
            return None
        still = {name: zeros(*described) for name, described in packed.layout[STILL].items()}
        tensors = {name: np.asarray(t) if is_number(t) else t for name, t in packed.tensors.items()}
        if not all(type(tensor) is np.ndarray for tensor in tensors.values()):
            raise ValueError("an update must hold arrays only")
        return Packed(decode(tensors, packed.layout) | still)


def phase_of(message: ModelMessage | None, fl_ctx: FLContext) -> list[Any]:
    """Round and task of an answer, as JSON has them."""
    return [message.round_number if message else -1, fl_ctx.get_prop(FLContextKey.TASK_NAME)]


def encoded_with_error(
    name: str, tensor: NDArray[Any], dtype: str
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """A tensor as it travels, and its rounding error by name; an exact tensor has no error."""
    sent, layout = encode({name: tensor}, dtype)
    if dtype == "fp32" or not is_packable(tensor):
        return sent, {}
    # The server refuses values that are not finite; they must not spoil later updates.
    return sent, {name: np.nan_to_num(tensor - decode(sent, layout)[name], posinf=0, neginf=0)}


def zeros(shape: list[int], dtype: str) -> NDArray[Any]:
    """A tensor of zeros that takes no memory, whatever size a site claims; the gate then checks its shape.

    Raises:
        ValueError: if the type is not a type of numbers.
    """
    kind = np.dtype(dtype)
    if kind.kind not in "fiub":
        raise ValueError("a tensor must be of numbers")
    return np.broadcast_to(np.zeros((), kind), tuple(int(length) for length in shape))
