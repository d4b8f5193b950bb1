from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from admin.__main__ import main
from admin.jobs import step_time
from admin.jobs.folder import read_object, write_object
from admin.jobs.job_check import check_job
from admin.jobs.package import package_job
from admin.jobs.plan import (
    PLAN_FILE,
    Conditions,
    plan_job,
    require_planned_timeouts,
    require_timeouts,
)
from admin.jobs.settings import model_configuration, values_by_name
from fedaid.errors import InputError
from fedaid.training.settings import TrainingSettings
from tests.integration.conftest import MODEL

CONDITIONS = Conditions(sites=100, bandwidth_mbit=100.0, step_seconds=200.0, studies=10, decode_seconds=0.1)
SMALL = ["--studies", "1", "--decode-seconds", "0"]  # nothing to speak of


@pytest.fixture
def job(tmp_path: Path) -> Path:
    return package_job("fedaid_pretrain", out=tmp_path, settings=MODEL | {"task_timeout": 100, "wire_dtype": "int8"})


def config(job: Path, name: str) -> dict[str, Any]:
    return read_object(job / "app" / "config" / f"config_fed_{name}.json")


def test_fedavgs_job_is_planned_as_one_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = package_job("fedavg_pretrain", out=tmp_path, settings=MODEL)
    assert main(["plan", str(job), "--step-seconds", "0.1", *SMALL]) == 0
    printed = capsys.readouterr().out
    assert "\ntrain " in printed
    assert "\nalign " not in printed


def test_a_timeout_that_is_too_short_is_refused_and_said(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(job), "--sites", "3", "--step-seconds", "2", *SMALL]) == 1
    captured = capsys.readouterr()
    assert "error: task_timeout must be at least 221 s for the planned rounds, got 100" in captured.err
    assert "needs at least: task_timeout 221 s" in captured.out
    assert not (job / PLAN_FILE).exists()


def test_write_sets_the_timeouts_and_the_job_passes_its_checks(job: Path) -> None:
    assert main(["plan", str(job), "--sites", "100", "--step-seconds", "2", "--write", *SMALL]) == 0
    least = read_object(job / PLAN_FILE)["timeouts"]
    assert values_by_name(job)["task_timeout"] == least["task_timeout"] > 220
    assert config(job, "client")["get_task_timeout"] == least["get_task_timeout"]
    assert config(job, "client")["submit_task_result_timeout"] == least["submit_task_result_timeout"]
    assert config(job, "client")["np_min_download_timeout"] == config(job, "server")["np_min_download_timeout"] == 300
    assert config(job, "server")["server"]["task_request_interval"] == 0.5
    assert check_job(job) > 5


def test_write_lets_a_phase_wait_for_the_sites_that_share_the_link(job: Path) -> None:
    assert (
        main(["plan", str(job), "--sites", "100", "--step-seconds", "2", "--bandwidth-mbit", "2", "--write", *SMALL])
        == 0
    )
    assert (
        values_by_name(job)["wait_time_after_min_received"]
        == read_object(job / PLAN_FILE)["timeouts"]["wait_time_after_min_received"]
    )
    assert values_by_name(job)["wait_time_after_min_received"] > 600


def test_write_does_not_shorten_a_timeout(tmp_path: Path) -> None:
    job = package_job("fedaid_pretrain", out=tmp_path, settings=MODEL)
    before = values_by_name(job)["task_timeout"]
    assert main(["plan", str(job), "--step-seconds", "0.01", "--write", *SMALL]) == 0
    assert values_by_name(job)["task_timeout"] == before


def test_measure_times_the_jobs_own_model_and_settings(
    job: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def measured(options: Any, settings: TrainingSettings) -> float:
        asked.append((options["image_size"], settings.batch_size, settings.binding_weight))
        return 0.25

    monkeypatch.setattr(step_time, "measure_step", measured)
    assert main(["plan", str(job), "--measure", *SMALL]) == 0
    assert asked == [(32, 32, 0.1)]
    assert "a step on this machine: 0.250 s" in capsys.readouterr().out


def test_validation_and_the_first_reading_of_the_images_are_planned_and_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = package_job("fedaid_pretrain", out=tmp_path, settings=MODEL)
    words = ["--step-seconds", "2", "--studies", "6400", "--decode-seconds", "0.5", "--bandwidth-mbit", "1e6"]
    assert (
        main(["plan", str(job), *words]) == 1
    )  # 3200 s for the images, 20 for each validation and for steps: twice that
    captured = capsys.readouterr()
    assert "validation: 20.0 s in each align, in its work above" in captured.out
    assert "first align: 3200.0 s more to decode 6400 studies at 0.5 s" in captured.out
    assert "longest task: 3260.0 s of work" in captured.out
    assert "wait_time_after_min_received must be at least 65" in captured.err
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["--studies", "9"], ["--step-seconds", "1"]])
def test_what_is_missing_is_named(arguments: list[str], job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(job), *arguments] if arguments else ["plan"]) == 1
    assert "is missing" in capsys.readouterr().err


def test_the_projection_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--projection", str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").is_file()


def test_a_plan_takes_steps_wire_and_batch_from_the_job(job: Path) -> None:
    plan = plan_job(job, CONDITIONS)
    federation, size = plan.federation, plan.size
    assert (federation.align_steps, federation.pretrain_steps, federation.wire_dtype) == (10, 40, "int8")
    assert (federation.alignment_phase, federation.batch_size, federation.studies) == (True, 32, 10)
    assert size.whole > 500_000
    assert model_configuration(job)["image_size"] == 32


def test_a_job_whose_rounds_exchange_no_model_is_refused(tmp_path: Path) -> None:
    job = package_job("local_pretrain", out=tmp_path)
    with pytest.raises(InputError, match=r"^job must have rounds in which a model is exchanged.*task_timeout by hand"):
        plan_job(job, CONDITIONS)


@pytest.mark.parametrize(
    ("name", "value"),
    [("sites", 0), ("bandwidth_mbit", 0.0), ("step_seconds", -1.0), ("studies", 0), ("step_seconds", float("inf"))],
)
def test_numbers_must_be_above_zero(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"--{name.replace('_', '-')} must be above 0"):
        replace(CONDITIONS, **{name: value})


def test_images_may_be_prepared() -> None:
    assert replace(CONDITIONS, decode_seconds=0).decode_seconds == 0
    with pytest.raises(InputError, match="--decode-seconds must be at least 0"):
        replace(CONDITIONS, decode_seconds=-1)


def test_a_job_without_a_plan_passes(job: Path) -> None:
    require_planned_timeouts(job)


@pytest.mark.parametrize("least", [100, 99])
def test_a_timeout_that_is_enough_passes(least: int, job: Path) -> None:
    require_timeouts(job, least={"task_timeout": least})


def test_a_wait_that_would_drop_the_last_sites_is_refused(job: Path) -> None:
    present = values_by_name(job)["wait_time_after_min_received"]
    with pytest.raises(InputError, match=f"wait_time_after_min_received must be at least {present + 1} s"):
        require_timeouts(job, least={"wait_time_after_min_received": present + 1})


def test_an_undersized_timeout_is_refused_by_the_check_of_the_job(job: Path) -> None:
    write_object(job / PLAN_FILE, {"sites": 3, "timeouts": {"task_timeout": 101}})
    with pytest.raises(InputError, match="task_timeout must be at least 101 s for the planned rounds, got 100"):
        check_job(job)


def test_the_plan_names_what_is_in_memory(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(job), "--sites", "2", "--step-seconds", "0.1", "--write", *SMALL]) == 0
    site, server = [line for line in capsys.readouterr().out.splitlines() if line.startswith("memory of ")]
    for name in ("processes 0.50", "weights", "encoder outputs", "activations"):
        assert name in site
    for name in ("process 0.35", "blocks on the way 0.03", "round's model", "last step to the sites"):
        assert name in server
