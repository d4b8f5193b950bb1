"""The persistor component: saves the model in FLARE's own files and in the run store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.app_common.abstract.model import ModelLearnable, ModelLearnableKey
from nvflare.app_common.app_event_type import AppEventType
from nvflare.app_opt.pt.file_model_persistor import PTFileModelPersistor
from torch import nn

from fedaid.arguments import keeps_arguments
from fedaid.flare.server.run_store import RunStore
from fedaid.flare.transport.array_exchange import receive_on_disk
from fedaid.minmax.server_optimizer import ServerOptimizer
from fedaid.training.heap import give_back_freed_memory

RUN_STATE = "fedaid_run_state"  # private context property that the controller sets: plain JSON
SERVER_OPTIMIZER = "fedaid_server_optimizer"  # the same: the optimizer; its state is saved with the round's model
STORE_FOLDER = "fedaid"


class RunPersistor(PTFileModelPersistor):  # type: ignore[misc]
    """Saves each round's model and site weights atomically, the model as safetensors; writes FLARE's files too.

    Args:
        model: ``{"path": "fedaid.models.dual_encoder.DualEncoder", "args": {...}}``, or the model itself.
    """

    @keeps_arguments()
    def __init__(self, model: dict[str, Any] | nn.Module) -> None:
        super().__init__(model=model, allow_numpy_conversion=True, load_weights_only=True)
        self.store: RunStore | None = None

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
        """Opens the store at the start of the run, and sets this process up to use little memory for messages."""
        super().handle_event(event, fl_ctx)
        if event == EventType.START_RUN and hasattr(self.model, "configuration"):
            app = Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT)))
            give_back_freed_memory()
            receive_on_disk(app)
            folder = app / STORE_FOLDER
            self.store = RunStore(folder, configuration=self.configuration, vocabulary_hash=self.vocabulary_hash)

    def save_model(self, ml: ModelLearnable, fl_ctx: FLContext) -> None:
        """Saves a round; FLARE's base controller calls it after aggregation."""
        super().save_model(ml, fl_ctx)
        optimizer: ServerOptimizer | None = fl_ctx.get_prop(SERVER_OPTIMIZER)
        self.open_store.commit(tensors_of(ml), fl_ctx.get_prop(RUN_STATE), optimizer.state if optimizer else {})

    def save_best(self, ml: ModelLearnable, state: Mapping[str, Any], fl_ctx: FLContext) -> None:
        """Saves the best model so far and fires FLARE's event for it."""
        self.open_store.commit_best(tensors_of(ml), state)
        self.fire_event(AppEventType.GLOBAL_BEST_MODEL_AVAILABLE, fl_ctx)

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
