from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey

from fedaid.flare.software import checked_scatter_gather
from tests.flare.conftest import SAME

Make = Callable[..., Any]
OTHER = SAME | {"fedaid": "7" * 64}


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked_scatter_gather, "PATIENCE", 0.2)


@pytest.mark.parametrize("settings", [{}, {"alignment_phase": False, "loss_baseline": "none"}])
def test_a_site_with_other_code_ends_the_job_by_name_and_gets_no_task(settings: Any, federation: Make) -> None:
    made = federation(**settings)
    made.communicator.reports["site-b"] = OTHER
    made.run()
    assert len(made.engine.panics) == 1
    assert made.engine.panics[0].startswith("code at site-b must be the server's, ")
    assert "site-b" not in {site for _, site in made.communicator.asked}
    assert not (made.store / "results.json").exists()
    assert not list(made.run_store.glob("round-*"))


def test_every_site_with_other_code_that_was_heard_is_named(federation: Make) -> None:
    made = federation()
    made.communicator.reports |= {"site-b": OTHER, "site-c": None}
    made.controller.handle_event(EventType.BEFORE_PROCESS_TASK_REQUEST, made.communicator.request_of("site-c"))
    made.run()
    assert "code at site-b and site-c must be" in made.engine.panics[0]


def test_another_version_is_named_in_progress_log_and_results(
    federation: Make, caplog: pytest.LogCaptureFixture
) -> None:
    made = federation(num_rounds=1)
    made.communicator.reports["site-b"] = SAME | {"torch": "1.0"}
    made.run()
    line = f"site-b has torch 1.0, the server {SAME['torch'][:12]}"
    assert made.engine.panics == []
    assert made.controller.progress.as_dict()["notes"] == [line]
    assert caplog.text.count(f"other version: {line}") == 1
    found = json.loads((made.store / "results.json").read_text())["software"]
    assert found["differences"] == [line]
    assert found["server"] == found["sites"]["site-a"] == SAME
    assert found["sites"].keys() == {"site-a", "site-b", "site-c"}


def test_a_job_that_was_packaged_with_other_code_ends_before_its_first_task(federation: Make) -> None:
    made = federation()
    meta = {"custom_props": {"fedaid_code": "7" * 64}}
    made.fl_ctx.set_prop(FLContextKey.JOB_META, meta, private=True, sticky=True)
    made.run()
    assert made.engine.panics[0].startswith("code at server must be the job's, 777777777777, got ")
    assert made.communicator.asked == []
