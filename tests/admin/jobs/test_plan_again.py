from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admin.__main__ import main
from admin.jobs.folder import read_object, write_object
from admin.jobs.package import package_job
from admin.jobs.plan import PLAN_FILE, Conditions, plan_job, write_plan
from admin.jobs.settings import values_by_name
from fedaid.errors import InputError
from tests.integration.conftest import MODEL

CONDITIONS = Conditions(sites=100, bandwidth_mbit=100.0, step_seconds=200.0, studies=10, decode_seconds=0.1)
SETTINGS: dict[str, Any] = MODEL | {"wire_dtype": "int8"}


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """Planned: 40 steps of 200 s."""
    job = package_job("fedaid_pretrain", out=tmp_path, settings=SETTINGS)
    write_plan(job, plan_job(job, CONDITIONS))
    return job


def again(job: Path, **settings: Any) -> Path:
    return package_job("fedaid_pretrain", out=job.parent, settings=SETTINGS | settings)


def test_packaging_again_keeps_the_planned_timeouts(job: Path) -> None:
    before = {name: (job / "app/config" / name).read_text() for name in ("config_fed_client.json",)}
    found = values_by_name(job)["task_timeout"]
    assert found > 16000  # the source has 7200
    again(job)
    assert values_by_name(job)["task_timeout"] == found
    assert {name: (job / "app/config" / name).read_text() for name in before} == before
    assert read_object(job / PLAN_FILE)["timeouts"]["task_timeout"] == found


def test_packaging_again_plans_for_the_new_settings(job: Path) -> None:
    before = values_by_name(job)["task_timeout"]
    again(job, pretrain_steps=80)
    assert values_by_name(job)["task_timeout"] == before + 2 * 40 * 200


@pytest.mark.parametrize("name", ["task_timeout", "fedaid.task_timeout"])
def test_a_timeout_set_too_short_is_refused_at_packaging_in_one_line(
    name: str, job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [f"{name}=500", "wire_dtype=int8", *(f"{key}={value}" for key, value in MODEL.items() if key != "seed")]
    words = [word for pair in pairs for word in ("--set", pair.replace("'", '"'))]
    assert main(["package", "fedaid_pretrain", "--out", str(job.parent), *words]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: task_timeout must be at least 16")
    assert "for the planned rounds, got 500" in captured.err
    assert len(captured.err.splitlines()) == 1
    assert values_by_name(job)["task_timeout"] > 16000


def test_a_longer_timeout_may_be_set(job: Path) -> None:
    again(job, task_timeout=90000)
    assert values_by_name(job)["task_timeout"] == 90000


@pytest.mark.parametrize(
    ("changes", "now", "before"),
    [
        ({"batch_size": 64}, "batch_size 64", "batch_size 32"),
        ({"micro_batch_size": 8}, "micro_batch_size 8", "micro_batch_size 0"),
        ({"precision": "bf16"}, "precision bf16", "precision fp32"),
        ({"gradient_checkpointing": True}, "gradient_checkpointing True", "gradient_checkpointing False"),
        (
            {"binding_weight": 0.0, "embedding_dim": 128},
            r"parameters \d+, terms \[\]",
            r"parameters \d+, terms .*g_weight'\]",
        ),
    ],
)
def test_a_step_of_another_kind_is_not_taken_over(changes: dict[str, Any], now: str, before: str, job: Path) -> None:
    with pytest.raises(InputError, match=rf"^plan must be of a step with {now}, got {before}: .* Remove the file"):
        again(job, **changes)


def test_a_setting_that_takes_no_time_does_not_ask_for_a_new_plan(job: Path) -> None:
    again(job, binding_weight=0.2, learning_rate=0.5)
    assert values_by_name(job)["task_timeout"] > 16000


@pytest.mark.parametrize("content", [{"sites": 3, "timeouts": {}}, {"given": {"sites": 3}}])
def test_what_is_no_plan_is_refused(content: dict[str, Any], job: Path) -> None:
    write_object(job / PLAN_FILE, content)
    with pytest.raises(InputError, match=r"plan must be written by python -m admin plan --write, got the keys"):
        again(job)
