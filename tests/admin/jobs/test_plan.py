from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admin.jobs import plan
from admin.jobs.check import check_job
from admin.jobs.folder import read_object
from admin.jobs.job_plan import PLAN, by_name
from admin.jobs.package import package_job
from admin.jobs.plan import main
from fedaid.training.settings import TrainingSettings
from tests.integration.conftest import MODEL

SMALL = ["--studies", "1", "--decode-seconds", "0"]  # nothing to speak of


@pytest.fixture
def job(tmp_path: Path) -> Path:
    return package_job("fedaid_pretrain", out=tmp_path, settings=MODEL | {"task_timeout": 100, "wire_dtype": "int8"})


def config(job: Path, name: str) -> dict[str, Any]:
    return read_object(job / "app" / "config" / f"config_fed_{name}.json")


def test_fedavgs_job_is_planned_as_one_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = package_job("fedavg_pretrain", out=tmp_path, settings=MODEL)
    assert main([str(job), "--step-seconds", "0.1", *SMALL]) == 0
    printed = capsys.readouterr().out
    assert "\ntrain " in printed
    assert "\nalign " not in printed


def test_a_timeout_that_is_too_short_is_refused_and_said(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(job), "--sites", "3", "--step-seconds", "2", *SMALL]) == 1
    captured = capsys.readouterr()
    assert "error: task_timeout must be at least 221 s for the planned rounds, got 100" in captured.err
    assert "needs at least: task_timeout 221 s" in captured.out
    assert not (job / PLAN).exists()


def test_write_sets_the_timeouts_and_the_job_passes_its_checks(job: Path) -> None:
    assert main([str(job), "--sites", "100", "--step-seconds", "2", "--write", *SMALL]) == 0
    least = read_object(job / PLAN)["timeouts"]
    assert by_name(job)["task_timeout"] == least["task_timeout"] > 220
    assert config(job, "client")["get_task_timeout"] == least["get_task_timeout"]
    assert config(job, "client")["submit_task_result_timeout"] == least["submit_task_result_timeout"]
    assert config(job, "client")["np_min_download_timeout"] == config(job, "server")["np_min_download_timeout"] == 300
    assert config(job, "server")["server"]["task_request_interval"] == 0.5
    assert check_job(job) > 5


def test_write_lets_a_phase_wait_for_the_sites_that_share_the_link(job: Path) -> None:
    assert main([str(job), "--sites", "100", "--step-seconds", "2", "--bandwidth-mbit", "2", "--write", *SMALL]) == 0
    assert (
        by_name(job)["wait_time_after_min_received"]
        == read_object(job / PLAN)["timeouts"]["wait_time_after_min_received"]
    )
    assert by_name(job)["wait_time_after_min_received"] > 600


def test_write_does_not_shorten_a_timeout(tmp_path: Path) -> None:
    job = package_job("fedaid_pretrain", out=tmp_path, settings=MODEL)
    before = by_name(job)["task_timeout"]
    assert main([str(job), "--step-seconds", "0.01", "--write", *SMALL]) == 0
    assert by_name(job)["task_timeout"] == before


def test_measure_times_the_jobs_own_model_and_settings(
    job: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def measured(options: Any, settings: TrainingSettings) -> float:
        asked.append((options["image_size"], settings.batch_size, settings.binding_weight))
        return 0.25

    monkeypatch.setattr(plan, "measure_step", measured)
    assert main([str(job), "--measure", *SMALL]) == 0
    assert asked == [(32, 32, 0.1)]
    assert "a step on this machine: 0.250 s" in capsys.readouterr().out


def test_validation_and_the_first_reading_of_the_images_are_planned_and_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = package_job("fedaid_pretrain", out=tmp_path, settings=MODEL)
    words = ["--step-seconds", "2", "--studies", "6400", "--decode-seconds", "0.5", "--bandwidth-mbit", "1e6"]
    assert main([str(job), *words]) == 1  # 3200 s for the images, 20 for each validation and for steps: twice that
    captured = capsys.readouterr()
    assert "validation: 20.0 s in each align, in its work above" in captured.out
    assert "first align: 3200.0 s more to decode 6400 studies at 0.5 s" in captured.out
    assert "longest task: 3260.0 s of work" in captured.out
    assert "wait_time_after_min_received must be at least 65" in captured.err
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["--studies", "9"], ["--step-seconds", "1"]])
def test_what_is_missing_is_named(arguments: list[str], job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(job), *arguments] if arguments else []) == 1
    assert "must be given" in capsys.readouterr().err


def test_the_projection_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--projection", str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").is_file()
