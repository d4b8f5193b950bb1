from __future__ import annotations

from pathlib import Path

import pytest

from admin.jobs.check import check_job
from admin.jobs.folder import write_object
from admin.jobs.job_plan import PLAN, by_name, require_planned_timeouts
from admin.jobs.package import package_job
from fedaid.errors import InputError
from tests.integration.conftest import MODEL


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package_job("fedaid_pretrain", out=tmp_path_factory.mktemp("jobs"), settings=MODEL | {"task_timeout": 100})


def test_settings_are_found_by_their_own_names(job: Path) -> None:
    settings = by_name(job)
    assert (settings["task_timeout"], settings["wire_dtype"], settings["image_size"]) == (100, "fp32", 32)


def test_a_job_without_a_plan_passes(job: Path) -> None:
    require_planned_timeouts(job)


@pytest.mark.parametrize("least", [100, 99])
def test_a_timeout_that_is_enough_passes(least: int, job: Path) -> None:
    require_planned_timeouts(job, least={"task_timeout": least})


def test_a_wait_that_would_drop_the_last_sites_is_refused(job: Path) -> None:
    present = by_name(job)["wait_time_after_min_received"]
    with pytest.raises(InputError, match=f"wait_time_after_min_received must be at least {present + 1} s"):
        require_planned_timeouts(job, least={"wait_time_after_min_received": present + 1})


def test_an_undersized_timeout_is_refused_by_the_check_of_the_job(job: Path) -> None:
    write_object(job / PLAN, {"sites": 3, "timeouts": {"task_timeout": 101}})
    try:
        with pytest.raises(InputError, match="task_timeout must be at least 101 s for the planned rounds, got 100"):
            check_job(job)
    finally:
        (job / PLAN).unlink()
