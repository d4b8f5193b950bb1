"""A site that sends back the model that it got; the job that measures FLARE alone carries this file."""

from __future__ import annotations

from nvflare.apis.dxo import MetaKey, from_shareable
from nvflare.apis.executor import Executor
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal


class EmptyExecutor(Executor):
    """Answers every task with its own tensors."""

    def execute(self, task_name: str, shareable: Shareable, fl_ctx: FLContext, abort_signal: Signal) -> Shareable:
        """The tensors, as the result of one step."""
        dxo = from_shareable(shareable)
        dxo.meta = {MetaKey.NUM_STEPS_CURRENT_ROUND: 1}
        return dxo.to_shareable()
