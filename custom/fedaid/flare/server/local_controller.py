"""The controller of ``jobs/local_pretrain``: every site trains alone from one initial model; no model comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.fl_context import FLContext
from nvflare.apis.signal import Signal
from nvflare.app_common.app_constant import AppConstants
from nvflare.app_common.app_event_type import AppEventType

from fedaid.arguments import keeps_arguments
from fedaid.flare.server.ballot import Ballot, Splits
from fedaid.flare.server.controller import TRAIN_METRICS, require_whole
from fedaid.flare.server.gate import Gate, RefusedUpdate
from fedaid.flare.server.gated_scatter_gather import BelowQuorum, GatedScatterAndGather
from fedaid.flare.server.persistor import RUN_STATE, tensors_of
from fedaid.flare.server.run_record import RunRecord
from fedaid.flare.wire.messages import report_from_shareable
from fedaid.flare.wire.tasks import KEEP_ALONE, TRAIN_ALONE, VALIDATE, Arrays, MalformedMessage, UpdateMessage
from fedaid.minmax.selection import METRICS, SITE_METRIC
from fedaid.minmax.site_weights import Move

NO_ROUND = -1  # there is no one best round: each site has its own


class LocalController(GatedScatterAndGather):
    """Asks every site for the same rounds of training on its own data, and collects metrics only.

    A round is a task, so that a person sees how far the sites are; it carries a model in the first round only.

    Args:
        min_clients: sites that must finish.
        num_rounds: rounds.
        task_timeout: seconds that the sites have for one round.
        wait_time_after_min_received: seconds that a round waits for the others once ``min_clients`` have answered; a
            site that is late is left out from then on.
        aggregator_id, persistor_id, shareable_generator_id: components of the server, which FLARE's base class needs.

    Raises:
        InputError: naming the setting.
    """

    @keeps_arguments()
    def __init__(
        self,
        *,
        min_clients: int,
        num_rounds: int,
        task_timeout: int = 7200,
        wait_time_after_min_received: int = 600,
        aggregator_id: str = "aggregator",
        persistor_id: str = "persistor",
        shareable_generator_id: str = "shareable_generator",
    ) -> None:
        for name, value in (("min_clients", min_clients), ("num_rounds", num_rounds), ("task_timeout", task_timeout)):
            require_whole(name, value, least=1)
        require_whole("wait_time_after_min_received", wait_time_after_min_received, least=0)
        super().__init__(
            min_clients=min_clients,
            num_rounds=num_rounds,
            wait_time_after_min_received=wait_time_after_min_received,
            aggregator_id=aggregator_id,
            persistor_id=persistor_id,
            shareable_generator_id=shareable_generator_id,
            train_task_name=TRAIN_ALONE,
            train_timeout=task_timeout,
        )
        self._record = RunRecord(self.traffic)

    def control_flow(self, abort_signal: Signal, fl_ctx: FLContext) -> None:
        """The rounds, then the validation of every site's last model and of its best one, which it keeps."""
        try:
            sites = self.sites()
            for number in range(self._num_rounds):
                sites = self._round(number, sites, fl_ctx, abort_signal)
            self._finish(sites, fl_ctx, abort_signal)
        except (BelowQuorum, OSError) as error:
            if not abort_signal.triggered:
                self.system_panic(str(error), fl_ctx)

    def _round(self, number: int, sites: list[str], fl_ctx: FLContext, abort_signal: Signal) -> list[str]:
        """One round at the given sites; returns those that go on."""
        self._current_round = number
        fl_ctx.set_prop(AppConstants.CURRENT_ROUND, number, private=True, sticky=True)
        gate = Gate(phase=TRAIN_ALONE, round_number=number, template={}, sites=sites, needs=METRICS + TRAIN_METRICS)
        found = self._collect(gate, sites, fl_ctx, abort_signal)
        losses = {site: update.metrics["loss"] for site, update in found.items()}
        self._record.aligned(number, found, {}, move=Move("none", losses, {}, {}), refused=gate.refused)
        self._record.pretrained(found, gate.refused)
        self.progress.measured(losses, {})
        fl_ctx.set_prop(RUN_STATE, self._record.state(best_round=NO_ROUND), private=True, sticky=False)
        self.fire_event(AppEventType.ROUND_DONE, fl_ctx)
        return list(found)

    def _collect(
        self, gate: Gate, sites: list[str], fl_ctx: FLContext, abort_signal: Signal
    ) -> dict[str, UpdateMessage]:
        """Sends a round's task and returns what the gate let in: metrics."""

        def receive(client_task: ClientTask, fl_ctx: FLContext) -> bool:
            site, result = client_task.client.name, client_task.result
            if self._failed(site, result, fl_ctx):
                return False
            try:
                gate.accept(site, report_from_shareable(result))
            except RefusedUpdate as refusal:
                self.log_warning(fl_ctx, str(refusal))
                return False
            except MalformedMessage as reason:
                self.log_warning(fl_ctx, str(gate.refuse(site, reason)))
                return False
            return True

        self._ask(self._task(TRAIN_ALONE), sites, fl_ctx, receive=receive, **self._waiting(abort_signal))
        accepted = gate.close()
        self._require_quorum(TRAIN_ALONE, accepted, gate.refused)
        return accepted

    def _task(self, name: str) -> Task:
        first = name == TRAIN_ALONE and self._current_round == 0
        theta: Arrays = tensors_of(self._global_weights) if first else {}
        self.progress.enter(name, self._current_round)
        return self.task(name, theta, self._current_round)

    def _waiting(self, abort_signal: Signal) -> dict[str, Any]:
        wait = self._wait_time_after_min_received
        return {
            "min_responses": self._min_clients,
            "wait_time_after_min_received": wait,
            "abort_signal": abort_signal,
        }

    def _finish(self, sites: list[str], fl_ctx: FLContext, abort_signal: Signal) -> None:
        """Writes ``results.json`` as other runs do, whether or not all of it could be measured.

        The model beside it is the one that all sites started from.
        """
        self._current_round = self._num_rounds
        found: dict[str, Any] = {"best": {}, "last": {}, "selection_metric": SITE_METRIC}
        try:
            found["last"] = self._validate(VALIDATE, sites, fl_ctx, abort_signal)
            found["best"] = self._validate(KEEP_ALONE, list(found["last"]), fl_ctx, abort_signal)
        except BelowQuorum as stop:
            found["incomplete"] = str(stop)
            raise
        finally:
            self.progress.enter("finished", self._current_round)
            state, store = self._record.state(best_round=NO_ROUND), self.persistor.open_store
            found["model"] = store.commit(tensors_of(self._global_weights), {"round": 0}).name
            rounds = best_rounds(state["history"], found["last"])
            store.write_results(state | found | {"best_rounds": {site: rounds[site] for site in found["best"]}})

    def _validate(self, name: str, sites: list[str], fl_ctx: FLContext, abort_signal: Signal) -> dict[str, Splits]:
        ballot = Ballot(self._current_round, sites)
        return self.collect_metrics(self._task(name), ballot, fl_ctx, **self._waiting(abort_signal))


def best_rounds(history: list[Mapping[str, Any]], last: Mapping[str, Splits]) -> dict[str, int]:
    """Site → after how many rounds its own model was best on its validation split; the first of equal ones."""
    found = {}
    for site, splits in last.items():
        scores = {entry["round"]: entry["valid"][site][SITE_METRIC] for entry in history}
        scores |= {len(history): splits["valid"][SITE_METRIC]}
        found[site] = max(scores, key=lambda number: scores[number])
    return found
