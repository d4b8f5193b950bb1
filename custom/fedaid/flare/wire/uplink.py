"""Site → server: encodes the update as the task asked, and adds the rounding error to the next update.

At the site, :class:`UpdateEncoder` is the last filter of a result. The filters of the site's privacy policy (FLARE runs
them first) and of the job see the float32 difference that they are made for; their output is encoded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable

from fedaid.flare.site.swap_file import SwapFile
from fedaid.flare.wire.codec import Packed, decode, encode, is_packable
from fedaid.flare.wire.downlink import ORDER
from fedaid.flare.wire.messages import UPDATE, TensorFilter
from fedaid.flare.wire.replies import error_reply

STILL = "still"  # layout field: name → shape and type of a tensor of zeros, which is not sent


class UpdateEncoder(TensorFilter):
    """The last filter of a result at a site; the rounding error of an update is added to the next one."""

    def __init__(self) -> None:
        super().__init__(UPDATE)
        self._left: dict[str, NDArray[Any]] = {}  # name → what rounding has taken
        self._read = False
        self._swap = SwapFile("residual")

    def convert(self, packed: Packed, shareable: Shareable, fl_ctx: FLContext) -> Packed | None:
        """The encoded update, with the version of the model that this site holds."""
        order = fl_ctx.get_prop(ORDER)
        if order is None:
            return None
        dtype, version = order
        self._open(fl_ctx)
        sent: dict[str, NDArray[Any]] = {}
        still: dict[str, Any] = {}
        for name, tensor in packed.tensors.items():
            # One by one: a site has no memory for the update, its encoded copy and the residuals at the same time.
            wanted = tensor + self._left[name] if name in self._left else tensor
            last = len(still) == len(packed.tensors) - 1  # FLARE's filters skip a message without data
            if wanted.any() or last:
                sent |= self._encoded(name, wanted, dtype)
            else:
                still[name] = [list(wanted.shape), wanted.dtype.str]
                self._left.pop(name, None)
        if dtype != "fp32":
            self._swap.write(fl_ctx, self._left, {})
        return Packed(sent, {"dtype": dtype, STILL: still}, holds=version)

    def _open(self, fl_ctx: FLContext) -> None:
        if not self._read and (found := self._swap.read(fl_ctx)):
            self._left = dict(found[0])
        self._read = True

    def _encoded(self, name: str, wanted: NDArray[Any], dtype: str) -> dict[str, NDArray[Any]]:
        """A tensor as it travels; its rounding error is added to the next update."""
        sent, layout = encode({name: wanted}, dtype)
        if dtype != "fp32" and is_packable(wanted):
            # The server refuses values that are not finite; they must not spoil later updates.
            self._left[name] = np.nan_to_num(wanted - decode(sent, layout)[name], posinf=0, neginf=0)
        return sent

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Takes note of a process that may be swapped out."""
        super().handle_event(event_type, fl_ctx)
        self._swap.notice(event_type)


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
        if not all(type(tensor) is np.ndarray for tensor in packed.tensors.values()):
            raise ValueError("an update must hold arrays only")
        return Packed(decode(packed.tensors, packed.layout) | still)


def zeros(shape: list[int], dtype: str) -> NDArray[Any]:
    """A tensor of zeros that takes no memory, whatever size a site claims; the gate then checks its shape.

    Raises:
        ValueError: if the type is not a type of numbers.
    """
    kind = np.dtype(dtype)
    if kind.kind not in "fiub":
        raise ValueError("a tensor must be of numbers")
    return np.broadcast_to(np.zeros((), kind), tuple(int(length) for length in shape))
