"""A site with an installed policy, in one process: executor's answer → site's filters → job's encoder → guard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext, FLContextManager
from nvflare.apis.shareable import ReservedHeaderKey, Shareable

from fedaid.flare.wire.messages import model_to_shareable, update_to_shareable
from fedaid.flare.wire.tasks import ModelMessage, UpdateMessage
from fedaid.flare.wire.uplink import UpdateEncoder
from hospital_policy.egress_guard import EgressGuard
from hospital_policy.release_filter import ReleaseFilter
from hospital_policy.rules import RULES_FILE, Rules
from hospital_policy.site_record import FOLDER, LEDGER
from tests.flare.conftest import Engine

F = np.float32
MODEL: dict[str, Any] = {
    "matrix": np.ones((4, 8), F),
    "scale": np.array(2.0, F),
    "n.running_mean": np.zeros(3, F),
    "n.num_batches_tracked": np.array(5, np.int64),
}
METRICS = {"loss": 1.5, "studies": 20.0}


def update(**changes: Any) -> UpdateMessage:
    """An update whose learned tensors have norm 5: 3 in the matrix, 4 in the scale."""
    matrix = np.zeros((4, 8), F)
    matrix[0, 0] = 3
    delta = {
        "matrix": matrix,
        "scale": np.array(4, F),
        "n.running_mean": np.full(3, 0.5, F),
        "n.num_batches_tracked": np.array(50, np.int64),
    }
    fields: dict[str, Any] = {
        "round_number": 0, "delta": delta, "metrics": METRICS, "pairs": 30, "skipped": {"image-missing": 7},
    }  # fmt: skip
    return UpdateMessage(**(fields | changes))


class AuxChannels:
    """FLARE's runner of messages beside answers, reduced to what it sends."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def _send_to_cell(self, **named: Any) -> dict[str, Any]:
        self.sent.append(named["topic"])
        return {"server": "ok"}

    def multicast_aux_requests(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        self.sent.append("several")
        return {}


class PolicySite:
    """One site; ``start`` is a new process, the kit stays."""

    def __init__(self, kit: Path, rules: Rules | None) -> None:
        self.kit = kit
        (kit / "local").mkdir(parents=True)
        if rules is not None:
            self.write(rules)
        self.start()

    def write(self, rules: Rules) -> None:
        (self.kit / "local" / RULES_FILE).write_text(json.dumps(rules.as_dict()))

    def start(self, *, seed: int | None = 0) -> None:
        rng = None if seed is None else np.random.default_rng(seed)
        self.guard, self.policy, self.encoder = EgressGuard(), ReleaseFilter(rng), UpdateEncoder()
        self.aux = AuxChannels()
        self.guard.handle_event(EventType.START_RUN, self.context())

    def context(self) -> FLContext:
        workspace = SimpleNamespace(
            get_root_dir=lambda: str(self.kit),
            get_site_config_dir=lambda: str(self.kit / "local"),
            get_run_dir=lambda job: str(self.kit / job),
        )
        engine = Engine([], {"hospital_policy": self.guard}, workspace)
        engine.aux_runner, engine.new_context = self.aux, self.context  # type: ignore[attr-defined]
        context = FLContextManager(engine=engine, identity_name="site", job_id="job-1").new_context()
        context.set_prop(FLContextKey.TASK_NAME, "train", private=True, sticky=False)
        return context

    def send(
        self,
        answer: Shareable,
        *,
        before: Any = (),
        after: Callable[[Shareable], Any] = lambda answer: None,
        filtered: bool = True,
    ) -> Shareable:
        """What FLARE's client sends for an executor's answer.

        Args:
            answer: of the executor.
            before: other filters of the site.
            after: what a component of the job does to the message after the policy.
            filtered: whether the scope has the policy's filter.
        """
        context = self.context()
        context.set_prop(FLContextKey.TASK_DATA, model_to_shareable(ModelMessage(0, MODEL, {}, "x"), num_rounds=1))
        self.guard.handle_event(EventType.BEFORE_TASK_EXECUTION, context)
        context.set_prop(FLContextKey.TASK_RESULT, answer, private=True, sticky=False)
        self.encoder.handle_event(EventType.BEFORE_TASK_RESULT_FILTER, context)
        for one in [*before, *([self.policy] if filtered else []), self.encoder]:
            answer = one.process(answer, context)
        context.set_prop(FLContextKey.TASK_RESULT, answer, private=True, sticky=False)
        self.guard.handle_event(EventType.AFTER_TASK_RESULT_FILTER, context)
        answer.set_header(ReservedHeaderKey.TASK_NAME, "train")
        after(answer)
        self.guard.handle_event(EventType.BEFORE_SEND_TASK_RESULT, context)
        return answer

    def send_update(self, *, before: Any = (), **changes: Any) -> Shareable:
        return self.send(update_to_shareable(update(**changes)), before=before)

    @property
    def ledger(self) -> list[dict[str, Any]]:
        file = self.kit / FOLDER / LEDGER
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
