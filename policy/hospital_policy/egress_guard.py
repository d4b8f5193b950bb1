"""Looks at every answer just before FLARE sends it, blocks what the policy has not released, and writes the ledger.

A site's filters run before those of a job, so a filter alone is never last. This component comes after all components
of the job, at FLARE's last event before it sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from nvflare.apis.dxo import DataKind, from_shareable
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_component import FLComponent
from nvflare.apis.fl_constant import EventScope, FedEventHeader, FLContextKey, ReservedKey, ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import ReservedHeaderKey, Shareable

from hospital_policy.closed_channels import close_channels
from hospital_policy.limited_update import Forms
from hospital_policy.plain_fields import plain
from hospital_policy.release import ERROR_HEADER, Release, digest, size
from hospital_policy.rules import RULES_FILE, PolicyFault, read_rules
from hospital_policy.site_record import SiteRecord

GUARD_ID = "hospital_policy"  # of the component
LONGEST_ERROR = 500  # characters
HEADERS = ReservedHeaderKey.HEADERS
KEPT = (  # headers that FLARE or this software needs; every other one is removed
    ReservedHeaderKey.RC,
    ReservedHeaderKey.CONTENT_TYPE,
    ReservedHeaderKey.COOKIE_JAR,
    ReservedHeaderKey.TASK_NAME,
    ReservedHeaderKey.TASK_ID,
    ReservedHeaderKey.AUDIT_EVENT_ID,
    ERROR_HEADER,
)


class EgressGuard(FLComponent):  # type: ignore[misc]
    """Blocks, by emptying the message in place, and records.

    Attributes:
        model: names, shapes and types of the tensors that the server has sent in this job.
        release: what the filter has let pass for the present task.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {}
        self.release: Release | None = None
        self._answer: Shareable | None = None
        self._closed = False

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Judges answers and events on their way out."""
        super().handle_event(event_type, fl_ctx)
        if event_type == EventType.START_RUN:
            self._close_channels(fl_ctx)
        elif event_type == EventType.BEFORE_TASK_EXECUTION:
            self._answer = self.release = None
            self.model |= forms_of(fl_ctx.get_prop(FLContextKey.TASK_DATA))
        elif event_type == EventType.AFTER_TASK_RESULT_FILTER:
            self._answer = fl_ctx.get_prop(FLContextKey.TASK_RESULT)
        elif event_type == EventType.BEFORE_SEND_TASK_RESULT:
            self._before_sending(fl_ctx)
        elif fl_ctx.get_prop(FLContextKey.EVENT_SCOPE, EventScope.LOCAL) == EventScope.FEDERATION:
            self._block_event(event_type, fl_ctx)

    def _before_sending(self, fl_ctx: FLContext) -> None:
        answer, self._answer = self._answer, None
        if answer is None:  # FLARE sends an error of its own, without content
            self._record({"kind": "error", "reason": "no answer"}, fl_ctx)
            return
        try:
            if not self._closed:
                raise PolicyFault("the other channels of the job must be closed")
            line = judged(answer, self.release)
            if line["kind"] != "error" and line.get("epsilon") is None:
                line["epsilon"] = self._epsilon(fl_ctx)
            self._record(line, fl_ctx)
        except BaseException as error:
            reason = str(error) if isinstance(error, PolicyFault) else f"the guard failed with {type(error).__name__}"
            empty(answer, f"hospital policy: {reason}")
            self.log_error(fl_ctx, f"nothing leaves: {reason}")
            self._record({"kind": "blocked", "reason": reason}, fl_ctx)

    def _close_channels(self, fl_ctx: FLContext) -> None:
        """Closes FLARE's other ways out; if that fails, no answer leaves either."""
        engine = fl_ctx.get_engine()

        def note(reason: str) -> None:
            with engine.new_context() as context:
                self._record({"kind": "blocked", "reason": reason}, context)

        try:
            close_channels(engine.aux_runner, note)
            self._closed = True
        except Exception as error:
            self.log_error(fl_ctx, f"nothing leaves: FLARE's channels cannot be closed ({type(error).__name__})")

    def _epsilon(self, fl_ctx: FLContext) -> float | None:
        workspace = fl_ctx.get_engine().get_workspace()
        rules = read_rules(Path(workspace.get_site_config_dir()) / RULES_FILE)
        return SiteRecord(Path(workspace.get_root_dir())).epsilon(rules.delta) if rules.noise else None

    def _block_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Keeps an event of the federation at the site, such as metrics that a job streams while it trains."""
        data = fl_ctx.get_prop(FLContextKey.EVENT_DATA)
        if isinstance(data, Shareable) and data.get_header(FedEventHeader.DIRECTION, "out") == "out":
            empty(data, "")
            data.set_header(FedEventHeader.DIRECTION, "blocked")  # FLARE sends events with direction "out" only
            self._record({"kind": "blocked", "reason": f"event {event_type[:80]}"}, fl_ctx)

    def _record(self, content: Mapping[str, Any], fl_ctx: FLContext) -> None:
        """Adds a line to the ledger.

        Raises:
            PolicyFault, OSError: if that is not possible; then the answer must not leave.
        """
        line = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "job": str(fl_ctx.get_job_id()),
            "task": str(fl_ctx.get_prop(FLContextKey.TASK_NAME, ""))[:80],
            **content,
        }
        kit = Path(fl_ctx.get_engine().get_workspace().get_root_dir())
        try:
            SiteRecord(kit).add(line)
        except (PolicyFault, OSError):
            if content["kind"] not in ("blocked", "error"):
                raise
            self.log_error(fl_ctx, "the egress ledger cannot be written; nothing leaves")


def judged(answer: Shareable, release: Release | None) -> dict[str, Any]:
    """The ledger's line for an answer that may leave; its headers are cut to the closed list.

    Raises:
        PolicyFault: if the answer is not what the policy has released.
    """
    headers = answer.get(HEADERS, {})
    kept = {name: plain(value) for name, value in headers.items() if name in KEPT and name != ERROR_HEADER}
    if ERROR_HEADER in headers:
        kept[ERROR_HEADER] = one_line(headers[ERROR_HEADER])
    code = answer.get_return_code()
    answer[HEADERS] = kept
    if code != ReturnCode.OK:
        for name in [name for name in answer if name != HEADERS]:
            del answer[name]
        return {"kind": "error", "reason": str(kept.get(ERROR_HEADER, code))}
    if release is None:
        raise PolicyFault("an answer must pass the filter of the policy, which must be the last in local/privacy.json")
    extra = sorted(str(name)[:40] for name in answer.keys() - {HEADERS, "DXO"})
    if extra:
        raise PolicyFault(f"an answer must hold nothing beside its data, got {extra[0]}")
    dxo = from_shareable(answer)
    if not isinstance(dxo.data, dict) or not isinstance(dxo.meta, dict):
        raise PolicyFault("an answer must hold tables")
    release.judge(str(dxo.data_kind), dxo.data, dxo.meta)
    return {
        "kind": "update" if "WEIGHT" in release.kind else "metrics",
        "round": dxo.meta.get("round"),
        "keys": sorted(dxo.data),
        "fields": sorted(dxo.meta),
        "bytes": size(dxo.data, dxo.meta),
        "sha256": digest(dxo.data, dxo.meta),
        **release.details,
    }


def empty(message: Shareable, reason: str) -> None:
    """Removes all content from a message in place, and makes it an error that still names its task."""
    headers = message.get(HEADERS, {})
    kept = {name: headers[name] for name in (ReservedKey.TASK_NAME, ReservedKey.TASK_ID) if name in headers}
    message.clear()
    message[HEADERS] = kept | {ReservedHeaderKey.RC: ReturnCode.TASK_RESULT_FILTER_ERROR}
    if reason:
        message[HEADERS][ERROR_HEADER] = one_line(reason)


def one_line(value: object) -> str:
    """A text of at most 500 printable characters."""
    shown = value if isinstance(value, str) else "error"
    return "".join(letter if letter.isprintable() else " " for letter in shown[:LONGEST_ERROR])


def forms_of(task: object) -> Forms:
    """Names, shapes and types of the tensors of a task; none if it has no model."""
    try:
        dxo = from_shareable(task)
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
    if dxo.data_kind != DataKind.WEIGHTS or not isinstance(dxo.data, dict):
        return {}
    return {name: (t.shape, t.dtype) for name, t in dxo.data.items() if type(name) is str and type(t) is np.ndarray}
