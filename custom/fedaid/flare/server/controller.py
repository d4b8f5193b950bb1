"""The controller of ``jobs/fedaid_pretrain`` and ``jobs/fedavg_pretrain``: the round of FedAID."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from nvflare.apis.controller_spec import Task
from nvflare.apis.fl_context import FLContext

from fedaid.arguments import keeps_arguments, parameters_of
from fedaid.errors import InputError, NotYet, require, split_settings
from fedaid.flare.server.ballot import Ballot, Splits
from fedaid.flare.server.durable_run import DurableScatterAndGather
from fedaid.flare.server.gate import BelowQuorum
from fedaid.flare.server.gated_scatter_gather import Found
from fedaid.flare.server.persistor import SERVER_OPTIMIZER, tensors_of
from fedaid.flare.server.run_settings import RunSettings, require_flag
from fedaid.flare.server.run_store import OPTIMIZER
from fedaid.flare.store.generation import BEST, Generation
from fedaid.flare.store.run_identity import RunIdentity
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, TRAIN, VALIDATE, Arrays, UpdateMessage
from fedaid.minmax.loss_baseline import LossBaseline
from fedaid.minmax.norm_clipping import ClipSettings
from fedaid.minmax.selection import METRICS, BestModel, Selection
from fedaid.minmax.server_optimizer import ServerOptimizer, ServerOptimizerSettings
from fedaid.minmax.settings import WHERE, MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from fedaid.minmax.update_bounds import BoundSettings, NormBounds
from fedaid.models.tensor_names import is_alignment, is_statistic

TRAIN_METRICS = ("contrastive", "binding")
SETTINGS = (RunSettings, RunIdentity, MinMaxSettings, BoundSettings, ClipSettings, ServerOptimizerSettings)


class FedAIDController(DurableScatterAndGather):
    """Runs the rounds of FedAID; FLARE's own loop aggregates, saves, fires events and watches for an abort.

    Args:
        selection_metric, selection_share: choose the best model, see :class:`Selection`.
        unseen_site: name of a site that takes no part in the rounds and evaluates the best model at the end, as a
            centre that the model has never seen (leave one site out); empty for none.
        alignment_phase: whether a round starts with the alignment phase; without it a round is one task, as in FedAvg.
        settings: the fields of :class:`RunSettings`, of :class:`RunIdentity`, of :class:`MinMaxSettings`, of
            :class:`BoundSettings`, of :class:`ClipSettings`, and of :class:`ServerOptimizerSettings` for the model at
            the end of a round; the ideal alignment is a plain sum.

    Raises:
        InputError: naming the setting.

    Source: the round of arXiv:2404.03854, with the differences that docs/methods.md lists.
    """

    @keeps_arguments(*(parameter for kind in SETTINGS for parameter in parameters_of(kind)))
    def __init__(
        self,
        *,
        selection_metric: str = "worst_loss",
        selection_share: float = 0.3,
        unseen_site: str = "",
        alignment_phase: bool = True,
        **settings: Any,
    ) -> None:
        require_flag("alignment_phase", alignment_phase)
        remedy = "Write the name of one site, or nothing."
        require(isinstance(unseen_site, str), "unseen_site", "be a name", got=unseen_site, where=WHERE, remedy=remedy)
        self._unseen = unseen_site
        found = split_settings(SETTINGS, settings, where=WHERE)
        run, identity, self._minmax, self._bounds, self._clip, optimizer = found
        super().__init__(run, identity, task_name=PRETRAIN if alignment_phase else TRAIN)
        self._alignment_phase, self._best = alignment_phase, BestModel(Selection(selection_metric, selection_share))
        self._optimizer = ServerOptimizer(optimizer, is_statistic=is_statistic)
        self._baseline = LossBaseline(self._minmax.loss_baseline)
        self._site_weights = SiteWeights(MinMaxSettings(), ["unknown"])  # until the run starts

    def sites(self) -> list[str]:
        """Names of the connected sites that train; the unseen site does not."""
        return [site for site in super().sites() if site != self._unseen]

    @property
    def evaluating(self) -> list[str]:
        """The unseen site, if there is one."""
        return [self._unseen] if self._unseen else []

    def check_sites(self, sites: list[str]) -> None:
        """Checks that the unseen site is there, ``min_clients`` and the bounds of the site weights."""
        rule, remedy = "be a site that is connected", f"Start it, or write one of {', '.join(sites)}."
        if missing := sorted({*self.evaluating} - {*super().sites()}):
            raise NotYet("unseen_site", rule, got=missing[0], where=WHERE, remedy=remedy, sites=missing)
        super().check_sites(sites)
        self._site_weights = SiteWeights(self._minmax, self.sites_of_run)
        if self.generation:
            self._continue(self.generation)

    def _continue(self, generation: Generation) -> None:
        """Takes over what the next round depends on, besides the model."""
        resume = generation.state["resume"]
        self._site_weights.restore(resume["site_weights"])
        self._best.restore(generation.state["best_round"], resume["best_metrics"])
        self._optimizer.state = generation.tensors(OPTIMIZER)

    def run(self, fl_ctx: FLContext) -> None:
        """The rounds, then the validation of the last and of the best model at every site."""
        self.run_rounds(fl_ctx)
        if not self._abort.triggered:
            self.conclude(partial(self._measure, fl_ctx), self._results)

    def broadcast_and_wait(self, task: Task, fl_ctx: FLContext, **waiting: Any) -> None:
        """Steps 1 to 3 of a round; then FLARE's loop aggregates (step 4) and commits."""
        try:
            pretrained = (self._round if self._alignment_phase else self._plain_round)(task, fl_ctx)
        except (BelowQuorum, InputError) as error:
            self.aggregator.reset(fl_ctx)  # so that FLARE's loop has nothing to aggregate
            self.stop(error, fl_ctx)
            return
        self._record.pretrained(pretrained, self.aggregator.refused)
        self.aggregator.total(fl_ctx)
        self._note_move(task.name)
        self.log_info(fl_ctx, self.traffic.describe(self._current_round))
        self._publish(fl_ctx)

    def _note_move(self, phase: str) -> None:
        """Notes in the record how a phase moved the model."""
        sums = self.aggregator
        self._record.moved(phase, sums.norms, kept=sums.kept, clipped=sums.clipped)

    def _publish(self, fl_ctx: FLContext) -> None:
        """Gives the persistor what it commits with the model."""
        metrics = {site: dict(values) for site, values in self._best.metrics.items()}
        resume = {"site_weights": self._site_weights.state, "best_metrics": metrics}
        self.publish(fl_ctx, best_round=self._best.round_number, resume=resume)
        fl_ctx.set_prop(SERVER_OPTIMIZER, self._optimizer, private=True, sticky=False)

    def _round(self, task: Task, fl_ctx: FLContext) -> dict[str, UpdateMessage]:
        number, theta = self._current_round, tensors_of(self._global_weights)
        alignment = {name: tensor for name, tensor in theta.items() if is_alignment(name)}

        # 1: every site measures its validation loss of θ and trains its alignment modules
        self._open(ALIGN, alignment, sites=self.sites(), needs=METRICS)
        aligned = self.collect_updates(self.task(ALIGN, theta, number), fl_ctx)

        # 2: the site weights move, and with them the ideal alignment
        self._weigh(aligned, fl_ctx)
        ideal = self.aggregator.total(fl_ctx)
        self._note_move(ALIGN)

        # 3: every site trains the whole model, bound to the ideal alignment
        self._open(PRETRAIN, {**theta, **ideal}, sites=list(aligned), needs=TRAIN_METRICS)
        task.data = self.task(PRETRAIN, ideal, number).data
        return self.collect_updates(task, fl_ctx)

    def _plain_round(self, task: Task, fl_ctx: FLContext) -> dict[str, UpdateMessage]:
        """FedAvg's round: every site measures its validation loss of θ and trains the whole model from it."""
        theta = tensors_of(self._global_weights)
        self._open(TRAIN, theta, sites=self.sites(), needs=METRICS + TRAIN_METRICS)
        task.data = self.task(TRAIN, theta, self._current_round).data
        updates = self.collect_updates(task, fl_ctx)
        self._weigh(updates, fl_ctx)
        return updates

    def _open(self, phase: str, base: Arrays, *, sites: list[str], needs: tuple[str, ...]) -> None:
        """Opens the aggregator for a phase that moves the tensors ``base``; if the sum is not sound, θ stays."""
        ratio, theta = self._bounds.ratio, tensors_of(self._global_weights)
        bounds = NormBounds(ratio, self._record.former_norms(phase))
        gate = self.gate(phase, base, sites=sites, needs=needs, bounds=bounds)
        before = {name: theta[name] for name in base}
        optimizer = None if phase == ALIGN else self._optimizer
        self.aggregator.open(gate, base, optimizer=optimizer, before=before, largest_step=ratio, clip=self._clip)

    def _weigh(self, aligned: Mapping[str, UpdateMessage], fl_ctx: FLContext) -> None:
        """Takes the dual step on the sites' losses, and saves θ if it is the best model so far."""
        metrics = {site: dict(update.metrics) for site, update in aligned.items()}
        losses = {site: values["loss"] for site, values in metrics.items()}
        pairs, baselines = {site: update.pairs for site, update in aligned.items()}, self._baseline.of_round(metrics)
        move, weights = self._site_weights.step(losses, pairs, baselines), self._site_weights.current
        if self._minmax.loss_baseline != "none" and not move.baselines:
            self.log_info(fl_ctx, f"no site reported its {self._minmax.loss_baseline} loss: the site weights stay")
        for line in self._record.changed_pairs(pairs):
            self.warn(line, fl_ctx)
        self.aggregator.site_weights = weights
        self._record.aligned(self._current_round, aligned, weights, move=move, refused=self.aggregator.refused)
        self.progress.measured(losses, weights)
        self._select(self._current_round, metrics, fl_ctx)

    def _select(self, round_number: int, metrics: Mapping[str, Mapping[str, float]], fl_ctx: FLContext) -> bool:
        """Whether the present model is the best so far; the next commit then has it."""
        if self._best.improves(round_number, metrics):
            self.persistor.note_best(self._global_weights, {"round": round_number, "metrics": metrics}, fl_ctx)
            return True
        return False

    def _measure(self, fl_ctx: FLContext, found: Found) -> None:
        """Adds the sites' metrics of the last and of the best model to ``found``."""
        rounds = self._current_round
        last = self._validate(tensors_of(self._global_weights), rounds, fl_ctx)
        found["last"] = last
        if self._select(rounds, {site: dict(splits["valid"]) for site, splits in last.items()}, fl_ctx):
            self._publish(fl_ctx)
            self.commit(fl_ctx)
        chosen = self._best.round_number
        found["best"] = last if chosen == rounds else self._validate(self.best_tensors(), chosen, fl_ctx)
        if self._unseen:
            found["unseen"] = self._measure_unseen(self.best_tensors(), chosen, fl_ctx)

    def _validate(self, tensors: Arrays, round_number: int, fl_ctx: FLContext) -> dict[str, Splits]:
        """Metrics of a model at every site, on the validation and test splits."""
        self.progress.enter(VALIDATE, self._current_round)
        task = self.task(VALIDATE, tensors, round_number)
        return self.collect_metrics(task, Ballot(round_number, self.sites(), pairs=self._record.pairs), fl_ctx)

    def _measure_unseen(self, tensors: Arrays, chosen: int, fl_ctx: FLContext) -> dict[str, Splits]:
        """Metrics of the best model at the unseen site; empty for a site that gives none, which ends no run."""
        ballot, asked = Ballot(chosen, self.evaluating), self.evaluating
        self.ledger.opened(VALIDATE, self._current_round, asked)
        task = self.task(VALIDATE, tensors, chosen)
        self.send_to(asked, task, fl_ctx, receive=self.taken_by(ballot.take), least=1)
        self.ledger.closed(ballot.answers, ballot.refused)
        self.attendance.settle(asked, ballot.answers, ballot.refused)
        for missed in self.attendance.missed(asked, round_number=self._current_round, phase=VALIDATE):
            self.warn(f"the unseen site has no result: {self.attendance.said_of([missed.site])}", fl_ctx)
        return {site: ballot.answers.get(site, {}) for site in asked}

    def _results(self, found: Found) -> Found:
        """What the run ended with, besides the metrics of its models."""
        state = self._record.state(best_round=self._best.round_number)
        best = f"{BEST}-{self._best.round_number:05d}"
        return state | {"selection_metric": self._best.selection.name, "model": best}
