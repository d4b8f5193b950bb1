"""One site's executor as the server sees it: tasks in, answers out."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal

from fedaid.flare.site.executor import FedAIDExecutor
from fedaid.flare.wire.messages import model_to_shareable, update_from_shareable
from fedaid.flare.wire.tasks import PRETRAIN, ModelMessage, UpdateMessage
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.tensor_names import is_alignment
from fedaid.training.settings import TrainingSettings

Arrays = dict[str, NDArray[Any]]
CANARY = "/data/patients/DOE^JANE-1234567/chest.dcm"


class Site:
    """One site's executor, and what the server says to it."""

    def __init__(self, context: FLContext, settings: TrainingSettings, model: DualEncoder, theta: Arrays) -> None:
        self.executor = FedAIDExecutor(**asdict(settings))
        self.context, self.settings, self.model, self.theta = context, settings, model, theta
        self.abort = Signal()

    def restart(self) -> None:
        """A new process: all state is lost but for files."""
        self.executor = FedAIDExecutor(**asdict(self.settings))

    def swap(self) -> None:
        """What FLARE does before a task that has a process of its own."""
        self.restart()
        self.executor.handle_event(EventType.SWAP_IN, self.context)

    def sent(self) -> None:
        """What FLARE says once the server has the answer."""
        self.executor.handle_event(EventType.AFTER_SEND_TASK_RESULT, self.context)

    def ask(self, task: str, tensors: Any = None, *, round_number: int = 0, **changes: Any) -> Shareable:
        message = ModelMessage(round_number, self.theta, self.model.configuration, self.model.vocabulary_hash)
        shareable = model_to_shareable(replace(message, **changes), num_rounds=2)
        if tensors is not None:
            shareable["DXO"]["data"] = tensors
        return self.executor.execute(task, shareable, self.context, self.abort)

    @property
    def ideal(self) -> Arrays:
        return {name: np.asarray(tensor * 0.9) for name, tensor in self.theta.items() if is_alignment(name)}

    def pretrain(self, round_number: int = 0) -> Shareable:
        ideal = {name: np.asarray(tensor, np.float32) for name, tensor in self.ideal.items()}
        return self.ask(PRETRAIN, ideal, round_number=round_number)


def update_of(reply: Shareable) -> UpdateMessage:
    assert reply.get_return_code() == ReturnCode.OK
    return update_from_shareable(reply)


def same(one: UpdateMessage, other: UpdateMessage) -> bool:
    return all(np.array_equal(one.delta[name], other.delta[name]) for name in one.delta)
