"""The persistor component: saves the model in the run store and in FLARE's own files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.app_common.abstract.model import ModelLearnable, ModelLearnableKey, make_model_learnable
from nvflare.app_common.app_event_type import AppEventType
from nvflare.app_opt.pt.file_model_persistor import PTFileModelPersistor
from torch import nn

from fedaid.arguments import keeps_arguments
from fedaid.flare.server.run_store import NOTHING, RESULTS, VIEW, NewBest, RunStore, write
from fedaid.flare.store.run_ledger import RunLedger
from fedaid.flare.store.start_model import START, StartModel, start_tensors
from fedaid.flare.transport.array_exchange import receive_on_disk
from fedaid.flare.transport.site_requests import refuse_site_requests
from fedaid.flare.transport.steady_clock import keep_steady
from fedaid.flare.transport.unreadable_answers import refuse_unreadable_answers
from fedaid.flare.wire.downlink import DOWNLINK_VIEW
from fedaid.minmax.server_optimizer import ServerOptimizer
from fedaid.sealed_folder import Damaged, not_written, seal
from fedaid.training.heap import give_back_freed_memory

# Private context properties that the controller sets.
RUN_STATE = "fedaid_run_state"  # plain JSON
RUN_FILE = "fedaid_run_file"  # plain JSON: the settings of the run
SERVER_OPTIMIZER = "fedaid_server_optimizer"  # the optimizer; its state is saved with the round's model
STORE_FOLDER = "fedaid"


class RunPersistor(PTFileModelPersistor):  # type: ignore[misc]
    """Commits each round's generation to the run store, then writes FLARE's files.

    Args:
        model: ``{"path": "fedaid.models.dual_encoder.DualEncoder", "args": {...}}``, or the model itself.
        start_sha256: first digits, for the weights that a new run starts from, in the app's folder ``start_model``;
            empty to start from the configured model. ``python -m admin package --from`` sets it and the next two.
        start_name: of that model, for the records.
        start_towers_only: whether alignment modules and logit scale are the configured model's all the same.

    Attributes:
        store: of the run; in the job's folder, unless the controller moves it to a folder that outlives the job.
        job_folder: what is downloaded with the job.
        delivered: whether it holds the end of the run.
        ledger: has a line for each commit; the controller sets it.
    """

    @keeps_arguments()
    def __init__(
        self,
        model: dict[str, Any] | nn.Module,
        start_sha256: str = "",
        start_name: str = "",
        start_towers_only: bool = False,
    ) -> None:
        super().__init__(model=model, allow_numpy_conversion=True, load_weights_only=True)
        self.store: RunStore | None = None
        self.job_folder = Path()
        self.delivered = False
        self.ledger = RunLedger()
        self._new_best: NewBest | None = None
        self._emptied = False
        self._start = StartModel(start_name, start_sha256, start_towers_only) if start_sha256 else None

    @property
    def origin(self) -> dict[str, Any]:
        """Where the run began, as a part of states and results; empty if its model was drawn."""
        return {START: self._start._asdict()} if self._start else {}

    @property
    def configuration(self) -> Mapping[str, Any]:
        """Constructor arguments of the model, plain JSON."""
        configuration: Mapping[str, Any] = self.model.configuration
        return configuration

    @property
    def vocabulary_hash(self) -> str:
        """sha256 of the model's vocabulary."""
        return str(self.model.vocabulary_hash)

    def handle_event(self, event: str, fl_ctx: FLContext) -> None:
        """Opens the store at the start of the run, and sets this process up."""
        super().handle_event(event, fl_ctx)
        if event == EventType.START_RUN and hasattr(self.model, "configuration"):
            app = Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT)))
            set_up_process(app, fl_ctx.get_engine())
            self.job_folder = app / STORE_FOLDER
            self._start = self._start and self._start.of(app)
            self.keep_in(self.job_folder)

    def keep_in(self, folder: Path) -> RunStore:
        """Opens the store in this folder and returns it."""
        self.store = RunStore(folder, configuration=self.configuration, vocabulary_hash=self.vocabulary_hash)
        return self.store

    def load_model(self, fl_ctx: FLContext) -> ModelLearnable:
        """The model of the newest generation, also in FLARE's files; for a new run the initial model.

        Raises:
            InputError: if a new run's start model is not the one of the configuration, or does not fit.
        """
        initial = None if self._emptied else super().load_model(fl_ctx)
        newest = self.store.newest if self.store else None
        if newest is None:
            return self._started(initial, fl_ctx)
        self._empty_model()
        fl_ctx.set_prop(DOWNLINK_VIEW, newest.tensors(VIEW), private=True, sticky=False)
        found = make_model_learnable(newest.tensors(), {})
        best = make_model_learnable(newest.best.mapped(), {}) if newest.best else found
        for learnable, file in ((best, self._best_ckpt_save_path), (found, self._ckpt_save_path)):
            self.persistence_manager.update(learnable)
            self.save_model_file(file)
        return found

    def _started(self, initial: ModelLearnable, fl_ctx: FLContext) -> ModelLearnable:
        """The configured initial model with the tensors of the start model."""
        if self._start is None:
            return initial
        drawn, app = tensors_of(initial), Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT)))
        specs = {name: (tensor.shape, str(tensor.dtype)) for name, tensor in drawn.items()}
        found = make_model_learnable(drawn | start_tensors(app, specs, self._start), {})
        self.persistence_manager.update(found)
        self.log_info(fl_ctx, f"the run starts from {self._start.name}, sha256 {self._start.sha256}")
        return found

    def save_model(self, ml: ModelLearnable, fl_ctx: FLContext) -> None:
        """Saves a round; FLARE's base controller calls it after aggregation.

        Our commit comes first: after a crash between the two, FLARE's file is older than the store, never newer.
        """
        optimizer: ServerOptimizer | None = fl_ctx.get_prop(SERVER_OPTIMIZER)
        generation = self.open_store.commit(
            tensors_of(ml),
            fl_ctx.get_prop(RUN_STATE) | self.origin,
            optimizer=optimizer.state if optimizer else {},
            view=fl_ctx.get_prop(DOWNLINK_VIEW) or {},
            run=fl_ctx.get_prop(RUN_FILE) or {},
            best=self._new_best,
        )
        self._new_best = None
        self.ledger.committed(generation.folder, generation.state)
        super().save_model(ml, fl_ctx)
        self._empty_model()

    def _empty_model(self) -> None:
        """Frees the weights that the configured model was made with: the run store has the run's model now."""
        self.model.to("meta")
        self._emptied = True

    def save_model_file(self, save_path: str) -> None:
        """Writes FLARE's own file; if the disk does not take it, an older one is removed, and the run goes on."""
        try:
            super().save_model_file(save_path)
        except (OSError, RuntimeError) as error:  # torch raises RuntimeError for a full disk
            file = Path(save_path)
            with suppress(OSError):
                file.unlink(missing_ok=True)
            what = f"{file.name}, FLARE's own copy of the model, cannot be written ({type(error).__name__})"
            self.logger.warning(f"{what}; the run store has the model, and the run goes on. Free space on the disk")

    def note_best(self, ml: ModelLearnable, state: Mapping[str, Any], fl_ctx: FLContext) -> None:
        """Notes the best model so far, which the next commit saves, and fires FLARE's event for it."""
        self._new_best = NewBest(tensors_of(ml), {**state, **self.origin})
        self.fire_event(AppEventType.GLOBAL_BEST_MODEL_AVAILABLE, fl_ctx)

    def deliver(self, results: Mapping[str, Any] = NOTHING) -> None:
        """Puts the newest generation, the best model and ``results.json`` into the job's folder, sealed.

        Args:
            results: of the run; if they are complete, the store keeps them too. None if the run stopped on the way.

        Raises:
            Damaged: if the disk did not take them; the next job of the run delivers them again.
        """
        self.delivered = True
        try:
            self._put(results)
        except Damaged:
            raise
        except OSError as error:
            raise not_written("the results", error) from error

    def _put(self, results: Mapping[str, Any]) -> None:
        store = self.open_store
        if store.folder != self.job_folder:
            head = self.ledger.head
            results = {**results, "ledger": head} if results and head else results
            if results.get("best") and "incomplete" not in results:
                store.finish(results)
            store.deliver(self.job_folder, results)
            return
        write(self.job_folder / RESULTS, results)
        seal(self.job_folder)

    @property
    def open_store(self) -> RunStore:
        """The store; the run must have started."""
        if self.store is None:
            raise RuntimeError(
                "run store must be open, got no store: persistor. The log says why the model was not built."
            )
        return self.store


def tensors_of(ml: ModelLearnable) -> dict[str, NDArray[Any]]:
    """The tensors of FLARE's global model."""
    tensors: dict[str, NDArray[Any]] = ml[ModelLearnableKey.WEIGHTS]
    return tensors


def set_up_process(app: Path, engine: Any) -> None:
    """Makes the server's process of a job use little memory for messages, and guards it from what a site sends.

    A step of the wall clock does not change its waits.
    """
    give_back_freed_memory()
    keep_steady()
    receive_on_disk(app)
    refuse_unreadable_answers(engine)
    refuse_site_requests(engine)
