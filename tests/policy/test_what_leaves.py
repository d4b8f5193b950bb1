"""What leaves a site with a policy, through all filters of site and job and the guard."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvflare.apis.dxo import DXO, DataKind, from_shareable
from nvflare.apis.dxo_filter import DXOFilter
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import EventScope, FedEventHeader, FLContextKey, ReturnCode
from nvflare.apis.shareable import Shareable
from nvflare.app_common.filters.exclude_vars import ExcludeVars
from nvflare.app_common.filters.percentile_privacy import PercentilePrivacy
from nvflare.app_common.filters.svt_privacy import SVTPrivacy
from nvflare.private.aux_runner import AuxRunner

from fedaid.flare.wire.messages import (
    metrics_to_shareable,
    report_to_shareable,
    result_from_shareable,
    result_to_shareable,
    update_from_shareable,
    update_to_shareable,
)
from fedaid.flare.wire.replies import error_reply, error_text
from fedaid.flare.wire.tasks import MetricsMessage, RunStamp
from hospital_policy.egress_guard import EgressGuard
from hospital_policy.release import digest
from hospital_policy.rules import RULES_FILE, Rules
from hospital_policy.site_record import FOLDER
from tests.policy.policy_site import METRICS, MODEL, PolicySite, update

NOISE: dict[str, Any] = {"clip": 1.0, "noise": 2.0, "statistics": "withhold"}


@pytest.fixture
def site(tmp_path: Path) -> PolicySite:
    return PolicySite(tmp_path / "kit", Rules(clip=2.5))


def refused(reply: Shareable) -> str:
    """The reason of an answer without content."""
    assert reply.get_return_code() != ReturnCode.OK
    assert set(reply) == {"__headers__"}
    return error_text(reply)


def test_an_update_leaves_clipped_and_the_ledger_says_so(site: PolicySite) -> None:
    reply = site.send_update(run=RunStamp("pilot", 1))
    found = update_from_shareable(reply)
    assert (found.delta["matrix"][0, 0], found.delta["scale"]) == (1.5, 2.0)
    assert np.array_equal(found.delta["n.running_mean"], np.full(3, 0.5, np.float32))
    assert found.delta["n.num_batches_tracked"] == 50
    assert (found.metrics, found.pairs, found.skipped, found.run) == (
        METRICS,
        30,
        {"image-missing": 7},
        RunStamp("pilot", 1),
    )
    (line,) = site.ledger
    dxo = from_shareable(reply)
    assert (line["kind"], line["job"], line["task"], line["round"]) == ("update", "job-1", "train", 0)
    assert (line["norm"], line["factor"], line["epsilon"]) == (5.0, 0.5, None)
    assert line["keys"] == ["matrix", "n.running_mean", "scale"]
    assert line["sha256"] == digest(dxo.data, dxo.meta)
    assert line["bytes"] > sum(tensor.nbytes for tensor in dxo.data.values())
    assert ((site.kit / FOLDER / "egress.jsonl").stat().st_mode & 0o777) == 0o600


@pytest.mark.parametrize(
    "other", [PercentilePrivacy, SVTPrivacy, lambda: ExcludeVars(exclude_vars=["matrix"])], ids=["p", "svt", "exclude"]
)
def test_stock_filters_come_before_the_policy(other: Callable[[], DXOFilter], site: PolicySite) -> None:
    found = update_from_shareable(site.send_update(before=[other()]))
    assert {name: (t.shape, t.dtype) for name, t in found.delta.items()} == {
        name: (t.shape, t.dtype) for name, t in MODEL.items() if name in found.delta
    }
    assert (
        np.sqrt(sum(np.square(found.delta[name]).sum() for name in found.delta if name in ("matrix", "scale"))) <= 2.501
    )
    assert site.ledger[0]["kind"] == "update"


def test_a_field_that_is_not_on_the_list_stays_and_the_ledger_names_it(site: PolicySite) -> None:
    answer = update_to_shareable(update())
    answer["DXO"]["meta"]["patients"] = ["Jane Doe"]
    reply = site.send(answer)
    assert "Jane" not in json.dumps(reply, default=str)
    assert site.ledger[0]["dropped"] == ["patients"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "too few studies": ({"pairs": 4}, "at least 5 studies"),
    "metrics of too few studies": ({"metrics": METRICS | {"studies": 4.0}}, "at least 5 studies"),
    "a tensor that is not of the model": ({"delta": update().delta | {"pixels": np.ones(3)}}, "must be of the model"),
    "another shape": ({"delta": {"matrix": np.ones(3, np.float32)}}, "must have shape"),
    "a counter that is not of the model": (
        {"delta": update().delta | {"ages": np.array(64, np.int64)}},
        "of the model",
    ),
    "a metric that is not a number": ({"metrics": {"loss": float("inf")}}, "must be finite"),
    "a long text": ({"skipped": {"x" * 300: 9}}, "one line"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_update_outside_the_rules_does_not_leave(case: str, site: PolicySite) -> None:
    change, reason = BAD[case]
    assert reason in refused(site.send_update(**change))
    assert [line["kind"] for line in site.ledger] == ["error"]


def test_small_counts_of_skipped_studies_stay(site: PolicySite) -> None:
    found = update_from_shareable(site.send_update(skipped={"image-missing": 1, "other": 5, "none": 0}))
    assert found.skipped == {"other": 5, "none": 0}


def test_metrics_of_a_small_split_stay(site: PolicySite) -> None:
    splits = {"valid": {"loss": 1.0, "studies": 20.0}, "test": {"loss": 1.0, "studies": 3.0}, "odd": {"loss": 1.0}}
    reply = site.send(metrics_to_shareable(MetricsMessage(0, splits)))
    assert list(from_shareable(reply).data) == ["valid"]
    assert site.ledger[0]["keys"] == ["valid"]
    small = {"valid": {"loss": 1.0, "studies": 3.0}}
    assert "at least 5 studies" in refused(site.send(metrics_to_shareable(MetricsMessage(0, small))))


def suite(least: int, studies: int) -> Shareable:
    counts = {"test": {"studies": studies, "patients": studies, "texts": studies}}
    result = {
        "suite": {"settings": {"least_patients": least}, "counts": counts, "loss": 1.0},
        "skipped": {"a": 2, "b": 9},
    }
    return result_to_shareable(1, result)


def test_an_evaluation_needs_enough_patients(site: PolicySite) -> None:
    assert result_from_shareable(site.send(suite(5, 20)))[1]["skipped"] == {"b": 9}
    assert "at least 5 patients" in refused(site.send(suite(4, 20)))
    assert "at least 5 patients" in refused(site.send(suite(5, 4)))
    foreign = DXO(DataKind.METRICS, data={"result": json.dumps({"rows": [[1, 2]]})}, meta={"round": 1}).to_shareable()
    assert "evaluation of this software" in refused(site.send(foreign))


def test_a_report_without_tensors_leaves(site: PolicySite) -> None:
    reason = {"not shared by the site": 1}
    reply = site.send(report_to_shareable(update(delta={}, skipped=reason)))
    assert from_shareable(reply).meta["skipped"] == reason


@pytest.mark.parametrize("kind", [DataKind.WEIGHTS, DataKind.COLLECTION, DataKind.ANALYTIC, DataKind.APP_DEFINED])
def test_another_kind_of_answer_does_not_leave(kind: str, site: PolicySite) -> None:
    refused(site.send(DXO(kind, data={"a": {"b": 1}}).to_shareable()))


def test_an_answer_beside_its_data_does_not_leave(site: PolicySite) -> None:
    answer = update_to_shareable(update())
    answer["reports"] = ["text"]
    reply = site.send(answer)
    assert "reports" not in reply
    after = site.send(update_to_shareable(update()), after=lambda reply: reply.update(reports=["text"]))
    assert "nothing beside its data" in refused(after)


def test_headers_are_cut_to_the_list_and_errors_to_one_line(site: PolicySite) -> None:
    answer = update_to_shareable(update())
    reply = site.send(answer, after=lambda reply: reply.set_header("report", "Jane Doe"))
    assert "report" not in reply["__headers__"]
    error = error_reply(ReturnCode.EXECUTION_EXCEPTION, "train: ValueError")
    error["report"] = "Jane Doe"
    error.set_header("report", "Jane Doe")
    reply = site.send(error)
    assert "Jane" not in json.dumps(reply)
    assert error_text(reply) == "train: ValueError"
    assert [line["kind"] for line in site.ledger] == ["update", "error"]


def changed(name: str, value: Any) -> Callable[[Shareable], Any]:
    return lambda reply: reply["DXO"]["data"].update({name: value})


AFTER: dict[str, Callable[[Shareable], Any]] = {
    "a new tensor": changed("pixels", np.ones(3, np.float32)),
    "another value": changed("scale", np.array(9, np.float32)),
    "another matrix": changed("matrix", np.full((4, 8), 7, np.float32)),
    "scales of nothing": changed("x::scale", np.ones(4, np.float32)),
    "a text": changed("scale", "Jane Doe"),
    "another metric": lambda reply: reply["DXO"]["meta"]["metrics"].update(age=64.0),
    "a new field": lambda reply: reply["DXO"]["meta"].update(report="Jane Doe"),
    "a layout with a text": lambda reply: reply["DXO"]["meta"].update(wire={"dtype": "fp32", "note": "Jane Doe"}),
    "a layout with another tensor": lambda reply: reply["DXO"]["meta"].update(
        wire={"dtype": "fp32", "still": {"Jane": [[1], "<f4"]}}
    ),
    "another kind": lambda reply: reply["DXO"].update(kind=DataKind.WEIGHTS),
    "the data elsewhere": lambda reply: reply["DXO"].update(data=["Jane Doe"]),
}


@pytest.mark.parametrize("case", AFTER)
def test_what_the_job_adds_or_changes_after_the_policy_does_not_leave(case: str, site: PolicySite) -> None:
    refused(site.send(update_to_shareable(update()), after=AFTER[case]))
    assert [line["kind"] for line in site.ledger] == ["blocked"]


def test_without_the_filter_in_the_scope_nothing_leaves(site: PolicySite) -> None:
    assert "must pass the filter" in refused(site.send(update_to_shareable(update()), filtered=False))
    site.send_update()
    assert "must pass the filter" in refused(site.send(update_to_shareable(update()), filtered=False))


@pytest.mark.parametrize("text", [None, "", "{}", '{"clip": 1.0}'])
def test_without_valid_rules_nothing_leaves(text: str | None, site: PolicySite) -> None:
    file = site.kit / "local" / RULES_FILE
    file.unlink()
    if text is not None:
        file.write_text(text)
    assert RULES_FILE in refused(site.send_update())


def test_an_exception_in_the_policy_says_its_type_only(site: PolicySite, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("Jane Doe")

    monkeypatch.setattr("hospital_policy.release_filter.limited", fail)
    assert refused(site.send_update()) == "hospital policy: the filter failed with ValueError"
    monkeypatch.undo()
    monkeypatch.setattr("hospital_policy.egress_guard.judged", fail)
    assert refused(site.send_update()) == "hospital policy: the guard failed with ValueError"


def test_if_the_ledger_cannot_be_written_nothing_leaves(site: PolicySite) -> None:
    site.send_update()
    (site.kit / FOLDER / "egress.jsonl").write_text("")
    assert "lines are missing" in refused(site.send_update())


def test_metrics_that_a_job_streams_stay_at_the_site(site: PolicySite) -> None:
    context, event = site.context(), Shareable({"loss": 1.0})
    context.set_prop(FLContextKey.EVENT_SCOPE, EventScope.FEDERATION, private=True, sticky=False)
    context.set_prop(FLContextKey.EVENT_DATA, event, private=True, sticky=False)
    site.guard.handle_event("fed.analytix_log_stats", context)
    assert "loss" not in event
    assert event.get_header(FedEventHeader.DIRECTION) == "blocked"
    assert site.ledger[0]["reason"] == "event fed.analytix_log_stats"


def test_other_messages_of_a_job_stay_and_those_of_flare_leave(site: PolicySite) -> None:
    send: Any = site.aux._send_to_cell
    own = {"channel": "aux_communication", "topic": "__task_check__", "request": Shareable(), "targets": []}
    assert send(**own) == {"server": "ok"}
    assert send(**own | {"topic": "reports"}) == {}
    assert send(**own | {"channel": "stream"}) == {}
    assert send(**own | {"request": Shareable({"report": "Jane Doe"})}) == {}
    full = Shareable()
    full.set_header("report", ["Jane Doe"])
    assert send(**own | {"request": full}) == {}
    assert site.aux.multicast_aux_requests("reports", []) == {}
    assert site.aux.sent == ["__task_check__"]
    assert [line["kind"] for line in site.ledger] == ["blocked"] * 5


def test_the_methods_that_are_closed_are_those_of_the_installed_flare() -> None:
    assert {"channel", "topic", "request"} <= set(inspect.signature(AuxRunner._send_to_cell).parameters)
    source, call = inspect.getsource(AuxRunner), " cell."
    closed = [inspect.getsource(AuxRunner._send_to_cell), inspect.getsource(AuxRunner._send_multi_requests)]
    assert source.count(call) == sum(part.count(call) for part in closed) == 5
    assert source.count("self._send_multi_requests(") == 1


def test_if_the_channels_cannot_be_closed_nothing_leaves(site: PolicySite) -> None:
    site.aux = None  # type: ignore[assignment]
    site.guard = EgressGuard()
    site.guard.handle_event(EventType.START_RUN, site.context())
    assert "channels of the job must be closed" in refused(site.send_update())


def test_noise_is_added_and_counted(site: PolicySite) -> None:
    site.write(Rules(epsilon=10.0, **NOISE))
    found = update_from_shareable(site.send_update()).delta
    draw = np.random.default_rng(0)
    matrix = np.where(update().delta["matrix"] > 0, 0.6, 0) + draw.normal(0, 2.0, (4, 8))
    assert np.array_equal(found["matrix"], matrix.astype(np.float32))
    assert not found["n.running_mean"].any()
    assert site.ledger[0]["epsilon"] == pytest.approx(1.99309, abs=1e-4)  # dp-accounting: σ = 2, one release


def test_the_budget_survives_a_restart_and_stops_the_run_with_one_line(site: PolicySite) -> None:
    site.write(Rules(epsilon=3.0, **NOISE))
    epsilons = []
    for _ in range(2):
        site.start()
        site.send_update()
        epsilons.append(site.ledger[-1]["epsilon"])
    assert epsilons == sorted(epsilons)
    assert epsilons[1] < 3.0
    site.start()
    reason = refused(site.send_update())
    assert reason.startswith(
        "hospital policy: the privacy budget of this hospital is spent: one more update has epsilon"
    )
    assert "\n" not in reason
    site.write(Rules(epsilon=10.0, **NOISE))
    site.send_update()
    assert site.ledger[-1]["epsilon"] > 3.0
