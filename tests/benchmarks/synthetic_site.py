"""A site that computes nothing: it answers with updates of the right size; jobs of benchmarks carry this file."""

from __future__ import annotations

import time
import zlib
from pathlib import Path

import numpy as np
from nvflare.apis.event_type import EventType
from nvflare.apis.executor import Executor
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal

from fedaid.flare.server.controller import TRAIN_METRICS
from fedaid.flare.software.software_report import PROPERTY, software_report
from fedaid.flare.transport.array_exchange import receive_at_site
from fedaid.flare.wire.messages import metrics_to_shareable, model_from_shareable, update_to_shareable
from fedaid.flare.wire.tasks import ALIGN, VALIDATE, Arrays, MetricsMessage, UpdateMessage
from fedaid.minmax.selection import METRICS
from fedaid.models.tensor_names import is_alignment


class SyntheticExecutor(Executor):
    """Answers all tasks of FedAID.

    Args:
        spread_seconds: sites answer at moments of their own within so long; 0 lets all answer at the same moment.
    """

    def __init__(self, spread_seconds: float = 0.0) -> None:
        super().__init__()
        self._spread = spread_seconds
        self._like: Arrays = {}

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """As the real one does."""
        if event_type == EventType.START_RUN:
            receive_at_site(Path(fl_ctx.get_engine().get_workspace().get_run_dir(fl_ctx.get_job_id())))
            fl_ctx.set_prop(PROPERTY, software_report(), private=False, sticky=True)

    def execute(self, task_name: str, shareable: Shareable, fl_ctx: FLContext, abort_signal: Signal) -> Shareable:
        """An update of constants, or metrics."""
        message = model_from_shareable(shareable)
        measured = dict.fromkeys(METRICS, 0.5)
        if task_name == VALIDATE:
            return metrics_to_shareable(MetricsMessage(message.round_number, {"valid": measured, "test": measured}))
        if task_name == ALIGN:
            self._like = {name: np.broadcast_to(t.dtype.type(0), t.shape) for name, t in message.tensors.items()}
        else:
            measured = dict.fromkeys(TRAIN_METRICS, 0.5)
        time.sleep(self._spread * (zlib.crc32(fl_ctx.get_identity_name().encode()) % 100) / 100)
        moved = {name for name in self._like if task_name != ALIGN or is_alignment(name)}
        delta = {name: np.full(self._like[name].shape, 1e-4, self._like[name].dtype) for name in moved}
        return update_to_shareable(UpdateMessage(message.round_number, delta, measured, 10, {}, message.run))
