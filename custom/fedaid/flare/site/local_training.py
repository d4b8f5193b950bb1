"""The executor of ``jobs/local_pretrain``: the site trains alone and keeps its model; it sends metrics only."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable

from fedaid.arguments import keeps_arguments, parameters_of
from fedaid.errors import require
from fedaid.flare.site.executor import FedAIDExecutor
from fedaid.flare.site.work.site_work import SiteWork
from fedaid.flare.software.software_report import require_recent
from fedaid.flare.wire.messages import report_to_shareable
from fedaid.flare.wire.tasks import (
    KEEP_ALONE,
    TRAIN_ALONE,
    VALIDATE,
    MalformedMessage,
    ModelMessage,
    UpdateMessage,
)
from fedaid.minmax.selection import SITE_METRIC
from fedaid.minmax.weighted_average import apply, weighted_sum
from fedaid.training.settings import WHERE, TrainingSettings

if TYPE_CHECKING:
    from fedaid.flare.server.run_store import NewBest, RunStore
    from fedaid.flare.store.generation import Generation

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
        if number == 0:
            shutil.rmtree(self._store(message, fl_ctx).folder)  # of a run that started before
        work = self._loaded(message, fl_ctx) if number == 0 else self._continued(message, fl_ctx)
        metrics, store = work.metrics("valid"), self._store(message, fl_ctx)
        start = work.tensors()
        best = self._if_best(start, metrics, number, store)
        update = work.pretrain(round_number=number, check=self._abort)
        end = apply(start, weighted_sum({work.site: update.delta}, {work.site: 1.0}))
        store.commit(end, {"round": number + 1}, best=best)
        work.load(end)
        self._round = number + 1
        report, facts = metrics | update.metrics, work.facts
        return report_to_shareable(UpdateMessage(number, {}, report, facts.sizes["train"], facts.skipped))

    def _validate_last(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        """Metrics of the site's last model; it is saved if it is the best."""
        work, store, number = self._continued(message, fl_ctx), self._store(message, fl_ctx), message.round_number
        best = self._if_best(work.tensors(), work.metrics("valid"), number, store)
        if best:
            store.commit(best.tensors, {"round": number}, best=best)
        return self._metrics(work, message)

    def _keep(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        """Makes the best model the site's local model, removes the others, and returns its metrics."""
        work, store = self._ready(message, fl_ctx), self._store(message, fl_ctx)
        best = self._newest(store).best
        if best is None:
            raise MalformedMessage("keep_alone must follow a round, got a site that has no best model")
        work.load(best.tensors())
        self._round = None
        from fedaid.flare.site.local_model import ValidSplit, local_model_of  # as in _store

        kit = Path(fl_ctx.get_engine().get_workspace().get_root_dir())
        local_model_of(work.site, kit, os.environ).keep(
            best.folder,
            round_number=best.state["round"],
            valid_loss=best.state["valid_loss"],
            valid=ValidSplit(**work.facts.valid),
            job_id=fl_ctx.get_job_id(),
            pairs=message.round_number * self._settings.pretrain_steps * self._settings.batch_size,
        )
        shutil.rmtree(store.folder, ignore_errors=True)
        return self._metrics(work, message)

    def _continued(self, message: ModelMessage, fl_ctx: FLContext) -> SiteWork:
        """The work with the site's own model after ``message.round_number`` rounds.

        Raises:
            MalformedMessage: if the site has done another number of rounds.
        """
        number, work, store = message.round_number, self._ready(message, fl_ctx), self._store(message, fl_ctx)
        newest = self._newest(store)
        if newest.state["round"] != number:
            done = newest.state["round"]
            raise MalformedMessage(f"round {number} must follow the one before, got a site that has done {done} rounds")
        if self._round != number:
            work.load(newest.tensors())
            self._round = number
        return work

    def _newest(self, store: RunStore) -> Generation:
        """The site's newest generation.

        Raises:
            MalformedMessage: if it has none.
        """
        if store.newest is None:
            raise MalformedMessage("this task must follow a round, got a site that has done no rounds")
        return store.newest

    def _if_best(
        self, tensors: dict[str, NDArray[Any]], metrics: dict[str, float], number: int, store: RunStore
    ) -> NewBest | None:
        """The model after ``number`` rounds, if it is better than the site's models before."""
        former = store.newest.best if store.newest and number > 0 else None
        if former is not None and metrics[SITE_METRIC] <= former.state[SITE_METRIC]:
            return None
        from fedaid.flare.server.run_store import NewBest  # as in _store

        return NewBest(tensors, {"round": number, SITE_METRIC: metrics[SITE_METRIC], "valid_loss": metrics["loss"]})

    def _store(self, message: ModelMessage, fl_ctx: FLContext) -> RunStore:
        require_recent(fl_ctx.get_identity_name())
        from fedaid.flare.server.run_store import RunStore  # loads transformers, whose version is checked before

        run = Path(fl_ctx.get_engine().get_workspace().get_run_dir(fl_ctx.get_job_id()))
        configuration = message.configuration
        return RunStore(run / STORE, configuration=configuration, vocabulary_hash=message.vocabulary_hash)
