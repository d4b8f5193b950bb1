"""The controller: FLARE's ScatterAndGather with the two phases of FedAID in each round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nvflare.apis.client import Client
from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.fl_context import FLContext
from nvflare.apis.impl.wf_comm_server import WFCommServer
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal
from nvflare.app_common.app_constant import AppConstants
from nvflare.app_common.workflows.scatter_and_gather import ScatterAndGather
from nvflare.widgets.info_collector import InfoCollector

from fedaid.errors import InputError, require
from fedaid.flare.aggregator import AUTHENTICATED_SITE, SiteWeightedAggregator
from fedaid.flare.ballot import Ballot, Splits
from fedaid.flare.gate import Gate, RefusedUpdate
from fedaid.flare.messages import (
    ALIGN,
    ERROR_HEADER,
    LONGEST_ERROR,
    PRETRAIN,
    VALIDATE,
    Arrays,
    ModelMessage,
    UpdateMessage,
    model_to_shareable,
)
from fedaid.flare.persistor import RUN_STATE, RunPersistor, tensors_of
from fedaid.flare.progress import RunProgress
from fedaid.flare.run_record import RunRecord
from fedaid.flare.selection import METRICS, BestModel, Selection
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from fedaid.models.naming import is_alignment

WHERE = "controller args of config_fed_server.json"
TRAIN_METRICS = ("contrastive", "binding")


class BelowQuorum(RuntimeError):
    """Fewer sites than ``min_clients`` gave an answer that could be used."""


class FedAIDController(ScatterAndGather):  # type: ignore[misc]
    """Runs the rounds of FedAID; FLARE's own loop aggregates, saves, fires events and watches for an abort.

    Args:
        min_clients: sites whose accepted answers a phase needs, at most those of the federation.
        num_rounds: rounds.
        task_timeout: seconds that the sites have for one task.
        wait_time_after_min_received: seconds that a phase waits for the others once ``min_clients`` have answered.
        server_learning_rate: η, the scale of the aggregated update.
        selection_metric: names the best model, see :class:`Selection`.
        dual_step_size, rho, max_site_weight, min_site_weight, initial_site_weights: see :class:`MinMaxSettings`.
        aggregator_id, persistor_id, shareable_generator_id: components of the server.

    Raises:
        InputError: naming the setting.

    Source: the round of arXiv:2404.03854, with the differences that README lists.
    """

    def __init__(
        self,
        *,
        min_clients: int,
        num_rounds: int,
        task_timeout: int = 7200,
        wait_time_after_min_received: int = 600,
        server_learning_rate: float = 1.0,
        selection_metric: str = "worst_loss",
        dual_step_size: float = 0.5,
        rho: float = 0.25,
        max_site_weight: float | None = None,
        min_site_weight: float = 0.0,
        initial_site_weights: str = "uniform",
        aggregator_id: str = "aggregator",
        persistor_id: str = "persistor",
        shareable_generator_id: str = "shareable_generator",
    ) -> None:
        for name, value in (("min_clients", min_clients), ("num_rounds", num_rounds), ("task_timeout", task_timeout)):
            ok = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            remedy = "Correct the job's setting."
            require(ok, name, "be a whole number of at least 1", got=repr(value), where=WHERE, remedy=remedy)
        self._minmax = MinMaxSettings(dual_step_size, rho, max_site_weight, min_site_weight, initial_site_weights)
        self._server_learning_rate = server_learning_rate
        self._best = BestModel(Selection(selection_metric))
        self._record, self._progress = RunRecord(), RunProgress(num_rounds)
        self._site_weights: SiteWeights | None = None
        super().__init__(
            min_clients=min_clients,
            num_rounds=num_rounds,
            wait_time_after_min_received=wait_time_after_min_received,
            aggregator_id=aggregator_id,
            persistor_id=persistor_id,
            shareable_generator_id=shareable_generator_id,
            train_task_name=PRETRAIN,
            train_timeout=task_timeout,
            task_check_period=0.1,
        )

    def set_communicator(self, communicator: WFCommServer) -> None:
        """Hands over the check period under the name that 2.9.0 reads; the base class sets another."""
        super().set_communicator(communicator)
        communicator._task_check_period = self._task_check_period

    def start_controller(self, fl_ctx: FLContext) -> None:
        """Checks the run against the sites that take part."""
        super().start_controller(fl_ctx)
        sites = self._sites()
        try:
            remedy = "Lower min_clients or start more sites."
            ok = self._min_clients <= len(sites)
            rule = f"be at most the {len(sites)} sites of the federation"
            require(ok, "min_clients", rule, got=self._min_clients, where=WHERE, remedy=remedy)
            self._site_weights = SiteWeights(self._minmax, sites)
        except InputError as error:
            self.system_panic(str(error), fl_ctx)

    # One round of the algorithm.

    def broadcast_and_wait(self, task: Task, fl_ctx: FLContext, **waiting: Any) -> None:
        """One round up to step 3; the base loop calls this once a round, then aggregates (step 4) and commits."""
        theta = tensors_of(self._global_weights)
        alignment = {name: tensor for name, tensor in theta.items() if is_alignment(name)}
        try:
            # 1: validation losses of θ, and T1 steps of the alignment modules
            self._open(ALIGN, alignment, METRICS[:1], base=alignment, sites=self._sites())
            aligned = self._run(Task(ALIGN, self._message(theta, self._current_round), timeout=self._train_timeout), fl_ctx, **waiting)
            # 2: site weights, and the ideal alignment
            self._weigh(aligned, fl_ctx)
            ideal = self.aggregator.total()
            # 3: T2 steps of the whole model, bound to the ideal alignment
            self._open(PRETRAIN, theta, TRAIN_METRICS, base={**theta, **ideal}, sites=list(aligned))
            task.data = self._message(ideal, self._current_round)
            pretrained = self._run(task, fl_ctx, **waiting)
        except BelowQuorum as stop:
            if not waiting["abort_signal"].triggered:
                self.system_panic(str(stop), fl_ctx)
            return
        self._record.pretrained(pretrained, self.aggregator.refused)
        state = self._record.state(best_round=self._best.round_number)
        fl_ctx.set_prop(RUN_STATE, state, private=True, sticky=False)

    def _sites(self) -> list[str]:
        return sorted(client.name for client in self._engine.get_clients())

    def _message(self, tensors: Arrays, round_number: int) -> Shareable:
        """Tensors for the sites, with the headers that FLARE's own components look for."""
        persistor: RunPersistor = self.persistor
        message = ModelMessage(round_number, tensors, persistor.configuration, persistor.vocabulary_hash)
        shareable = model_to_shareable(message)
        shareable.set_header(AppConstants.CURRENT_ROUND, round_number)
        shareable.set_header(AppConstants.NUM_ROUNDS, self._num_rounds)
        shareable.add_cookie(AppConstants.CONTRIBUTION_ROUND, round_number)
        return shareable

    def _open(self, phase: str, moves: Arrays, needs: tuple[str, ...], *, base: Arrays, sites: list[str]) -> None:
        """Opens the aggregator's gate for a phase that moves the tensors ``moves``."""
        gate = Gate(phase=phase, round_number=self._current_round, template=moves, sites=sites, needs=needs)
        self.aggregator.open(gate, base, scale=1.0 if phase == ALIGN else self._server_learning_rate)
        self._current_failed_clients, self._current_num_targets = set(), len(sites)
        self._progress.enter(phase, self._current_round)

    def _run(self, task: Task, fl_ctx: FLContext, **waiting: Any) -> dict[str, UpdateMessage]:
        """Sends a task to the sites of the open gate and returns what was accepted, by site name.

        Raises:
            BelowQuorum: if that is less than ``min_clients``; error replies count as answers in FLARE, not here.
        """
        task.result_received_cb = self._process_train_result
        super().broadcast_and_wait(task=task, fl_ctx=fl_ctx, targets=self.aggregator.sites, **waiting)
        accepted: dict[str, UpdateMessage] = self.aggregator.accepted
        if len(accepted) < self._min_clients:
            raise BelowQuorum(
                f"{task.name} of round {self._current_round} must have {self._min_clients} accepted updates "
                f"(min_clients), got {len(accepted)}: {', '.join(accepted) or 'no site'}. The model is unchanged; "
                "see the messages of the other sites above."
            )
        return dict(sorted(accepted.items()))

    def _weigh(self, aligned: dict[str, UpdateMessage], fl_ctx: FLContext) -> None:
        """Step 2: the dual step on the sites' losses; θ is kept if it is the best so far."""
        losses = {site: float(update.metrics["loss"]) for site, update in aligned.items()}
        self._site_weights.step(losses, {site: update.pairs for site, update in aligned.items()})
        self.aggregator.site_weights = self._site_weights.current
        self._record.aligned(self._current_round, aligned, self._site_weights.current)
        self._progress.measured(losses, self._site_weights.current)
        self._select(self._current_round, {site: update.metrics for site, update in aligned.items()}, fl_ctx)

    def _select(self, round_number: int, metrics: Mapping[str, Mapping[str, float]], fl_ctx: FLContext) -> None:
        if self._best.improves(round_number, metrics):
            state = {"round": round_number, "metrics": {site: dict(values) for site, values in metrics.items()}}
            self.persistor.save_best(self._global_weights, state, fl_ctx)

    # What comes from the sites.

    def _accept_train_result(
        self, client_name: str, result: Shareable, fl_ctx: FLContext, is_unknown_task: bool = False
    ) -> bool:
        """Tells the aggregator whose result this is, by the name that FLARE authenticated."""
        fl_ctx.set_prop(AUTHENTICATED_SITE, client_name, private=True, sticky=False)
        self._log_site_error(client_name, result, fl_ctx)
        accepted: bool = super()._accept_train_result(client_name, result, fl_ctx, is_unknown_task)
        return accepted

    def _log_site_error(self, site: str, result: Shareable, fl_ctx: FLContext) -> None:
        text = result.get_header(ERROR_HEADER)
        if isinstance(text, str):
            self.log_error(fl_ctx, f"site {site} could not work: {text[:LONGEST_ERROR]}")

    def process_result_of_unknown_task(
        self, client: Client, task_name: str, client_task_id: str, result: Shareable, fl_ctx: FLContext
    ) -> None:
        """Refuses a late result: the base class would hand it to the phase that is open by then."""
        self.log_warning(fl_ctx, f"late result of site {client.name} for {task_name} refused")

    # After the last round.

    def control_flow(self, abort_signal: Signal, fl_ctx: FLContext) -> None:
        """The rounds, then the validation of the last and of the best model."""
        super().control_flow(abort_signal, fl_ctx)
        if abort_signal.triggered:
            return
        try:
            self._finish(fl_ctx, abort_signal)
        except (BelowQuorum, OSError) as error:
            self.system_panic(str(error), fl_ctx)

    def _finish(self, fl_ctx: FLContext, abort_signal: Signal) -> None:
        last = self._validate(tensors_of(self._global_weights), self._current_round, fl_ctx, abort_signal)
        self._select(self._current_round, {site: splits["valid"] for site, splits in last.items()}, fl_ctx)
        best, store = last, self.persistor.open_store
        if self._best.round_number != self._current_round:
            best = self._validate(store.best_tensors(), self._best.round_number, fl_ctx, abort_signal)
        self._progress.enter("finished", self._num_rounds)
        results = {"selection_metric": self._best.selection.name, "model": store.newest("best").name, "best": best, "last": last}
        store.write_results(self._record.state(best_round=self._best.round_number) | results)

    def _validate(self, tensors: Arrays, round_number: int, fl_ctx: FLContext, abort_signal: Signal) -> dict[str, Splits]:
        """Metrics of a model at every site, on the validation and test splits."""
        self._progress.enter(VALIDATE, round_number)
        ballot = Ballot(round_number, self._sites())

        def receive(client_task: ClientTask, fl_ctx: FLContext) -> None:
            site, result, client_task.result = client_task.client.name, client_task.result, None
            self._log_site_error(site, result, fl_ctx)
            try:
                ballot.accept(site, result)
            except RefusedUpdate as refusal:
                self.log_warning(fl_ctx, str(refusal))

        task = Task(VALIDATE, self._message(tensors, round_number), timeout=self._train_timeout, result_received_cb=receive)
        super().broadcast_and_wait(
            task=task,
            fl_ctx=fl_ctx,
            targets=self._sites(),
            min_responses=self._min_clients,
            wait_time_after_min_received=self._wait_time_after_min_received,
            abort_signal=abort_signal,
        )
        if len(ballot.answers) < self._min_clients:
            raise BelowQuorum(f"validate must have {self._min_clients} answers (min_clients), got {len(ballot.answers)}.")
        return dict(sorted(ballot.answers.items()))

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Answers FLARE's request for statistics with the progress of the run."""
        super().handle_event(event_type, fl_ctx)
        if event_type == InfoCollector.EVENT_TYPE_GET_STATS:
            collector = fl_ctx.get_prop(InfoCollector.CTX_KEY_STATS_COLLECTOR)
            if collector:
                collector.add_info(group_name=self._name, info=self._progress.as_dict())
