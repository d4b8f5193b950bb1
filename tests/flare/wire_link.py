"""A server and a site joined by the four filters of the wire, without FLARE around them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from numpy.typing import NDArray
from nvflare.apis.dxo import from_shareable
from nvflare.apis.event_type import EventType
from nvflare.apis.filter import Filter
from nvflare.apis.fl_constant import FLContextKey, ReservedKey
from nvflare.apis.fl_context import FLContext, FLContextManager
from nvflare.apis.shareable import ReservedHeaderKey, Shareable

from fedaid.flare.wire.downlink import ModelDecoder, ModelEncoder
from fedaid.flare.wire.messages import model_to_shareable, update_to_shareable
from fedaid.flare.wire.tasks import ModelMessage, UpdateMessage
from fedaid.flare.wire.uplink import UpdateDecoder, UpdateEncoder
from tests.flare.conftest import Engine

Arrays = Mapping[str, NDArray[Any]]


class Site:
    """A site's two filters, and its folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder
        folder.mkdir()
        self.start()

    def start(self) -> None:
        """A new process: all state is lost but for files."""
        self.decoder, self.encoder = ModelDecoder(), UpdateEncoder()
        self.ctx = self.context()

    def context(self) -> FLContext:
        workspace = SimpleNamespace(get_run_dir=lambda job: str(self._folder))
        return FLContextManager(engine=Engine([], {}, workspace), identity_name=self.name, job_id="job").new_context()

    def swap(self) -> None:
        """What FLARE does before a task that has a process of its own."""
        self.start()
        for component in (self.decoder, self.encoder):
            component.handle_event(EventType.SWAP_IN, self.ctx)

    def receive(self, message: Shareable) -> dict[str, NDArray[Any]]:
        """The tensors that the executor is given."""
        self.ctx = self.context()
        return dict(from_shareable(self.decoder.process(copy.copy(message), self.ctx)).data)

    def answer(self, delta: Arrays, *filters: Filter) -> Shareable:
        """The update as it leaves the site, after the filters of the site's policy."""
        reply = update_to_shareable(UpdateMessage(0, delta, {"loss": 1.0}, 10, {}))
        self.ctx.set_prop(FLContextKey.TASK_RESULT, reply, private=True, sticky=False)
        self.encoder.handle_event(EventType.BEFORE_TASK_RESULT_FILTER, self.ctx)
        for policy in filters:
            reply = policy.process(reply, self.ctx)
        encoded: Shareable = self.encoder.process(reply, self.ctx)
        return encoded


class Server:
    """The server's two filters."""

    def __init__(self, wire_dtype: str = "fp32") -> None:
        self.encoder, self.decoder, self._tasks = ModelEncoder(wire_dtype), UpdateDecoder(), 0

    def context(self, site: Site) -> FLContext:
        peer = FLContext()
        peer.set_prop(ReservedKey.IDENTITY_NAME, site.name, private=False)
        context = FLContextManager(engine=Engine([], {}), identity_name="server", job_id="job").new_context()
        context.set_peer_context(peer)
        return context

    def broadcast(self, tensors: Arrays) -> Shareable:
        """A new task, as the controller makes it."""
        self._tasks += 1
        task = model_to_shareable(ModelMessage(0, tensors, {}, "0a1b"), num_rounds=1)
        task.set_header(ReservedHeaderKey.MSG_ROOT_ID, f"task-{self._tasks}")
        return task

    def send(self, task: Shareable, site: Site) -> Shareable:
        """The task as it leaves for a site."""
        message: Shareable = self.encoder.process(copy.copy(task), self.context(site))
        return message

    def take(self, reply: Shareable, site: Site) -> Shareable:
        """A site's reply as the controller sees it."""
        context = self.context(site)
        context.set_prop(FLContextKey.TASK_RESULT, reply, private=True, sticky=False)
        self.encoder.handle_event(EventType.BEFORE_TASK_RESULT_FILTER, context)
        decoded: Shareable = self.decoder.process(reply, context)
        return decoded

    def round(self, tensors: Arrays, site: Site, delta: Arrays) -> tuple[Shareable, dict[str, NDArray[Any]], Shareable]:
        """One exchange: the message on the wire, what the site got, and what the server got back."""
        message = self.send(self.broadcast(tensors), site)
        got = site.receive(message)
        return message, got, self.take(site.answer(delta), site)
