"""The controller of ``jobs/evaluate_global``: each model on each site's test split; only aggregates come back."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from safetensors import SafetensorError
from safetensors.numpy import load_file

from fedaid.arguments import keeps_arguments, parameters_of
from fedaid.atomic_file import replace_text
from fedaid.errors import InputError, require, settings_from
from fedaid.flare.server.ballot import SuiteBallot
from fedaid.flare.server.gate import BelowQuorum, Gate, judge_tensors, specs_of
from fedaid.flare.server.persistor import tensors_of
from fedaid.flare.server.run_settings import RunSettings, require_flag
from fedaid.flare.server.update_store import UPDATE_FOLDER, UpdateStore
from fedaid.flare.software.checked_scatter_gather import CheckedScatterAndGather
from fedaid.flare.store.missed_phases import ABSENT
from fedaid.flare.wire.messages import is_report, report_from_shareable
from fedaid.flare.wire.metric_rules import demand, is_name
from fedaid.flare.wire.tasks import EVALUATE, GIVEN_MODEL, LOCAL_MODEL, Arrays, MalformedMessage
from fedaid.minmax.settings import WHERE
from fedaid.models.saved_model import CONFIG, WEIGHTS
from fedaid.sealed_folder import require_whole, seal

GLOBAL, LOCAL = "global", "local:"  # names of models: the given one, and a site's local one with the site's name
RESULT = "evaluation.json"
FOLDER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
NO_ANSWER = "no answer in time"
SETTINGS = ("min_clients", "task_timeout", "wait_time_after_min_received")
COMPONENTS = ("aggregator_id", "persistor_id", "shareable_generator_id")


class EvaluationController(CheckedScatterAndGather):
    """Has every site evaluate the given model, then each local model that a site sends.

    Args:
        local_models: whether the sites are asked for the models that they trained alone.
        model_folder: folder of the given model in the job's app; ``python -m admin package --model`` puts it there.
        settings: the fields of :class:`RunSettings` except the number of rounds. ``min_clients`` sites must evaluate
            the given model; a task is one model.

    Raises:
        InputError: naming the setting.
    """

    @keeps_arguments(*parameters_of(RunSettings, SETTINGS + COMPONENTS))
    def __init__(self, *, local_models: bool = True, model_folder: str = "global_model", **settings: Any) -> None:
        require_flag("local_models", local_models)
        plain = isinstance(model_folder, str) and bool(FOLDER_NAME.fullmatch(model_folder))
        rule, remedy = "be a folder's name", "Leave it as it is."
        require(plain, "model_folder", rule, got=repr(model_folder), where=WHERE, remedy=remedy)
        super().__init__(settings_from(RunSettings, settings, where=WHERE), task_name=EVALUATE)
        self._local_models, self._model_folder = local_models, model_folder
        self._found: dict[str, Any] = {"models": {}, "data": {}, "left_out": {}, "local_models": {}}

    def run(self, fl_ctx: FLContext) -> None:
        """Evaluates one model after another, and writes ``evaluation.json`` even if a part of it is missing."""
        self._current_round, app = GIVEN_MODEL, Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT)))
        try:
            given = self._given_model(app / self._model_folder)
            self._evaluate(GLOBAL, given, fl_ctx)
            if self._local_models:
                self._evaluate_local_models(given, UpdateStore(app / UPDATE_FOLDER), fl_ctx)
        finally:
            self.progress.enter("finished", self._current_round)
            found = (
                self._found
                | {"bytes": self.traffic.bytes, "software": self.software.as_dict()}
                | {ABSENT: self._record.absences[ABSENT]}
            )
            folder = self.persistor.open_store.folder
            replace_text(folder / RESULT, json.dumps(found, indent=1, sort_keys=True))
            seal(folder)

    def _given_model(self, folder: Path) -> dict[str, NDArray[Any]]:
        """The model that came with the job.

        Raises:
            InputError: if the model does not have the job's configuration.
        """
        remedy, where = "Package the job again: python -m admin package NAME --model FOLDER.", self._model_folder
        require_whole(folder)
        try:
            tensors: dict[str, NDArray[Any]] = load_file(folder / WEIGHTS)
            config = json.loads((folder / CONFIG).read_text())
            judge_tensors(tensors, specs_of(tensors_of(self._global_weights)))
            demand(config["vocabulary_sha256"] == self.persistor.vocabulary_hash, "its vocabulary is another")
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            got = str(error) if isinstance(error, ValueError) else type(error).__name__
            rule = "be one of the job's configuration"
            raise InputError("model", rule, got=got, where=where, remedy=remedy) from error
        digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
        self._found["global_model"] = {"sha256": digest} | config
        return tensors

    def _evaluate(self, name: str, tensors: Arrays, fl_ctx: FLContext) -> None:
        """Evaluates one model at every site; too few answers are an error for the given model only.

        Raises:
            BelowQuorum: for the given model.
        """
        self.progress.enter(f"{EVALUATE} {name}", self._current_round)
        ballot = SuiteBallot(self._current_round, self.sites())
        try:
            self.collect_metrics(self.task(EVALUATE, tensors, self._current_round), ballot, fl_ctx)
        except BelowQuorum as error:
            if name == GLOBAL:
                raise
            self.log_warning(fl_ctx, f"{name}: {error}")
        finally:
            self._note(name, ballot)
            self._current_round += 1

    def _note(self, name: str, ballot: SuiteBallot) -> None:
        """Adds the sites' results of a model to what was found, and names the sites without a result."""
        answers: Any = dict(sorted(ballot.answers.items()))
        self._found["models"][name] = {site: answer["suite"] for site, answer in answers.items()}
        if name == GLOBAL:
            counts = {s: {"counts": a["suite"].get("counts"), "skipped": a["skipped"]} for s, a in answers.items()}
            self._found["data"] = counts
        why = {site: ballot.refused.get(site) or self.attendance.errors.get(site, NO_ANSWER) for site in ballot.sites}
        self._found["left_out"][name] = {site: reason for site, reason in why.items() if site not in answers}

    def _evaluate_local_models(self, given: Arrays, store: UpdateStore, fl_ctx: FLContext) -> None:
        """Evaluates the local model of each site at every site, then removes them all from the server's disk."""
        try:
            for site in self._collect(
                LocalModels(self.gate(LOCAL_MODEL, given, sites=self.sites()), store), given, fl_ctx
            ):
                if not self._abort.triggered:
                    self._evaluate(LOCAL + site, store.moved(given, site), fl_ctx)
        finally:
            store.clear()

    def _collect(self, models: LocalModels, given: Arrays, fl_ctx: FLContext) -> list[str]:
        """Asks the sites for their local models; returns the sites that sent one, and notes why the others did not."""
        received = self.taken_by(models.take)

        def receive(site: str, reply: Shareable, fl_ctx: FLContext) -> bool:
            received(site, reply, fl_ctx)
            return True  # local models have no quorum: each reply counts

        self.send_to(self.sites(), self.task(LOCAL_MODEL, given, self._current_round), fl_ctx, receive=receive)
        self._current_round += 1
        sent = models.close()
        self.progress.expect(self._current_round + len(sent))
        self._found["local_models"] = sent
        reasons = models.absent | models.refused | self.attendance.errors
        for site in [site for site in self.sites() if site not in sent]:
            self._found["left_out"][LOCAL + site] = {site: reasons.get(site, NO_ANSWER)}
        return list(sent)


class LocalModels:
    """At most one local model of each site, as its difference from the given model.

    Args:
        gate: judges a difference as an update.
        store: takes the tensors.

    Attributes:
        absent: site → why it sends no model, as the site says.
    """

    def __init__(self, gate: Gate, store: UpdateStore) -> None:
        self._gate, self._store = gate, store
        self.absent: dict[str, str] = {}

    def take(self, site: str, answer: Shareable) -> None:
        """Accepts the answer of the authenticated ``site``: a model, or the reason why there is no model.

        Raises:
            RefusedAnswer: nothing of the answer is kept.
        """
        if not is_report(answer):
            self._gate.take(site, answer, store=self._store)
            return
        try:
            reason = next(iter(report_from_shareable(answer).skipped), "")
        except MalformedMessage as error:
            raise self._gate.refuse(site, error) from error
        self.absent[site] = reason if reason and is_name(reason) else "another reason"

    def close(self) -> dict[str, dict[str, float]]:
        """Ends the collection and returns site → metrics that it sent with its model, in the order of names."""
        return {site: dict(update.metrics) for site, update in self._gate.close().items()}

    @property
    def refused(self) -> dict[str, str]:
        """Site → why its model was not accepted."""
        return self._gate.refused
