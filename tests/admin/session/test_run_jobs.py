from __future__ import annotations

from pathlib import Path

import pytest

from admin.jobs.folder import META, read_object
from admin.jobs.package import package_job
from admin.jobs.settings import values_by_name
from admin.session.run_jobs import RunJob, from_meta, job_to_follow, mark_run, run_of
from tests.integration.conftest import MODEL


def test_run_attempt_and_rounds_are_in_the_meta_and_the_version_stays(tmp_path: Path) -> None:
    job = package_job("fedavg_pretrain", out=tmp_path, settings=MODEL | {"num_rounds": 7}, run_name="pilot")
    mark_run(job, attempt=3)
    meta = read_object(job / META)
    assert "fedaid_version" in meta["custom_props"]
    assert values_by_name(job)["attempt"] == 3
    assert from_meta(meta | {"job_id": "x", "status": "RUNNING"}, "pilot") == RunJob("x", "RUNNING", 3, 7)
    assert from_meta(meta | {"job_id": "x", "status": "RUNNING"}, "other") is None


def test_a_job_without_a_run_stays_as_it_is(trivial_job: Path) -> None:
    before = (trivial_job / META).read_bytes()
    mark_run(trivial_job, attempt=1)
    assert (trivial_job / META).read_bytes() == before
    assert run_of(trivial_job) == ""


@pytest.mark.parametrize("meta", [None, {}, {"custom_props": None}, {"custom_props": {}}])
def test_a_job_of_someone_else_is_none_of_the_run(meta: object) -> None:
    assert from_meta(meta, "pilot") is None


@pytest.mark.parametrize(
    ("statuses", "rounds", "expected"),
    [
        ([], 2, None),
        (["FINISHED:ABNORMAL"], 2, None),
        (["FINISHED:ABNORMAL", "SUBMITTED"], 2, "1"),
        (["RUNNING", "RUNNING"], 2, "1"),
        (["RUNNING", "FINISHED:ABNORMAL"], 2, "0"),
        (["FINISHED:COMPLETED"], 2, "0"),
        (["FINISHED:COMPLETED"], 3, None),
        (["FINISHED:COMPLETED", "FINISHED:ABNORMAL"], 2, None),
        (["dead"], 2, None),
        (["RUNNING", "RUNNING", "FINISHED:COMPLETED"], 2, "2"),
        (["RUNNING", "FINISHED:COMPLETED"], 3, "0"),
        (["FINISHED:COMPLETED", "RUNNING"], 2, "1"),
    ],
)
def test_the_job_to_follow(statuses: list[str], rounds: int, expected: str | None) -> None:
    jobs = [
        RunJob("dead" if status == "dead" else str(number), "RUNNING" if status == "dead" else status, 1, 2)
        for number, status in enumerate(statuses)
    ]
    found = job_to_follow(jobs, rounds=rounds, dead={"dead"})
    assert (found.job_id if found else None) == expected
