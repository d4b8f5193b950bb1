"""The controller of ``jobs/local_pretrain``: every site trains alone from one initial model; no model comes back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from nvflare.apis.controller_spec import Task
from nvflare.apis.fl_context import FLContext
from nvflare.app_common.app_constant import AppConstants
from nvflare.app_common.app_event_type import AppEventType

from fedaid.arguments import keeps_arguments, parameters_of
from fedaid.errors import settings_from
from fedaid.flare.answers.asking_scatter_gather import Asked
from fedaid.flare.server.ballot import Ballot, Splits
from fedaid.flare.server.controller import TRAIN_METRICS
from fedaid.flare.server.gated_scatter_gather import Found
from fedaid.flare.server.persistor import tensors_of
from fedaid.flare.server.run_settings import RunSettings
from fedaid.flare.software.checked_scatter_gather import CheckedScatterAndGather
from fedaid.flare.wire.messages import report_from_shareable
from fedaid.flare.wire.tasks import KEEP_ALONE, TRAIN_ALONE, VALIDATE, Arrays
from fedaid.minmax.selection import METRICS, SITE_METRIC
from fedaid.minmax.settings import WHERE
from fedaid.minmax.site_weights import Move

NO_ROUND = -1  # as the best round of the run, since each site has its own


class LocalController(CheckedScatterAndGather):
    """Asks every site for the same rounds of training on its own data, and collects metrics only.

    A round is a task, so that a person sees how far the sites are. Only the first round sends a model. A site that does
    not answer a round in time is not asked again.

    Args:
        settings: the fields of :class:`RunSettings`; ``min_clients`` sites must finish.

    Raises:
        InputError: naming the setting.
    """

    @keeps_arguments(*parameters_of(RunSettings))
    def __init__(self, **settings: Any) -> None:
        super().__init__(settings_from(RunSettings, settings, where=WHERE), task_name=TRAIN_ALONE)

    def run(self, fl_ctx: FLContext) -> None:
        """The rounds, then the validation of every site's last model and of its best one, which it keeps."""
        sites = self.sites()
        for number in range(self._num_rounds):
            self._current_round = number
            sites = self._round(sites, fl_ctx)
        self._current_round = self._num_rounds
        self.conclude(partial(self._measure, sites, fl_ctx), self._results)

    def _round(self, sites: list[str], fl_ctx: FLContext) -> list[str]:
        """One round at the given sites; returns those that answered."""
        number = self._current_round
        fl_ctx.set_prop(AppConstants.CURRENT_ROUND, number, private=True, sticky=True)
        gate = self.gate(TRAIN_ALONE, {}, sites=sites, needs=METRICS + TRAIN_METRICS)
        receive = self.taken_by(partial(gate.take, unpack=report_from_shareable))
        asked = Asked(sites, receive, lambda: gate.accepted, lambda: gate.refused)
        self.ask(asked, self._task(TRAIN_ALONE), fl_ctx)
        found = gate.close()
        self.settle(asked, TRAIN_ALONE)
        out = {*self.sites()} - {*sites}
        self._record.missed += self.attendance.missed(out, round_number=number, phase=TRAIN_ALONE)
        losses = {site: update.metrics["loss"] for site, update in found.items()}
        self._record.aligned(number, found, {}, move=Move("none", losses, {}, {}), refused=gate.refused)
        self._record.pretrained(found, gate.refused)
        self.progress.measured(losses, {})
        self.publish(fl_ctx, best_round=NO_ROUND)
        self.fire_event(AppEventType.ROUND_DONE, fl_ctx)
        return list(found)

    def _task(self, name: str) -> Task:
        first = name == TRAIN_ALONE and self._current_round == 0
        theta: Arrays = tensors_of(self._global_weights) if first else {}
        return self.task(name, theta, self._current_round)

    def _measure(self, sites: list[str], fl_ctx: FLContext, found: Found) -> None:
        """Adds the metrics of every site's last and best model to ``found``."""
        found["last"] = self._validate(VALIDATE, sites, fl_ctx)
        found["best"] = self._validate(KEEP_ALONE, list(found["last"]), fl_ctx)

    def _results(self, found: Found) -> Found:
        """What the run ended with, as other runs say it; the model is the one that all sites started from."""
        state = self._record.state(best_round=NO_ROUND)
        start = self.persistor.open_store.commit(tensors_of(self._global_weights), {"round": 0}).folder.name
        rounds = best_rounds(state["history"], found["last"])
        best = {site: rounds[site] for site in found["best"]}
        return state | {"selection_metric": SITE_METRIC, "model": start, "best_rounds": best}

    def _validate(self, name: str, sites: list[str], fl_ctx: FLContext) -> dict[str, Splits]:
        self.progress.enter(name, self._current_round)
        return self.collect_metrics(
            self._task(name), Ballot(self._current_round, sites, pairs=self._record.pairs), fl_ctx
        )


def best_rounds(history: list[Mapping[str, Any]], last: Mapping[str, Splits]) -> dict[str, int]:
    """Site → after how many rounds its own model was best on its validation split; the first of equal ones."""
    found = {}
    for site, splits in last.items():
        scores = {entry["round"]: entry["valid"][site][SITE_METRIC] for entry in history}
        scores |= {len(history): splits["valid"][SITE_METRIC]}
        found[site] = max(scores, key=lambda number: scores[number])
    return found
