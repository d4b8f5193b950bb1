"""From a site to the server: the update, its matrices packed as the task asked, with the rounding error fed back.

At the site this is the last filter of a result, after the filters of the site's privacy policy (which FLARE runs first)
and of the job: they see the float32 difference that they are made for, and what they changed is what is packed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.dxo import DXO, DataKind
from nvflare.apis.dxo_filter import DXOFilter
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable, make_reply

from fedaid.flare.site.swap_file import SwapFile
from fedaid.flare.wire.codec import decode, encode, is_packable
from fedaid.flare.wire.downlink import HOLDS, ORDER, WIRE
from fedaid.flare.wire.messages import ERROR_HEADER, LONGEST_ERROR, REFUSED_HEADER

STILL = "still"  # name → shape and type of a tensor of zeros, which is not sent


class UpdateEncoder(DXOFilter):  # type: ignore[misc]
    """The last filter of a result at a site; what rounding took from one update is added to the next."""

    def __init__(self) -> None:
        super().__init__([DataKind.WEIGHT_DIFF], [DataKind.WEIGHT_DIFF])
        self._left: dict[str, NDArray[Any]] = {}  # name → what rounding has taken
        self._read = False
        self._swap = SwapFile("residual")

    def process_dxo(self, dxo: DXO, shareable: Shareable, fl_ctx: FLContext) -> DXO | None:
        """The packed update, with the version of the model that this site holds."""
        order = fl_ctx.get_prop(ORDER)
        if not isinstance(order, dict):
            return None
        self._open(fl_ctx)
        sent: dict[str, NDArray[Any]] = {}
        still: dict[str, Any] = {}
        for name, tensor in dxo.data.items():
            # One by one: a site has no room for the update, the packed one and what arrives of it at the same time.
            wanted = tensor + self._left[name] if name in self._left else tensor
            last = len(still) == len(dxo.data) - 1  # FLARE's filters pass over a message without data
            if wanted.any() or last:
                sent |= self._packed(name, wanted, order["dtype"])
            else:
                still[name] = [list(wanted.shape), wanted.dtype.str]
                self._left.pop(name, None)
        if order["dtype"] != "fp32":
            self._swap.write(fl_ctx, self._left, {})
        layout = {"dtype": order["dtype"], STILL: still}
        return DXO(dxo.data_kind, data=sent, meta=dxo.meta | {WIRE: layout, HOLDS: order[HOLDS]})

    def _open(self, fl_ctx: FLContext) -> None:
        if not self._read and (found := self._swap.read(fl_ctx)):
            self._left = dict(found[0])
        self._read = True

    def _packed(self, name: str, wanted: NDArray[Any], dtype: str) -> dict[str, NDArray[Any]]:
        """A tensor as it travels; what rounding takes from it is kept."""
        sent, layout = encode({name: wanted}, dtype)
        if dtype != "fp32" and is_packable(wanted):
            # What is not finite is refused by the server; it must not spoil the updates after it.
            self._left[name] = np.nan_to_num(wanted - decode(sent, layout)[name], posinf=0, neginf=0)
        return sent

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Takes note of a process that may be swapped out."""
        super().handle_event(event_type, fl_ctx)
        self._swap.notice(event_type)


class UpdateDecoder(DXOFilter):  # type: ignore[misc]
    """The first filter of a result at the server; its tensors are judged by the gate afterwards."""

    def __init__(self) -> None:
        super().__init__([DataKind.WEIGHT_DIFF], [DataKind.WEIGHT_DIFF])

    def process(self, shareable: Shareable, fl_ctx: FLContext) -> Shareable:
        """The result with the update unpacked, or an error reply that says why that cannot be done."""
        try:
            decoded: Shareable = super().process(shareable, fl_ctx)
        except Exception as error:  # whatever a site made up: its layout reaches numpy's own parsers
            reason = f"update must be as its layout says: {error}"
            headers = {ERROR_HEADER: reason[:LONGEST_ERROR], REFUSED_HEADER: True}
            return make_reply(ReturnCode.BAD_TASK_DATA, headers)
        return decoded

    def process_dxo(self, dxo: DXO, shareable: Shareable, fl_ctx: FLContext) -> DXO | None:
        """The update, unpacked."""
        meta = dict(dxo.meta)
        layout = meta.pop(WIRE, None)
        if layout is None:
            return None
        still = {name: zeros(*described) for name, described in layout[STILL].items()}
        if not all(type(tensor) is np.ndarray for tensor in dxo.data.values()):
            raise ValueError("an update must hold arrays only")
        return DXO(dxo.data_kind, data=decode(dxo.data, layout) | still, meta=meta)


def zeros(shape: list[int], dtype: str) -> NDArray[Any]:
    """A tensor of zeros that takes no memory, so that a site may claim any size: the gate looks at the shape first.

    Raises:
        ValueError: if it is no tensor of numbers.
    """
    kind = np.dtype(dtype)
    if kind.kind not in "fiub":
        raise ValueError("a tensor must be of numbers")
    return np.broadcast_to(np.zeros((), kind), tuple(int(length) for length in shape))
