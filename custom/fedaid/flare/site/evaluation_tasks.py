"""The executor of ``jobs/evaluate_global``: evaluates models, and sends the local model if the site shares it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable

from fedaid.arguments import keeps_arguments, parameters_of
from fedaid.errors import require, settings_from
from fedaid.evaluation.embedded_split import EmbeddedSplit
from fedaid.evaluation.plain_result import plain_interval
from fedaid.evaluation.retrieval import METRIC, Ranks, recall_difference, retrieval_ranks
from fedaid.evaluation.settings import LEAST_DRAWS, LEVELS, EvaluationSettings
from fedaid.flare.site.executor import FedAIDExecutor
from fedaid.flare.site.task_memory import TaskMemory
from fedaid.flare.site.work.site_work import SAME_PROCESS
from fedaid.flare.wire.messages import report_to_shareable, result_to_shareable, update_to_shareable
from fedaid.flare.wire.tasks import EVALUATE, GIVEN_MODEL, LOCAL_MODEL, ModelMessage, UpdateMessage
from fedaid.training.settings import WHERE, TrainingSettings

if TYPE_CHECKING:
    from fedaid.flare.site.local_model import LocalModel
    from fedaid.training.site_worker import SiteWorker

OF_TRAINING = ("batch_size", "valid_batch_size", "precision", "channels_last", "threads")
OF_EVALUATION = tuple(field.name for field in fields(EvaluationSettings))
TEST_RANKS = "test_ranks"  # set of tensors: ranks of the test studies under the given model
SHARE = "FEDAID_SHARE_LOCAL_MODEL"
LEAST, LEAST_UNSAID = "FEDAID_LEAST_PATIENTS", 5


class EvaluationExecutor(FedAIDExecutor):
    """Does the tasks ``evaluate`` and ``local_model`` at one site.

    Args:
        settings: the fields of :class:`EvaluationSettings`, and those of :class:`TrainingSettings` that an evaluation
            needs.

    Raises:
        InputError: for an unknown or unusable setting.
    """

    @keeps_arguments(*parameters_of(TrainingSettings, OF_TRAINING), *parameters_of(EvaluationSettings))
    def __init__(self, **settings: Any) -> None:
        training = {name: value for name, value in settings.items() if name not in OF_EVALUATION}
        super().__init__(**training, training_process=SAME_PROCESS)
        evaluation = {name: value for name, value in settings.items() if name in OF_EVALUATION}
        self._evaluation = settings_from(EvaluationSettings, evaluation, where=WHERE)
        self._tasks = {EVALUATE: self._evaluate, LOCAL_MODEL: self._local_model}

    def _worker(self, message: ModelMessage, fl_ctx: FLContext) -> SiteWorker:
        """The worker with the message's model, in this process, where the suite embeds with it."""
        work = self._loaded(message, fl_ctx)
        from fedaid.flare.site.work.own_work import OwnWork  # loads transformers, whose version is checked before

        if not isinstance(work, OwnWork):
            raise TypeError("an evaluation works in the process of the job")
        return work.worker

    def _evaluate(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        """The suite's result for the model in the message: aggregates only."""
        site = fl_ctx.get_identity_name()
        require_enough_patients(self._evaluation.least_patients, os.environ, site=site)
        require_many_draws(self._evaluation, site=site)
        worker = self._worker(message, fl_ctx)
        from fedaid.flare.site.site_evaluation import evaluate_site  # as above

        number = message.round_number
        compare = partial(difference_to_given, self._memory, self._evaluation, number=number, fl_ctx=fl_ctx)
        suite = evaluate_site(worker, self._evaluation, compare=compare)
        return result_to_shareable(message.round_number, {"suite": suite, "skipped": dict(worker.data.skipped)})

    def _local_model(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        """The local model as its difference from the model in the message, so that privacy filters treat it as one.

        If the site has no local model or does not share it, the answer gives the reason.
        """
        worker = self._worker(message, fl_ctx)
        from fedaid.flare.site.local_model import local_model_of  # as above

        kit = Path(fl_ctx.get_engine().get_workspace().get_root_dir())
        local = local_model_of(worker.site, kit, os.environ)
        pairs, reason = len(worker.data.train), reason_against(local, message, os.environ, site=worker.site)
        state = local.state
        if reason or state is None:
            return report_to_shareable(UpdateMessage(message.round_number, {}, {}, pairs, {reason: 1}))
        own = local.tensors()
        delta = {name: np.asarray(own[name] - tensor) for name, tensor in message.tensors.items()}
        metrics = {"rounds": float(state.round), "pairs": float(state.pairs), "valid_loss": state.valid_loss}
        return update_to_shareable(UpdateMessage(message.round_number, delta, metrics, pairs, {}))


def difference_to_given(
    memory: TaskMemory, settings: EvaluationSettings, test: EmbeddedSplit, *, number: int, fl_ctx: FLContext
) -> dict[str, Any] | None:
    """The difference in recall between the model of task ``number`` and the given model, an aggregate.

    The ranks of the single studies under the given model stay at the site.

    Returns:
        None for the given model itself, and if the site has not evaluated the given model.
    """
    ranks = retrieval_ranks(test.image, test.text, test.text_groups)
    if number == GIVEN_MODEL:
        memory.remember(TEST_RANKS, ranks._asdict(), fl_ctx=fl_ctx)
        return None
    found = memory.recall(TEST_RANKS, fl_ctx)
    if found is None:
        return None
    return {METRIC: plain_interval(recall_difference(ranks, Ranks(**found.tensors), test.patients, settings))}


def reason_against(local: LocalModel, message: ModelMessage, environ: Mapping[str, str], *, site: str) -> str:
    """Why a site's local model is not sent; empty if it is sent.

    Raises:
        InputError: if the site's switch is neither 0 nor 1.
    """
    switch, where = environ.get(SHARE, "").strip(), f"environment of site {site}"
    remedy = "Set 0 to keep the model at the site, or leave it out."
    require(switch in ("", "0", "1"), SHARE, "be 0 or 1", got=repr(switch), where=where, remedy=remedy)
    if local.state is None:
        return "no local model"
    if switch == "0":
        return "not shared by the site"
    return "" if local.fits(message.configuration, message.vocabulary_hash) else "another configuration"


def require_enough_patients(least: int, environ: Mapping[str, str], *, site: str) -> None:
    """Refuses a job that reports metrics of fewer patients than the site allows; the site, not the job, has this bound.

    Raises:
        InputError: naming the site's bound.
    """
    text, where = environ.get(LEAST, "").strip() or str(LEAST_UNSAID), f"environment of site {site}"
    remedy = f"Set a number of patients, or leave it out for {LEAST_UNSAID}."
    require(text.isdecimal(), LEAST, "be a whole number", got=repr(text), where=where, remedy=remedy)
    rule, remedy = f"be at least {int(text)}, as the site asks", "Package the job with a higher least_patients."
    require(least >= int(text), "least_patients", rule, got=least, where=f"site {site}", remedy=remedy)


def require_many_draws(settings: EvaluationSettings, *, site: str) -> None:
    """Refuses a job whose intervals would be metrics of single resamples, not percentiles of many.

    The job's author knows the seed, and so how often each study counts in a resample. The metric of one resample can
    reveal something about single studies; the limits of a wide interval over many resamples do not.

    Raises:
        InputError: naming the setting.
    """
    where, remedy = f"site {site}", "Leave it out of the job's settings."
    ok = settings.draws >= LEAST_DRAWS
    require(ok, "draws", f"be at least {LEAST_DRAWS}", got=settings.draws, where=where, remedy=remedy)
    low, high = LEVELS
    rule = f"be between {low} and {high}"
    require(low <= settings.level <= high, "level", rule, got=settings.level, where=where, remedy=remedy)
