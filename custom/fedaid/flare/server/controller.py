"""The controller: the round of FedAID, on FLARE's ScatterAndGather."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nvflare.apis.controller_spec import Task
from nvflare.apis.fl_context import FLContext
from nvflare.apis.signal import Signal

from fedaid.arguments import keeps_arguments, parameters_of
from fedaid.errors import InputError, require, split_settings
from fedaid.flare.server.ballot import Ballot, Splits
from fedaid.flare.server.gate import Gate
from fedaid.flare.server.gated_scatter_gather import BelowQuorum, GatedScatterAndGather
from fedaid.flare.server.persistor import RUN_STATE, SERVER_OPTIMIZER, tensors_of
from fedaid.flare.server.run_record import RunRecord
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, TRAIN, VALIDATE, Arrays, UpdateMessage
from fedaid.minmax.loss_baseline import LossBaseline
from fedaid.minmax.selection import METRICS, BestModel, Selection
from fedaid.minmax.server_optimizer import ServerOptimizer, ServerOptimizerSettings
from fedaid.minmax.settings import WHERE, MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from fedaid.models.tensor_names import is_alignment, is_statistic

TRAIN_METRICS = ("contrastive", "binding")
METHOD = (MinMaxSettings, ServerOptimizerSettings)  # what the method may set at the server


class FedAIDController(GatedScatterAndGather):
    """Runs the rounds of FedAID; FLARE's own loop aggregates, saves, fires events and watches for an abort.

    Args:
        min_clients: sites whose accepted answers a phase needs, at most those of the federation.
        num_rounds: rounds.
        task_timeout: seconds that the sites have for one task.
        wait_time_after_min_received: seconds that a phase waits for the others once ``min_clients`` have answered.
        selection_metric, selection_share: name the best model, see :class:`Selection`.
        alignment_phase: whether a round starts with the alignment phase; without it a round is one task, as FedAvg's.
        aggregator_id, persistor_id, shareable_generator_id: components of the server.
        method: the fields of :class:`MinMaxSettings`, and of :class:`ServerOptimizerSettings` for the model at the end
            of a round; the ideal alignment is a plain sum.

    Raises:
        InputError: naming the setting.

    Source: the round of arXiv:2404.03854, with the differences that README lists.
    """

    @keeps_arguments(*parameters_of(MinMaxSettings), *parameters_of(ServerOptimizerSettings))
    def __init__(
        self,
        *,
        min_clients: int,
        num_rounds: int,
        task_timeout: int = 7200,
        wait_time_after_min_received: int = 600,
        selection_metric: str = "worst_loss",
        selection_share: float = 0.3,
        alignment_phase: bool = True,
        aggregator_id: str = "aggregator",
        persistor_id: str = "persistor",
        shareable_generator_id: str = "shareable_generator",
        **method: Any,
    ) -> None:
        for name, value in (("min_clients", min_clients), ("num_rounds", num_rounds), ("task_timeout", task_timeout)):
            require_whole(name, value, least=1)
        require_whole("wait_time_after_min_received", wait_time_after_min_received, least=0)
        require_flag("alignment_phase", alignment_phase)
        self._minmax, optimizer = split_settings(METHOD, method, where=WHERE)
        self._optimizer = ServerOptimizer(optimizer, is_statistic=is_statistic)
        self._baseline = LossBaseline(self._minmax.loss_baseline)
        self._alignment_phase, self._best = alignment_phase, BestModel(Selection(selection_metric, selection_share))
        self._site_weights = SiteWeights(MinMaxSettings(), ["unknown"])  # until the run starts
        super().__init__(
            min_clients=min_clients,
            num_rounds=num_rounds,
            wait_time_after_min_received=wait_time_after_min_received,
            aggregator_id=aggregator_id,
            persistor_id=persistor_id,
            shareable_generator_id=shareable_generator_id,
            train_task_name=PRETRAIN if alignment_phase else TRAIN,
            train_timeout=task_timeout,
        )
        self._record = RunRecord(self.traffic)

    def start_controller(self, fl_ctx: FLContext) -> None:
        """Checks the run against the sites that take part, before anything is sent."""
        super().start_controller(fl_ctx)
        sites = self.sites()
        try:
            rule, remedy = f"be at most the {len(sites)} sites of the run", "Lower min_clients or start more sites."
            ok = self._min_clients <= len(sites)
            require(ok, "min_clients", rule, got=self._min_clients, where=WHERE, remedy=remedy)
            self._site_weights = SiteWeights(self._minmax, sites)
        except InputError as error:
            self.system_panic(str(error), fl_ctx)

    def broadcast_and_wait(self, task: Task, fl_ctx: FLContext, **waiting: Any) -> None:
        """Steps 1 to 3 of a round; the base loop calls this once a round, then aggregates (step 4) and commits."""
        try:
            run = self._round if self._alignment_phase else self._plain_round
            pretrained = run(task, fl_ctx, **waiting)
        except BelowQuorum as stop:
            self.aggregator.reset(fl_ctx)  # so that nothing can be aggregated, whatever the base loop does next
            if not waiting["abort_signal"].triggered:
                self.system_panic(str(stop), fl_ctx)
            return
        self._record.pretrained(pretrained, self.aggregator.refused)
        self.log_info(fl_ctx, self.traffic.describe(self._current_round))
        state = self._record.state(best_round=self._best.round_number)
        fl_ctx.set_prop(RUN_STATE, state, private=True, sticky=False)
        fl_ctx.set_prop(SERVER_OPTIMIZER, self._optimizer, private=True, sticky=False)

    def _round(self, task: Task, fl_ctx: FLContext, **waiting: Any) -> dict[str, UpdateMessage]:
        number, theta = self._current_round, tensors_of(self._global_weights)
        alignment = {name: tensor for name, tensor in theta.items() if is_alignment(name)}

        # 1: every site measures its validation loss of θ and trains its alignment modules
        self._open(ALIGN, alignment, base=alignment, sites=self.sites(), needs=METRICS)
        aligned = self.collect_updates(self.task(ALIGN, theta, number), fl_ctx, **waiting)

        # 2: the site weights move, and with them the ideal alignment
        self._weigh(aligned, fl_ctx)
        ideal = self.aggregator.total()

        # 3: every site trains the whole model, bound to the ideal alignment
        self._open(PRETRAIN, theta, base={**theta, **ideal}, sites=list(aligned), needs=TRAIN_METRICS)
        task.data = self.task(PRETRAIN, ideal, number).data
        return self.collect_updates(task, fl_ctx, **waiting)

    def _plain_round(self, task: Task, fl_ctx: FLContext, **waiting: Any) -> dict[str, UpdateMessage]:
        """FedAvg's round: every site measures its validation loss of θ and trains the whole model from it."""
        theta = tensors_of(self._global_weights)
        self._open(TRAIN, theta, base=theta, sites=self.sites(), needs=METRICS + TRAIN_METRICS)
        task.data = self.task(TRAIN, theta, self._current_round).data
        updates = self.collect_updates(task, fl_ctx, **waiting)
        self._weigh(updates, fl_ctx)
        return updates

    def _open(self, phase: str, moves: Arrays, *, base: Arrays, sites: list[str], needs: tuple[str, ...]) -> None:
        """Opens the aggregator for a phase that moves the tensors ``moves`` from ``base``."""
        gate = Gate(phase=phase, round_number=self._current_round, template=moves, sites=sites, needs=needs)
        self.aggregator.open(gate, base, optimizer=None if phase == ALIGN else self._optimizer)
        self.progress.enter(phase, self._current_round)

    def _weigh(self, aligned: Mapping[str, UpdateMessage], fl_ctx: FLContext) -> None:
        """The dual step on the sites' losses; θ is kept if it is the best model so far."""
        metrics = {site: dict(update.metrics) for site, update in aligned.items()}
        losses = {site: values["loss"] for site, values in metrics.items()}
        pairs, baselines = {site: update.pairs for site, update in aligned.items()}, self._baseline.of_round(metrics)
        move, weights = self._site_weights.step(losses, pairs, baselines), self._site_weights.current
        if self._minmax.loss_baseline != "none" and not move.baselines:
            self.log_info(fl_ctx, f"no site reported its {self._minmax.loss_baseline} loss: the site weights stay")
        self.aggregator.site_weights = weights
        self._record.aligned(self._current_round, aligned, weights, move=move, refused=self.aggregator.refused)
        self.progress.measured(losses, weights)
        self._select(self._current_round, metrics, fl_ctx)

    def _select(self, round_number: int, metrics: Mapping[str, Mapping[str, float]], fl_ctx: FLContext) -> None:
        if self._best.improves(round_number, metrics):
            self.persistor.save_best(self._global_weights, {"round": round_number, "metrics": metrics}, fl_ctx)

    def control_flow(self, abort_signal: Signal, fl_ctx: FLContext) -> None:
        """The rounds, then the validation of the last and of the best model at every site."""
        super().control_flow(abort_signal, fl_ctx)
        if abort_signal.triggered:
            return
        try:
            self._finish(fl_ctx, abort_signal)
        except (BelowQuorum, OSError) as error:
            self.system_panic(str(error), fl_ctx)

    def _finish(self, fl_ctx: FLContext, abort_signal: Signal) -> None:
        """Writes what the run ended with, whether or not all of it could be measured."""
        found: dict[str, Any] = {"best": {}, "last": {}}
        try:
            self._measure(found, fl_ctx, abort_signal)
        except BelowQuorum as stop:
            found["incomplete"] = str(stop)
            raise
        finally:
            self.progress.enter("finished", self._current_round)
            store = self.persistor.open_store
            found |= {"selection_metric": self._best.selection.name, "model": store.newest("best").name}
            store.write_results(self._record.state(best_round=self._best.round_number) | found)

    def _measure(self, found: dict[str, Any], fl_ctx: FLContext, abort_signal: Signal) -> None:
        """Puts the sites' metrics of the last and of the best model into ``found``."""
        rounds, store = self._current_round, self.persistor.open_store
        last = self._validate(tensors_of(self._global_weights), rounds, fl_ctx, abort_signal)
        found["last"] = last
        self._select(rounds, {site: splits["valid"] for site, splits in last.items()}, fl_ctx)
        chosen = self._best.round_number
        found["best"] = last if chosen == rounds else self._validate(store.best_tensors(), chosen, fl_ctx, abort_signal)

    def _validate(
        self, tensors: Arrays, round_number: int, fl_ctx: FLContext, abort_signal: Signal
    ) -> dict[str, Splits]:
        """Metrics of a model at every site, on the validation and test splits."""
        self.progress.enter(VALIDATE, self._current_round)
        return self.collect_metrics(
            self.task(VALIDATE, tensors, round_number),
            Ballot(round_number, self.sites()),
            fl_ctx,
            min_responses=self._min_clients,
            wait_time_after_min_received=self._wait_time_after_min_received,
            abort_signal=abort_signal,
        )


def require_whole(name: str, value: object, *, least: int) -> None:
    """Refuses a setting that is not a whole number of at least ``least``; a bool is none."""
    ok = isinstance(value, int) and not isinstance(value, bool) and value >= least
    rule, remedy = f"be a whole number of at least {least}", "Correct the job's setting."
    require(ok, name, rule, got=repr(value), where=WHERE, remedy=remedy)


def require_flag(name: str, value: object) -> None:
    """Refuses a setting that is neither true nor false."""
    remedy = "Correct the job's setting."
    require(isinstance(value, bool), name, "be true or false", got=repr(value), where=WHERE, remedy=remedy)
