"""FLARE reduced to function calls: an engine that holds components, and a communicator that asks sites in turn."""

from __future__ import annotations

import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.client import Client
from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey, ReservedKey
from nvflare.apis.fl_context import FLContext, FLContextManager
from nvflare.apis.impl.bcast_manager import BcastTaskManager
from nvflare.apis.impl.wf_comm_server import WFCommServer
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal
from nvflare.app_common.decomposers.numpy_decomposers import NumpyArrayDecomposer
from nvflare.app_common.shareablegenerators.full_model_shareable_generator import FullModelShareableGenerator
from nvflare.fuel.utils import fobs

from fedaid.data.site_data import SiteData
from fedaid.flare.server.aggregator import SiteWeightedAggregator
from fedaid.flare.server.controller import FedAIDController
from fedaid.flare.server.persistor import RunPersistor
from fedaid.flare.site.work.own_work import IMAGE_CACHE
from fedaid.flare.software.software_report import PROPERTY, software_report
from fedaid.flare.transport.exception_texts import VARIABLE
from fedaid.flare.wire.messages import metrics_to_shareable, model_from_shareable, update_to_shareable
from fedaid.flare.wire.tasks import ALIGN, TRAIN, VALIDATE, MetricsMessage, UpdateMessage
from fedaid.models.dual_encoder import DualEncoder

Arrays = Mapping[str, NDArray[Any]]
Answer = Callable[[str, Shareable], Shareable | None]
SAME = software_report()
MEASURED = {"loss": 2.0, "recall_at_1": 0.1, "recall_at_5": 0.2, "recall_at_10": 0.4, "batch_accuracy": 0.3}


class Engine:
    """Holds components and hands events to them; a fatal error ends the run, as FLARE's server runner does."""

    def __init__(self, sites: list[str], components: dict[str, Any], workspace: object = None) -> None:
        self.sites, self.components, self.workspace = sites, components, workspace
        self.events: list[str] = []
        self.panics: list[str] = []
        self.abort_signal = Signal()

    def get_clients(self) -> list[Client]:
        return [Client(site, "token") for site in self.sites]

    def get_component(self, name: str) -> Any:
        return self.components.get(name)

    def get_workspace(self) -> Any:
        return self.workspace

    def fire_event(self, event: str, fl_ctx: FLContext) -> None:
        self.events.append(event)
        if event == EventType.FATAL_SYSTEM_ERROR:
            self.panics.append(str(fl_ctx.get_prop(FLContextKey.EVENT_DATA)))
            self.abort_signal.trigger(True)
        for component in self.components.values():
            component.handle_event(event, fl_ctx)

    def persist_components(self, fl_ctx: FLContext, *, completed: bool) -> None:
        """As in 2.9.0: nothing."""


class Communicator(WFCommServer):
    """Asks the sites one after another in a given order, and stops where FLARE's broadcast would."""

    def __init__(self, answers: Mapping[str, Answer], contexts: FLContextManager) -> None:
        super().__init__()
        self.answers, self.contexts = answers, contexts
        self.asked: list[tuple[str, str]] = []
        self.reports: dict[str, Any] = {}  # of sites that run other software than the server

    def request_of(self, site: str) -> FLContext:
        """A context of the server for a site's request."""
        peer, context = FLContext(), self.contexts.new_context()
        peer.set_prop(ReservedKey.IDENTITY_NAME, site, private=False)
        peer.set_prop(PROPERTY, self.reports.get(site, SAME), private=False)
        context.set_peer_context(peer)
        return context

    def broadcast_and_wait(
        self,
        task: Task,
        fl_ctx: FLContext,
        targets: Any = None,
        min_responses: int = 1,
        wait_time_after_min_received: int = 0,
        abort_signal: Signal | None = None,
    ) -> None:
        assert min_responses <= len(targets)  # FLARE raises ValueError
        manager = BcastTaskManager(task, min_responses, wait_time_after_min_received)
        task.targets = targets
        for site in [site for site in self.answers if site in targets]:
            client_task = ClientTask(Client(site, "token"), task)
            if task.before_task_sent_cb:
                task.before_task_sent_cb(client_task=client_task, fl_ctx=self.request_of(site))
            if task.completion_status is not None:
                return
            self.asked.append((task.name, site))
            result = self.answers[site](task.name, task.data)
            task.client_tasks.append(client_task)
            if result is None or (abort_signal and abort_signal.triggered):
                continue
            client_task.result, client_task.result_received_time = result, time.time()
            task.result_received_cb(client_task=client_task, fl_ctx=self.contexts.new_context())
            if manager.check_task_exit(task)[0]:
                return


class Federation:
    """A server with all our components, and the sites' answers."""

    kind: type[Any] = FedAIDController
    defaults: Mapping[str, Any] = {"min_clients": 2, "num_rounds": 2}

    def __init__(
        self,
        folder: Path,
        model: dict[str, Any],
        answers: Mapping[str, Answer],
        *,
        kit: Path | None = None,
        start: Mapping[str, Any] = MappingProxyType({}),
        **settings: Any,
    ) -> None:
        self.controller = self.kind(**self.defaults | settings)
        self.persistor, self.aggregator = RunPersistor(model, **start), SiteWeightedAggregator()
        components = {
            "persistor": self.persistor,
            "aggregator": self.aggregator,
            "shareable_generator": FullModelShareableGenerator(),
        }
        self.app = folder
        root = kit or folder.with_name(f"{folder.name}-kit")
        workspace = SimpleNamespace(get_root_dir=lambda: str(root), get_site_config_dir=lambda: str(root / "local"))
        self.engine = Engine(list(answers), components, workspace)
        self.run_store = root / "fedaid_runs" / (settings.get("run_name") or "job")
        contexts = FLContextManager(engine=self.engine, identity_name="server", job_id="job")
        self.communicator = Communicator(answers, contexts)
        self.controller.set_communicator(self.communicator)
        self.fl_ctx = contexts.new_context()
        self.fl_ctx.set_prop(FLContextKey.APP_ROOT, str(folder), private=True, sticky=True)

    def start(self) -> None:
        self.engine.fire_event(EventType.START_RUN, self.fl_ctx)
        self.controller.initialize(self.fl_ctx)

    def run(self) -> None:
        self.start()
        try:
            if not self.engine.abort_signal.triggered:
                self.controller.control_flow(self.engine.abort_signal, self.fl_ctx)
        finally:
            self.controller.stop_controller(self.fl_ctx)

    @property
    def store(self) -> Path:
        return Path(self.fl_ctx.get_prop(FLContextKey.APP_ROOT)) / "fedaid"


def random_delta(template: Arrays, *seed: int) -> dict[str, NDArray[Any]]:
    """A sound update: small random steps, whole numbers where the tensor holds those."""
    rng = np.random.default_rng(seed)
    steps = {name: 0.01 * rng.standard_normal(tensor.shape) for name, tensor in template.items()}
    whole = {name for name, tensor in template.items() if tensor.dtype.kind in "iu"}
    return {
        name: np.asarray(np.array(2.0) if name in whole else step, dtype=template[name].dtype)
        for name, step in steps.items()
    }


@pytest.fixture
def template() -> dict[str, NDArray[Any]]:
    """A model of four tensors: a matrix, a vector, a scalar and a counter."""
    return {
        "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
        "vector": np.ones(3, np.float32),
        "scalar": np.array(0.5, np.float32),
        "counter": np.array(7, np.int64),
    }


@pytest.fixture
def make_update(template: dict[str, NDArray[Any]]) -> Callable[..., UpdateMessage]:
    """A function that makes a sound update of round 3, or an unsound one by a change of its fields."""

    def make(seed: int = 0, **changes: Any) -> UpdateMessage:
        fields: dict[str, Any] = {
            "round_number": 3,
            "delta": random_delta(template, seed),
            "metrics": dict(MEASURED),
            "pairs": 10 + seed,
            "skipped": {"image-unreadable": 1},
        }
        return UpdateMessage(**(fields | changes))

    return make


@pytest.fixture
def fl_ctx(tmp_path: Path) -> FLContext:
    """A context of a server process without components."""
    context = FLContextManager(engine=Engine([], {}), identity_name="server", job_id="job").new_context()
    context.set_prop(FLContextKey.APP_ROOT, str(tmp_path / "app"), private=True, sticky=True)
    return context


def honest_site(theta: Arrays, site: str, loss: float = 2.0) -> Answer:
    """The answers of a site that works: always the same small steps, and one loss."""

    def answer(task: str, shareable: Shareable) -> Shareable:
        message = model_from_shareable(shareable)
        if task == VALIDATE:
            metrics = MEASURED | {"loss": loss}
            splits = {"valid": metrics, "test": metrics}
            return metrics_to_shareable(MetricsMessage(message.round_number, splits))
        moves = {name: theta[name] for name in theta if task != ALIGN or ".alignment." in name or "log_" in name}
        delta = random_delta(moves, zlib.crc32(site.encode()), message.round_number, task == ALIGN)
        measured = MEASURED | {"loss": loss} if task in (ALIGN, TRAIN) else {}
        metrics = measured | ({} if task == ALIGN else {"contrastive": loss, "binding": 0.1})
        return update_to_shareable(UpdateMessage(message.round_number, delta, metrics, 20, {}, message.run))

    return answer


def configured(options: Mapping[str, Any]) -> dict[str, Any]:
    """The persistor's ``model`` argument."""
    return {"path": "fedaid.models.dual_encoder.DualEncoder", "args": dict(options)}


def initial_tensors(options: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """The tensors that a run starts from."""
    state = DualEncoder(**options).state_dict()
    return {name: np.asarray(tensor.numpy().copy()) for name, tensor in state.items()}


@pytest.fixture(scope="session")
def model_config(model_options: dict[str, Any]) -> dict[str, Any]:
    """The persistor's ``model`` argument."""
    return configured(model_options)


@pytest.fixture(scope="session")
def theta(model_options: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """The tensors that a run starts from."""
    return initial_tensors(model_options)


@pytest.fixture
def honest(theta: dict[str, NDArray[Any]]) -> Callable[..., Answer]:
    """A function of a site's name and loss that makes its answers."""
    return partial(honest_site, theta)


@pytest.fixture
def federation(
    tmp_path: Path, model_config: dict[str, Any], honest: Callable[..., Answer]
) -> Callable[..., Federation]:
    """A function of the sites' answers (three honest sites where none are given) and of the controller's settings."""
    made = iter(range(100))

    def make(answers: Mapping[str, Answer] | None = None, **settings: Any) -> Federation:
        folder = tmp_path / f"app{next(made)}"
        folder.mkdir()
        three = {site: honest(site, loss) for site, loss in (("site-a", 1.0), ("site-b", 2.0), ("site-c", 3.0))}
        return Federation(folder, dict(model_config), answers or three, **settings)

    return make


@pytest.fixture
def site_context(
    tmp_path: Path,
    consortium: dict[str, Path],
    site_data: SiteData,
    image_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> FLContext:
    """A context of the first hospital's process, whose images ``site_data`` has decoded."""
    site, root = next(iter(consortium.items()))
    monkeypatch.setenv("FEDAID_DATA", str(root))
    shutil.copytree(image_cache / site, tmp_path / IMAGE_CACHE)
    workspace = SimpleNamespace(
        get_root_dir=lambda: str(tmp_path),
        get_site_config_dir=lambda: str(tmp_path),
        get_run_dir=lambda job: str(tmp_path / "run" / job),
    )
    (tmp_path / "run" / "job").mkdir(parents=True)
    engine = Engine([], {}, workspace)
    return FLContextManager(engine=engine, identity_name=site, job_id="job").new_context()


@pytest.fixture(autouse=True)
def flares_own_way_of_arrays() -> Iterator[None]:
    """A run sets its process up; the next test finds FLARE as it was."""
    yield
    os.environ.pop(VARIABLE, None)
    fobs.register(NumpyArrayDecomposer)
    handler = fobs.get_dot_handler(NumpyArrayDecomposer().get_download_dot())
    for name in ("download", "to_downloadable"):
        vars(handler).pop(name, None)
