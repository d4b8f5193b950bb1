"""The supervisor against a server whose jobs go through sequences written by hand."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.fuel.flare_api.api_spec import InternalError, JobNotRunning, NoClientsAvailable

from admin.jobs.package import package_job
from admin.jobs.settings import change_settings
from admin.results.failure import AbortedOnPurpose
from admin.session import follow, segment, supervisor
from admin.session.ended_job import Ended
from admin.session.submit import send
from admin.session.supervisor import Supervisor
from fedaid.errors import InputError
from fedaid.flare.store.stop_note import ANSWERS, INPUT, NOT_YET, SITE_INPUT, STORAGE, StopNote, write_stop
from tests.admin.results_folder import write_run
from tests.integration.conftest import MODEL

OTHER = "job must have the run's settings, got \n  seed: 1 in the run, 2 in this job\n : the job. Package it again."
PANIC = "2026 - ERROR - FATAL_SYSTEM_ERROR received: site lake could not work: out of memory\n"
Looks = list[Any]  # of one job, in order: a status; a round, so that it runs; "gone", so that it has no process


class Server:
    """Has the methods of FLARE's session. ``script`` has the looks of each job, in the order of submission."""

    def __init__(self, *script: Looks, sites: tuple[str, ...] = ("lake", "north")) -> None:
        self.script, self.sites = list(script), list(sites)
        self.jobs: dict[str, dict[str, Any]] = {}
        self.looks: dict[str, Looks] = {}
        self.logs: dict[str, str] = {}
        self.whole: set[str] = set()
        self.now: Any = None
        self.reported = ""
        self.idle: list[str] = []
        self.aborted: list[str] = []
        self.stops: dict[str, StopNote] = {}

    def get_connected_client_list(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name=name) for name in self.sites]

    def submit_job(self, folder: str) -> str:
        job_id = f"id-{len(self.jobs) + 1}"
        self.jobs[job_id] = json.loads((Path(folder) / "meta.json").read_text()) | {"job_id": job_id}
        self.jobs[job_id]["status"], self.looks[job_id] = "RUNNING", self.script.pop(0)
        return job_id

    def list_jobs(self, *, detailed: bool) -> list[dict[str, Any]]:
        return list(self.jobs.values())

    def get_job_status(self, job_id: str) -> str:
        looks = self.looks[job_id]
        self.now = looks.pop(0) if len(looks) > 1 else looks[0]
        if isinstance(self.now, BaseException):
            raise self.now
        self.jobs[job_id]["status"] = self.now if str(self.now).startswith(("FIN", "SUB")) else "RUNNING"
        return str(self.jobs[job_id]["status"])

    def show_stats(self, job_id: str, target: str) -> Any:
        if not isinstance(self.now, int):
            raise JobNotRunning(job_id)
        if target == "client":
            return {site: {"ClientRunner": {}} for site in self.sites}
        weights = dict.fromkeys(("lake", "north"), 0.5)
        shown = {"phase": "pretrain", "current_round": self.now, "num_rounds": 4, "site_losses": {}}
        shown |= {"sites": self.sites, "bytes": {"down": 1500, "up": 20}}
        return {"server": {"FedAIDController": shown | {"site_weights": weights}}}

    def get_job_meta(self, job_id: str) -> dict[str, Any]:
        return self.jobs[job_id]

    def get_system_info(self) -> SimpleNamespace:
        return SimpleNamespace(server_info=SimpleNamespace(start_time=100.0))

    def get_client_job_status(self) -> list[dict[str, str]]:
        busy = [{"client_name": site, "job_id": [*self.jobs][-1], "status": "started"} for site in self.sites]
        return [one for one in busy if one["client_name"] not in self.idle] + [
            {"client_name": site, "status": "no_jobs"} for site in self.idle
        ]

    def abort_job(self, job_id: str) -> None:
        if self.now == "gone":
            raise InternalError(f"Job {job_id} is not running")
        self.aborted.append(job_id)
        self.looks[job_id] = ["FINISHED:ABORTED"]

    def download_job_result(self, job_id: str, destination: str) -> str:
        if not {job_id} & (self.logs.keys() | self.stops.keys() | self.whole):
            raise InternalError("no result")
        run = Path(destination) / job_id / "workspace"
        run.mkdir(parents=True)
        (run / "log.txt").write_text(self.logs.get(job_id, ""))
        if job_id in self.stops:
            (run / "app_server").mkdir()
            write_stop(run / "app_server", self.stops[job_id])
        if job_id in self.whole:
            write_run(run)
        return str(run.parent)

    def grep_target(self, target: str, options: Any, pattern: str, file: str) -> str:
        return self.reported


class Run(Supervisor):
    """A supervisor that remembers what it said, and how long it slept."""

    said: list[str]
    alive: list[str | None]


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between two attempts; nothing sleeps."""
    pauses: list[float] = []
    clock = SimpleNamespace(now=0.0)

    def sleep(seconds: float) -> None:
        clock.now += seconds
        if seconds >= supervisor.SHORT_PAUSE:
            pauses.append(seconds)

    time = SimpleNamespace(sleep=sleep, monotonic=lambda: clock.now)
    monkeypatch.setattr(segment, "time", time)
    monkeypatch.setattr(supervisor, "time", time)
    monkeypatch.setattr(follow, "time", time)
    return pauses


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A packaged job of run ``pilot`` with two rounds."""
    settings = MODEL | {"num_rounds": 2, "min_clients": 2}
    return package_job("fedaid_pretrain", out=tmp_path / "jobs", settings=settings, run_name="pilot")


def supervise(server: Server, job: Path, *, attempts: int = 5, patience: float = 600.0, segment_rounds: int = 1) -> Run:
    said, alive = list[str](), list[str | None]()
    run = Run(
        job,
        server,
        job.parents[1] / "out",
        attempts=attempts,
        patience=patience,
        segment_rounds=segment_rounds,
        say=said.append,
        on_progress=lambda progress: None,
        on_job=alive.append,
    )
    run.said, run.alive = said, alive
    return run


def test_a_job_that_completes_is_downloaded(job: Path, slept: list[float]) -> None:
    server = Server(["SUBMITTED", 0, 1, "FINISHED:COMPLETED"])
    server.whole = {"id-1"}
    run = supervise(server, job)
    out = (job.parents[1] / "out").resolve()
    assert run.run() == Ended("id-1", "FINISHED:COMPLETED", committed=2, result=out / "id-1")
    assert run.said == ["job id-1: attempt 1 of run pilot"]
    assert run.alive == ["id-1", None]
    assert slept == []


def test_a_failed_job_is_said_in_one_line_and_submitted_again(job: Path, slept: list[float]) -> None:
    server = Server([0, 1, "FINISHED:EXECUTION_EXCEPTION"], ["FINISHED:COMPLETED"])
    server.logs, server.whole = {"id-1": PANIC}, {"id-2"}
    run = supervise(server, job)
    assert run.run().job_id == "id-2"
    assert run.said[1:] == [
        "job id-1 ended as FINISHED:EXECUTION_EXCEPTION: site lake could not work: out of memory; "
        "rounds committed: at least 1; attempt 2 of 5 in 2 s",
        "job id-2: attempt 2 of run pilot",
    ]
    assert [meta["custom_props"]["fedaid_attempt"] for meta in server.jobs.values()] == [1, 2]


def test_a_site_whose_process_ended_is_named(job: Path, slept: list[float]) -> None:
    server = Server(["FINISHED:EXECUTION_EXCEPTION"], ["FINISHED:COMPLETED"])
    server.reported, server.whole = "Failing job id-1 due to reported failure from north: exception\n", {"id-2"}
    run = supervise(server, job)
    run.run()
    assert "the process of site north was killed, or ended with an error; attempt 2 of 5" in run.said[1]


def test_the_pause_is_short_after_a_committed_round_and_doubles_without_one(job: Path, slept: list[float]) -> None:
    failed = "FINISHED:ABNORMAL"
    server = Server([failed], [failed], [failed], [0, 1, failed], [failed], [failed])
    run = supervise(server, job, attempts=6)
    with pytest.raises(RuntimeError, match=r"was killed.*6 attempts are spent; the same command continues the run"):
        run.run()
    assert slept == [10, 20, 40, 2, 10]
    assert [ended.job_id for ended in run.ended] == [f"id-{number}" for number in range(1, 7)]


def test_running_without_a_process_is_dead_but_not_at_the_first_look(job: Path, slept: list[float]) -> None:
    server = Server([0, "gone", 1, *["gone"] * 99], ["FINISHED:COMPLETED"])
    server.whole = {"id-2"}
    run = supervise(server, job)
    assert run.run().job_id == "id-2"
    dead = run.ended[0]
    assert (dead.status, dead.committed) == ("DEAD", 1)
    assert "no process of it is left, as after a restart of the server. FLARE keeps it in its list" in run.said[1]
    assert 60 < len(server.looks["id-1"]) < 75, "it must be called dead within a minute, but not at once"


@pytest.mark.parametrize("damaged", [False, True])
def test_abnormal_with_whole_results_is_complete_with_a_warning(job: Path, slept: list[float], damaged: bool) -> None:
    server = Server([1, "FINISHED:ABNORMAL"], ["FINISHED:COMPLETED"])
    server.whole = {"id-1", "id-2"}
    if damaged:
        (job.parents[1] / "out" / "id-1" / "workspace" / "app_server").mkdir(parents=True)
    run = supervise(server, job)
    assert run.run().job_id == ("id-2" if damaged else "id-1")
    assert any(line.startswith("warning: job id-1 ended as FINISHED:ABNORMAL") for line in run.said) is not damaged


def test_results_of_fewer_rounds_are_not_complete(job: Path, slept: list[float], tmp_path: Path) -> None:
    longer = package_job("fedaid_pretrain", out=tmp_path / "more", settings=MODEL | {"num_rounds": 3}, run_name="pilot")
    server = Server(["FINISHED:ABNORMAL"], ["FINISHED:COMPLETED"])
    server.whole = {"id-1", "id-2"}
    with pytest.raises(RuntimeError, match=r"id-2 ended as FINISHED:COMPLETED: it committed 2 of 3 rounds"):
        supervise(server, longer, attempts=2).run()


def test_a_job_that_a_person_aborted_is_not_submitted_again(job: Path, slept: list[float]) -> None:
    with pytest.raises(AbortedOnPurpose, match=r"a person aborted it\. The same command continues the run"):
        supervise(Server(["FINISHED:ABORTED"]), job).run()


def test_started_again_it_finds_its_job(job: Path, slept: list[float]) -> None:
    server = Server([0, KeyboardInterrupt(), 1, "FINISHED:COMPLETED"])
    server.whole = {"id-1"}
    first = supervise(server, job)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    again = supervise(server, job)
    assert again.run().job_id == "id-1"
    assert again.said == ["run pilot has job id-1 (RUNNING, attempt 1): following it"]
    third = supervise(server, job)
    assert third.run().job_id == "id-1", "a completed run is not submitted again"
    assert len(server.jobs) == 1


@pytest.mark.parametrize("complete", [True, False])
def test_dead_jobs_of_before_hide_no_complete_run_and_cost_no_attempt(
    job: Path, slept: list[float], complete: bool
) -> None:
    dead: Looks = ["gone"]
    server = Server(*[dead] * 6, ["FINISHED:ABNORMAL"], ["FINISHED:COMPLETED"])
    for attempt in range(1, 8 if complete else 7):
        send(server, job, attempt=attempt)  # type: ignore[arg-type]
    if complete:
        server.looks["id-7"] = ["FINISHED:COMPLETED"]
        server.jobs["id-7"]["status"] = "FINISHED:COMPLETED"
    server.whole = {"id-7"} if complete else {"id-8"}
    run = supervise(server, job, attempts=2)
    assert run.run().job_id == ("id-7" if complete else "id-8")
    assert slept == ([] if complete else [10])
    assert len(run.ended) == (1 if complete else 8)


def test_a_dead_job_that_was_followed_while_it_lived_is_a_setback(job: Path, slept: list[float]) -> None:
    server = Server([0, 1, "gone"])
    send(server, job, attempt=1)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="1 attempts are spent"):
        supervise(server, job, attempts=1).run()


def test_a_job_that_arrived_although_the_answer_did_not_is_not_submitted_twice(
    job: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(["FINISHED:COMPLETED"])
    server.whole = {"id-1"}
    submit = server.submit_job

    def lost(folder: str) -> str:
        submit(folder)
        raise ConnectionError("lost")

    monkeypatch.setattr(server, "submit_job", lost)
    assert supervise(server, job).run().job_id == "id-1"
    assert len(server.jobs) == 1


def test_it_waits_for_the_sites_of_the_run(job: Path, slept: list[float]) -> None:
    server = Server([0, "FINISHED:ABNORMAL"])
    run = supervise(server, job, patience=60.0)
    look = server.get_job_status

    def leave(job_id: str) -> str:
        status = look(job_id)
        if status.startswith("FINISHED"):
            server.sites = ["lake"]
        return status

    server.get_job_status = leave  # type: ignore[method-assign]
    with pytest.raises(ConnectionError, match="site north was not connected for 60 s"):
        run.run()
    assert run.said[-1] == "waiting for site north"
    assert len(server.jobs) == 1


def test_a_job_whose_run_cannot_be_continued_is_refused(tmp_path: Path) -> None:
    job = package_job("local_pretrain", out=tmp_path, settings=MODEL)
    with pytest.raises(InputError, match="run_name must be set"):
        supervise(Server(), job).run()


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (StopNote(INPUT, OTHER), "seed: 1 in the run, 2 in this job : the job. Package it again"),
        (
            StopNote(SITE_INPUT, "2 of 2. site lake could not work: no table."),
            "site lake could not work: no table",
        ),
    ],
)
def test_what_no_other_job_can_mend_ends_the_run(job: Path, slept: list[float], note: StopNote, said: str) -> None:
    server = Server([0, "FINISHED:EXECUTION_EXCEPTION"])
    server.stops = {"id-1": note}
    run = supervise(server, job)
    with pytest.raises(RuntimeError, match="Another job would end in the same way: mend this first") as error:
        run.run()
    assert said in str(error.value)
    assert (len(server.jobs), slept) == (1, [])
    assert run.ended[-1].lasting


@pytest.mark.parametrize("code", [ANSWERS, STORAGE, NOT_YET])
def test_what_may_pass_is_tried_again(job: Path, slept: list[float], code: str) -> None:
    server = Server(["FINISHED:EXECUTION_EXCEPTION"], ["FINISHED:COMPLETED"])
    server.stops, server.whole = {"id-1": StopNote(code, "one")}, {"id-2"}
    assert supervise(server, job).run().job_id == "id-2"


def test_a_site_that_the_controller_missed_is_waited_for(job: Path, slept: list[float]) -> None:
    server = Server(["FINISHED:EXECUTION_EXCEPTION"])
    server.stops = {"id-1": StopNote(NOT_YET, "sites must be the sites of the run, got no east", {"east": "away"})}
    with pytest.raises(ConnectionError, match="site east was not connected for 60 s"):
        supervise(server, job, patience=60.0).run()


def test_a_class_that_a_site_refuses_is_not_called_a_person(job: Path, slept: list[float]) -> None:
    server = Server(["FINISHED:ABORTED"])
    server.reported = "Aborting job id-1 due to reported failure from north: unsafe component\n"
    with pytest.raises(RuntimeError, match=r"site north refuses a class of the job.*mend this first"):
        supervise(server, job).run()


def test_a_site_that_cannot_start_a_job_twice_ends_the_run(job: Path, slept: list[float]) -> None:
    server = Server(["FINISHED:ABNORMAL"], ["FINISHED:ABNORMAL"])
    server.reported = "Failing job id-1 due to reported failure from north: infrastructure error\n"
    with pytest.raises(RuntimeError, match=r"site north could not start.*mend this first"):
        supervise(server, job).run()
    assert len(server.jobs) == 2


def test_a_site_that_is_back_gets_the_next_job_after_a_committed_round(job: Path, slept: list[float]) -> None:
    server = Server([0, 0, 1, 1, 2, 3], [2, "FINISHED:COMPLETED"])
    server.whole, server.idle = {"id-2"}, ["north"]
    run = supervise(server, job, segment_rounds=2)
    assert run.run().job_id == "id-2"
    assert server.aborted == ["id-1"]
    assert run.said[1] == "site north is back: ended job id-1 after round 2, to go on with north"
    assert run.ended[0].status == "SEGMENT_END"
    assert slept == [], "a segment that ended is no setback"


@pytest.mark.parametrize(("idle", "rounds"), [([], 1), (["east"], 1), (["north"], 0), (["north"], 4)])
def test_a_job_goes_on_without_a_site_to_take_in(job: Path, slept: list[float], idle: list[str], rounds: int) -> None:
    server = Server([0, 1, 2, 3, 4, "FINISHED:COMPLETED"])
    server.whole, server.idle = {"id-1"}, idle
    assert supervise(server, job, segment_rounds=rounds).run().job_id == "id-1"
    assert server.aborted == []


@pytest.mark.parametrize("rounds", [0, 1])
def test_a_job_that_needs_a_restarted_site_is_ended_at_once(job: Path, slept: list[float], rounds: int) -> None:
    server = Server([0] * 99, [1, "FINISHED:COMPLETED"])
    server.whole = {"id-2"}
    status, looks = server.get_client_job_status, count()

    def restarted() -> list[dict[str, str]]:
        server.idle = ["north"] if next(looks) >= 2 and len(server.jobs) == 1 else []
        return status()

    server.get_client_job_status = restarted  # type: ignore[method-assign]
    run = supervise(server, job, segment_rounds=rounds)
    assert run.run().job_id == "id-2"
    assert server.aborted == ["id-1"]
    told = "job id-1 ended as FINISHED:ABORTED: site north was restarted, so its process of the job is gone"
    assert run.said[1] == f"{told}; attempt 2 of 5 in 10 s"
    assert slept == [10.0], "a site that is restarted again and again must spend the attempts"


def test_one_look_at_an_idle_site_ends_no_job(job: Path, slept: list[float]) -> None:
    server = Server([0] * 60 + ["FINISHED:COMPLETED"])
    server.whole = {"id-1"}
    status, looks = server.get_client_job_status, count()

    def ending() -> list[dict[str, str]]:
        server.idle = ["north"] if next(looks) % 2 else []
        return status()

    server.get_client_job_status = ending  # type: ignore[method-assign]
    assert supervise(server, job).run().job_id == "id-1"
    assert server.aborted == []
    assert next(looks) > 4


def test_a_site_that_the_quorum_does_not_need_may_be_restarted(job: Path, slept: list[float]) -> None:
    change_settings(job, {"min_clients": 1})
    server = Server([0] * 60 + ["FINISHED:COMPLETED"])
    server.whole = {"id-1"}
    status, looks = server.get_client_job_status, count()

    def restarted() -> list[dict[str, str]]:
        server.idle = ["north"] if next(looks) >= 1 else []
        return status()

    server.get_client_job_status = restarted  # type: ignore[method-assign]
    assert supervise(server, job).run().job_id == "id-1"
    assert server.aborted == []


def test_a_job_that_a_restarted_server_left_is_dead_at_once(job: Path, slept: list[float]) -> None:
    server = Server([0, 1, *["gone"] * 99], ["FINISHED:COMPLETED"])
    server.whole = {"id-2"}
    run = supervise(server, job)
    submit = server.submit_job

    def scheduled(folder: str) -> str:
        job_id = submit(folder)
        server.jobs[job_id]["last_schedule_time"] = 99.0
        return job_id

    server.submit_job = scheduled  # type: ignore[method-assign]
    assert run.run().job_id == "id-2"
    assert len(server.looks["id-1"]) > 90, "3 s are enough"


def test_completed_without_results_is_not_followed_again(job: Path, slept: list[float]) -> None:
    server = Server([0, "FINISHED:COMPLETED"], ["FINISHED:COMPLETED"])
    server.stops, server.whole = {"id-1": StopNote(ANSWERS, "too few")}, {"id-2"}
    assert supervise(server, job).run().job_id == "id-2"


def test_an_order_to_end_a_job_whose_answer_is_lost_is_still_ours(
    job: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server([0, 1, 1, 1, "FINISHED:COMPLETED"], ["FINISHED:COMPLETED"])
    server.whole, server.idle = {"id-2"}, ["north"]
    given = server.abort_job

    def lost(job_id: str) -> None:
        given(job_id)
        raise InternalError("the answer came too late")

    monkeypatch.setattr(server, "abort_job", lost)
    assert supervise(server, job).run().job_id == "id-2"
    assert server.aborted == ["id-1"]


def test_a_server_that_knows_no_client_for_a_moment_ends_no_run(
    job: Path, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server([0, 0, 1, "FINISHED:COMPLETED"])
    server.whole = {"id-1"}

    def none() -> list[dict[str, str]]:
        raise NoClientsAvailable("no clients")

    monkeypatch.setattr(server, "get_client_job_status", none)
    assert supervise(server, job).run().job_id == "id-1"
