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

from fedaid.flare.codec import Arrays, decode, encode, is_packable
from fedaid.flare.downlink import HOLDS, ORDER, WIRE
from fedaid.flare.messages import ERROR_HEADER, LONGEST_ERROR, REFUSED_HEADER
from fedaid.flare.swap_file import SwapFile

STILL = "still"  # name → shape and type of a tensor of zeros, which is not sent


class UpdateEncoder(DXOFilter):  # type: ignore[misc]
    """The last filter of a result at a site; what rounding took from one update is added to the next."""

    def __init__(self) -> None:
        super().__init__([DataKind.WEIGHT_DIFF], [DataKind.WEIGHT_DIFF])
        self._residual: dict[str, NDArray[Any]] | None = None
        self._swap = SwapFile("residual")

    def process_dxo(self, dxo: DXO, shareable: Shareable, fl_ctx: FLContext) -> DXO | None:
        """The packed update, with the version of the model that this site holds."""
        order = fl_ctx.get_prop(ORDER)
        if not isinstance(order, dict):
            return None
        wanted = self._with_residual(dxo.data, fl_ctx)
        still = {name: [list(t.shape), t.dtype.str] for name, t in wanted.items() if not t.any()}
        if len(still) == len(wanted):
            still.popitem()  # FLARE's filters pass over a message without data
        sent, layout = encode({name: t for name, t in wanted.items() if name not in still}, order["dtype"])
        if order["dtype"] != "fp32":
            self._keep(wanted, decode(sent, layout), fl_ctx)
        return DXO(dxo.data_kind, data=sent, meta=dxo.meta | {WIRE: layout | {STILL: still}, HOLDS: order[HOLDS]})

    def _with_residual(self, delta: Arrays, fl_ctx: FLContext) -> dict[str, NDArray[Any]]:
        if self._residual is None:
            found = self._swap.read(fl_ctx)
            self._residual = found[0] if found else {}
        left = self._residual
        return {name: t + left[name] if name in left else t for name, t in delta.items()}

    def _keep(self, wanted: Arrays, got: Arrays, fl_ctx: FLContext) -> None:
        rest = {name: wanted[name] - got[name] for name in got if is_packable(wanted[name])}
        # What is not finite is refused by the server; it must not spoil the updates after it.
        kept = {name: np.nan_to_num(tensor, posinf=0, neginf=0) for name, tensor in rest.items()}
        self._residual = {**(self._residual or {}), **kept}
        self._swap.write(fl_ctx, self._residual, {})

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
