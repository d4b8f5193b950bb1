"""The controller of ``jobs/evaluate_global``: each model on each site's test split; only aggregates come back."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from nvflare.apis.controller_spec import ClientTask
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.signal import Signal
from safetensors import SafetensorError
from safetensors.numpy import load_file

from fedaid.arguments import keeps_arguments
from fedaid.atomic_file import replace_text
from fedaid.errors import InputError, require
from fedaid.flare.server.aggregator import SPOOL_FOLDER
from fedaid.flare.server.ballot import SuiteBallot
from fedaid.flare.server.controller import require_flag, require_whole
from fedaid.flare.server.gate import RefusedUpdate, demand, judge_tensors, specs_of
from fedaid.flare.server.gated_scatter_gather import BelowQuorum, GatedScatterAndGather
from fedaid.flare.server.own_models import OwnModels
from fedaid.flare.server.persistor import tensors_of
from fedaid.flare.server.spool import Spool
from fedaid.flare.wire.tasks import EVALUATE, GIVEN_MODEL, LOCAL_MODEL, Arrays
from fedaid.minmax.settings import WHERE
from fedaid.models.saved_model import CONFIG, WEIGHTS

GLOBAL, LOCAL = "global", "local:"  # names of models: the given one, and a site's own with the site's name
RESULT = "evaluation.json"
FOLDER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
NO_ANSWER = "no answer in time"


class EvaluationController(GatedScatterAndGather):
    """Has the given model evaluated at every site, then each site's own one, as far as the sites send them.

    Args:
        min_clients: sites that must evaluate the given model.
        task_timeout: seconds that the sites have for one model.
        wait_time_after_min_received: seconds that a task waits for the others once ``min_clients`` have answered.
        local_models: whether the sites are asked for the models that they trained alone.
        model_folder: of the given model, in the job's app; ``admin.jobs.package --model`` puts it there.
        aggregator_id, persistor_id, shareable_generator_id: components of the server, which FLARE's base class needs.

    Raises:
        InputError: naming the setting.
    """

    @keeps_arguments()
    def __init__(
        self,
        *,
        min_clients: int,
        task_timeout: int = 7200,
        wait_time_after_min_received: int = 600,
        local_models: bool = True,
        model_folder: str = "global_model",
        aggregator_id: str = "aggregator",
        persistor_id: str = "persistor",
        shareable_generator_id: str = "shareable_generator",
    ) -> None:
        for name, value in (("min_clients", min_clients), ("task_timeout", task_timeout)):
            require_whole(name, value, least=1)
        require_whole("wait_time_after_min_received", wait_time_after_min_received, least=0)
        require_flag("local_models", local_models)
        remedy = "Leave it as it is."
        plain = isinstance(model_folder, str) and bool(FOLDER_NAME.fullmatch(model_folder))
        require(plain, "model_folder", "be a folder's name", got=repr(model_folder), where=WHERE, remedy=remedy)
        self._local_models, self._model_folder = local_models, model_folder
        super().__init__(
            min_clients=min_clients,
            num_rounds=1,
            wait_time_after_min_received=wait_time_after_min_received,
            aggregator_id=aggregator_id,
            persistor_id=persistor_id,
            shareable_generator_id=shareable_generator_id,
            train_task_name=EVALUATE,
            train_timeout=task_timeout,
        )
        self._waiting: dict[str, Any] = {
            "min_responses": min_clients,
            "wait_time_after_min_received": wait_time_after_min_received,
        }
        self._found: dict[str, Any] = {"models": {}, "data": {}, "left_out": {}, "local_models": {}}

    def control_flow(self, abort_signal: Signal, fl_ctx: FLContext) -> None:
        """The tasks, one model after another; what was found is written even if a part of it is missing."""
        self._current_round, app = GIVEN_MODEL, Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT)))
        self._waiting["abort_signal"] = abort_signal
        try:
            theta = self._given_model(app / self._model_folder)
            self._evaluate(GLOBAL, theta, fl_ctx)
            if self._local_models:
                self._evaluate_local_models(theta, Spool(app / SPOOL_FOLDER), fl_ctx)
        except (BelowQuorum, InputError, OSError) as error:
            if not abort_signal.triggered:
                self.system_panic(str(error), fl_ctx)
        finally:
            self.progress.enter("finished", self._current_round)
            found = self._found | {"bytes": self.traffic.bytes}
            replace_text(self.persistor.open_store.folder / RESULT, json.dumps(found, indent=1, sort_keys=True))

    def _given_model(self, folder: Path) -> dict[str, NDArray[Any]]:
        """The model that came with the job.

        Raises:
            InputError: if it is not one of the job's configuration.
        """
        remedy, where = "Package the job again: python -m admin package NAME --model FOLDER.", self._model_folder
        try:
            tensors: dict[str, NDArray[Any]] = load_file(folder / WEIGHTS)
            config = json.loads((folder / CONFIG).read_text())
            judge_tensors(tensors, specs_of(tensors_of(self._global_weights)))
            demand(config["vocabulary_sha256"] == self.persistor.vocabulary_hash, "its vocabulary is another")
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            got = str(error) if isinstance(error, ValueError) else type(error).__name__
            raise InputError(
                "model", "be one of the job's configuration", got=got, where=where, remedy=remedy
            ) from error
        digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
        self._found["global_model"] = {"sha256": digest} | config
        return tensors

    def _evaluate(self, name: str, tensors: Arrays, fl_ctx: FLContext) -> None:
        """One model at every site; only of the given one too few answers are an error.

        Raises:
            BelowQuorum: for the given model.
        """
        self.progress.enter(f"{EVALUATE} {name}", self._current_round)
        ballot = SuiteBallot(self._current_round, self.sites())
        task = self.task(EVALUATE, tensors, self._current_round)
        try:
            self.collect_metrics(task, ballot, fl_ctx, **self._waiting)
        except BelowQuorum as stop:
            if name == GLOBAL:
                raise
            self.log_warning(fl_ctx, f"{name}: {stop}")
        finally:
            self._note(name, ballot)
            self._current_round += 1

    def _note(self, name: str, ballot: SuiteBallot) -> None:
        """Puts the sites' results of a model into what was found, and names the sites without one."""
        answers: Any = dict(sorted(ballot.answers.items()))
        self._found["models"][name] = {site: answer["suite"] for site, answer in answers.items()}
        if name == GLOBAL:
            counts = {s: {"counts": a["suite"].get("counts"), "skipped": a["skipped"]} for s, a in answers.items()}
            self._found["data"] = counts
        why = {site: ballot.refused.get(site) or self._site_errors.get(site, NO_ANSWER) for site in ballot.sites}
        self._found["left_out"][name] = {site: reason for site, reason in why.items() if site not in answers}

    def _evaluate_local_models(self, given: Arrays, spool: Spool, fl_ctx: FLContext) -> None:
        models = OwnModels(given, spool, round_number=self._current_round, sites=self.sites())
        try:
            for site in self._collect(models, given, fl_ctx):
                if not self._waiting["abort_signal"].triggered:
                    self._evaluate(LOCAL + site, models.tensors(site), fl_ctx)
        finally:
            spool.clear()

    def _collect(self, models: OwnModels, given: Arrays, fl_ctx: FLContext) -> list[str]:
        """Asks the sites for their own models; returns those whose came, and notes why of the others none did."""

        def receive(client_task: ClientTask, fl_ctx: FLContext) -> bool:
            site, result = client_task.client.name, client_task.result
            if not self._failed(site, result, fl_ctx):
                try:
                    models.take(site, result)
                except RefusedUpdate as refusal:
                    self.log_warning(fl_ctx, str(refusal))
            return True  # there is no quorum of own models: each reply is an answer

        self.progress.enter(LOCAL_MODEL, self._current_round)
        task = self.task(LOCAL_MODEL, given, self._current_round)
        self._ask(task, self.sites(), fl_ctx, receive=receive, **self._waiting)
        self._current_round += 1
        came = models.close()
        self.progress.plan(self._current_round + len(came))
        self._found["local_models"] = came
        reasons = models.without | models.refused | self._site_errors
        for site in [site for site in self.sites() if site not in came]:
            self._found["left_out"][LOCAL + site] = {site: reasons.get(site, NO_ANSWER)}
        return list(came)
