"""The executor of ``jobs/local_pretrain``: the site trains alone and keeps its model; it sends metrics only."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from safetensors.numpy import load_file

from fedaid.arguments import keeps_arguments, parameters_of
from fedaid.errors import require
from fedaid.evaluation.retrieval import split_metrics
from fedaid.flare.server.run_store import BEST, ROUND, RunStore
from fedaid.flare.site.executor import FedAIDExecutor
from fedaid.flare.site.local_model import local_model_of, valid_split
from fedaid.flare.wire.messages import metrics_to_shareable, report_to_shareable
from fedaid.flare.wire.tasks import (
    KEEP_ALONE,
    TRAIN_ALONE,
    VALIDATE,
    MalformedMessage,
    MetricsMessage,
    ModelMessage,
    UpdateMessage,
)
from fedaid.minmax.selection import SITE_METRIC
from fedaid.minmax.weighted_average import apply, weighted_sum
from fedaid.models.saved_model import WEIGHTS
from fedaid.training.settings import WHERE, TrainingSettings
from fedaid.training.site_worker import SiteWorker

STORE = "fedaid_alone"  # in the run's folder of the site


class LocalTrainingExecutor(FedAIDExecutor):
    """Does the tasks ``train_alone``, ``validate`` and ``keep_alone`` at one site.

    The first message has the model that all sites start from. Later rounds start from the site's own model. It is in
    the run's folder, so every task may have a new process.

    Args:
        settings: the fields of :class:`TrainingSettings`.

    Raises:
        InputError: for an unknown or unusable setting.
    """

    @keeps_arguments(*parameters_of(TrainingSettings))
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        ok, remedy = not self._settings.local_normalisation, "Leave it out: nothing is averaged here."
        require(ok, "local_normalisation", "be false in local training", got=True, where=WHERE, remedy=remedy)
        moon, remedy = self._settings.moon_weight, "Leave it out: a round starts from the site's own model."
        require(moon == 0, "moon_weight", "be 0 in local training", got=moon, where=WHERE, remedy=remedy)
        self._tasks = {TRAIN_ALONE: self._train_alone, VALIDATE: self._validate_last, KEEP_ALONE: self._keep}

    def _train_alone(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        """One round: validates the site's model, saves it if it is the best so far, and trains it.

        The update is added as the server adds it, so the result has the bits of a federation of one site.
        """
        number = message.round_number
        worker = self._loaded(message, fl_ctx) if number == 0 else self._continued(message, fl_ctx)
        metrics, store = self._measured(worker, message, fl_ctx), self._store(message, fl_ctx)
        start = worker.tensors()
        update = worker.pretrain(round_number=number, check=self._abort)
        end = apply(start, weighted_sum({worker.site: update.delta}, {worker.site: 1.0}))
        store.commit(end, {"round": number + 1})
        worker.load(end)
        self._round = number + 1
        report = metrics | update.metrics
        return report_to_shareable(UpdateMessage(number, {}, report, len(worker.data.train), worker.data.skipped))

    def _validate_last(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        """Metrics of the site's last model; it is saved if it is the best."""
        worker = self._continued(message, fl_ctx)
        self._measured(worker, message, fl_ctx)
        return self._metrics(worker, message)

    def _keep(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        """Makes the best model the site's local model, removes the others, and returns its metrics."""
        worker, store = self._ready(message, fl_ctx), self._store(message, fl_ctx)
        best, state = store.newest(BEST), store.state(BEST) or {}
        worker.load(load_file(best / WEIGHTS))
        self._round = None
        kit = Path(fl_ctx.get_engine().get_workspace().get_root_dir())
        local_model_of(worker.site, kit, os.environ).keep(
            best,
            round_number=state["round"],
            valid_loss=state["valid_loss"],
            valid=valid_split(worker.data.valid, batch_size=self._settings.valid_batch_size),
            job_id=fl_ctx.get_job_id(),
            pairs=message.round_number * self._settings.pretrain_steps * self._settings.batch_size,
        )
        shutil.rmtree(store.folder, ignore_errors=True)
        return self._metrics(worker, message)

    def _continued(self, message: ModelMessage, fl_ctx: FLContext) -> SiteWorker:
        """The worker with the site's own model after ``message.round_number`` rounds.

        Raises:
            MalformedMessage: if the site has done another number of rounds.
        """
        number, worker, store = message.round_number, self._ready(message, fl_ctx), self._store(message, fl_ctx)
        state = store.state(ROUND)
        if state is None or state["round"] != number:
            done = state["round"] if state else "no"
            raise MalformedMessage(f"round {number} must follow the one before, got a site that has done {done} rounds")
        if self._round != number:
            worker.load(load_file(store.newest(ROUND) / WEIGHTS))
            self._round = number
        return worker

    def _measured(self, worker: SiteWorker, message: ModelMessage, fl_ctx: FLContext) -> dict[str, float]:
        """Metrics on the validation split; saves the model if it is the site's best so far."""
        metrics = split_metrics(worker.validate("valid"))
        store, number = self._store(message, fl_ctx), message.round_number
        best = store.state(BEST) if number > 0 else None
        if best is None or metrics[SITE_METRIC] > best[SITE_METRIC]:
            found = {SITE_METRIC: metrics[SITE_METRIC], "valid_loss": metrics["loss"]}
            store.commit_best(worker.tensors(), {"round": number} | found)
        return metrics

    def _metrics(self, worker: SiteWorker, message: ModelMessage) -> Shareable:
        splits = [name for name in worker.splits if len(worker.splits[name])]
        found = {name: split_metrics(worker.validate(name)) for name in splits}
        return metrics_to_shareable(MetricsMessage(message.round_number, found))

    def _store(self, message: ModelMessage, fl_ctx: FLContext) -> RunStore:
        run = Path(fl_ctx.get_engine().get_workspace().get_run_dir(fl_ctx.get_job_id()))
        configuration = message.configuration
        return RunStore(run / STORE, configuration=configuration, vocabulary_hash=message.vocabulary_hash)
