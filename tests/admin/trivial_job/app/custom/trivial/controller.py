"""A controller that asks every site for a loss in every round, and reports progress as FedAID's controller does."""

import json
import time
from pathlib import Path

from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.dxo import from_shareable
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.impl.controller import Controller
from nvflare.apis.shareable import Shareable
from nvflare.widgets.info_collector import InfoCollector


class TrivialController(Controller):
    """Broadcasts ``train`` and keeps the losses."""

    def __init__(self, num_rounds=3, min_clients=1):
        super().__init__(task_check_period=0.1)
        self.num_rounds = num_rounds
        self.min_clients = min_clients
        self.current_round = 0
        self.losses = {}
        self.roots = {}
        self.started = time.monotonic()

    def start_controller(self, fl_ctx):
        self.started = time.monotonic()

    def stop_controller(self, fl_ctx):
        pass

    def process_result_of_unknown_task(self, client, task_name, client_task_id, result, fl_ctx):
        pass

    def control_flow(self, abort_signal, fl_ctx):
        for current_round in range(self.num_rounds):
            self.current_round = current_round
            task = Task("train", data=Shareable(), result_received_cb=self.keep, timeout=30)
            self.broadcast_and_wait(task, min_responses=self.min_clients, fl_ctx=fl_ctx, abort_signal=abort_signal)
            if abort_signal.triggered:
                return
        folder = Path(fl_ctx.get_prop(FLContextKey.APP_ROOT))
        (folder / "losses.json").write_text(json.dumps({"losses": self.losses, "roots": self.roots}))

    def keep(self, client_task: ClientTask, fl_ctx):
        answer = from_shareable(client_task.result).data
        self.losses[client_task.client.name] = answer["loss"]
        self.roots[client_task.client.name] = answer["root"]

    def handle_event(self, event_type, fl_ctx):
        super().handle_event(event_type, fl_ctx)
        if event_type == InfoCollector.EVENT_TYPE_GET_STATS:
            collector = fl_ctx.get_prop(InfoCollector.CTX_KEY_STATS_COLLECTOR)
            collector.add_info(self._name, self.progress())

    def progress(self):
        elapsed = time.monotonic() - self.started
        left = self.num_rounds - self.current_round
        return {
            "phase": "pretrain",
            "current_round": self.current_round,
            "num_rounds": self.num_rounds,
            "site_losses": dict(self.losses),
            "site_weights": {site: 1.0 / len(self.losses) for site in self.losses},
            "elapsed": elapsed,
            "remaining": elapsed / self.current_round * left if self.current_round else None,
        }
