"""Streams a run's numbers to TensorBoard and MLflow, through FLARE's analytics events and its receivers.

The numbers come from the accepted answers, so a site sends nothing extra. Both receivers write into the run's folder,
``tb_events/SITE`` and ``mlflow.db``, which is downloaded with the result. Nothing goes over the network.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nvflare.apis.analytix import ANALYTIC_EVENT_TYPE, AnalyticsDataType
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.apis.utils.analytix_utils import create_analytic_dxo, send_analytic_dxo
from nvflare.app_common.app_event_type import AppEventType
from nvflare.app_common.widgets.streaming import AnalyticsReceiver
from nvflare.widgets.widget import Widget

from fedaid.arguments import keeps_arguments
from fedaid.errors import InputError, require
from fedaid.flare.server.persistor import RUN_STATE, STORE_FOLDER
from fedaid.flare.server.run_settings import require_flag

ORIGIN = "fedaid_analytics_origin"  # private context property: the site that a number describes
PACKAGES = {"tensorboard": ("tensorboard",), "mlflow": ("mlflow", "alembic")}
INSTALL = {
    "tensorboard": "pip install tensorboard==2.21.0",
    "mlflow": "pip install mlflow-skinny==3.17.2 alembic==1.20.1",
}
WHERE = "tracking in config_fed_server.json"
EXPERIMENT: dict[str, Any] = {"experiment_name": "fedaid", "experiment_tags": {}, "run_tags": {}}
Scalars = Iterator[tuple[str, str, float, int]]  # site, tag, value, step


class Tracking(Widget):  # type: ignore[misc]
    """Fires an analytics event for every number of a finished round; its receivers write the numbers by site.

    Args:
        tensorboard: whether to write TensorBoard's event files.
        mlflow: whether to write MLflow's database.

    Raises:
        InputError: for a value that is neither true nor false.
    """

    @keeps_arguments()
    def __init__(self, tensorboard: bool = True, mlflow: bool = False) -> None:
        super().__init__()
        for name, value in (("tensorboard", tensorboard), ("mlflow", mlflow)):
            require_flag(name, value, where=WHERE)
        self._wanted = {"tensorboard": tensorboard, "mlflow": mlflow}
        self._receivers: list[AnalyticsReceiver] = []

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Opens the receivers at the start of the run, streams after each round, and closes them at the end."""
        if event_type == EventType.START_RUN:
            self._open(fl_ctx)
        elif event_type == AppEventType.ROUND_DONE:
            self._stream(of_round(fl_ctx.get_prop(RUN_STATE)), fl_ctx)
        elif event_type == EventType.END_RUN:
            self._stream(of_end(Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT))) / STORE_FOLDER), fl_ctx)
        for receiver in self._receivers:
            receiver.handle_event(event_type, fl_ctx)

    def _open(self, fl_ctx: FLContext) -> None:
        wanted = [name for name, on in self._wanted.items() if on]
        try:
            for name in wanted:
                require_installed(name)
        except InputError as error:
            self.system_panic(str(error), fl_ctx)
            return
        self._receivers = [RECEIVERS[name]() for name in wanted]

    def _stream(self, scalars: Scalars, fl_ctx: FLContext) -> None:
        for site, tag, value, step in scalars:
            fl_ctx.set_prop(ORIGIN, site, private=True, sticky=False)
            dxo = create_analytic_dxo(tag, value, AnalyticsDataType.SCALAR, global_step=step)
            send_analytic_dxo(self, dxo, fl_ctx)


class BySite:
    """Files a number under the site that it describes; FLARE would file it under the server, which sends it."""

    def _get_record_origin(self, fl_ctx: FLContext, data: Shareable) -> str | None:
        origin: str | None = fl_ctx.get_prop(ORIGIN)
        return origin


def tensorboard_receiver() -> AnalyticsReceiver:
    """FLARE's receiver for TensorBoard, by site; imported here because the package may be absent."""
    from nvflare.app_opt.tracking.tb.tb_receiver import TBAnalyticsReceiver

    class TensorBoardBySite(BySite, TBAnalyticsReceiver):  # type: ignore[misc]
        pass

    return TensorBoardBySite(events=[ANALYTIC_EVENT_TYPE])


def mlflow_receiver() -> AnalyticsReceiver:
    """FLARE's receiver for MLflow, by site, into a database file of the run; MLflow's telemetry is off."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # the import reads it
    from nvflare.app_opt.tracking.mlflow.mlflow_receiver import MLflowReceiver

    class MLflowBySite(BySite, MLflowReceiver):  # type: ignore[misc]
        pass

    return MLflowBySite(kw_args=dict(EXPERIMENT), events=[ANALYTIC_EVENT_TYPE])


RECEIVERS = {"tensorboard": tensorboard_receiver, "mlflow": mlflow_receiver}


def require_installed(name: str) -> None:
    """Refuses a run with a tracker whose packages are missing at this server."""
    missing = [package for package in PACKAGES[name] if find_spec(package) is None]
    remedy = f"At the server: {INSTALL[name]}, or package the job with --set {name}=false."
    got = f"no package {', '.join(missing)}"
    require(not missing, name, "be installed at the server", got=got, where=WHERE, remedy=remedy)


def of_round(state: Mapping[str, Any] | None) -> Scalars:
    """The numbers of the newest round: metrics of its model, training losses and site weights."""
    entry: Mapping[str, Any] = state["history"][-1] if state else {}
    for part in ("valid", "train"):
        for site, metrics in entry.get(part, {}).items():
            yield from ((site, f"{part}/{name}", value, entry["round"]) for name, value in metrics.items())
    for site, weight in entry.get("site_weights", {}).items():
        yield site, "site_weight", weight, entry["round"]


def of_end(store: Path) -> Scalars:
    """The metrics of the last model, if the run is complete."""
    file = store / "results.json"
    results = json.loads(file.read_text()) if file.is_file() else {"last": {}}
    for site, splits in results["last"].items():
        for split, metrics in splits.items():
            yield from ((site, f"{split}/{name}", value, results["round"]) for name, value in metrics.items())
