from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.fuel.flare_api.api_spec import AuthorizationError, JobNotRunning, NoClientsAvailable
from nvflare.private.fed.server.job_runner import WORKSPACE_SAVE_RETRY_GRACE_TIME, JobRunner

from admin.__main__ import main
from admin.session import follow as follow_module
from admin.session import job_process
from admin.session.follow import DEAD_AFTER, DeadJob, JobWatch, Progress, monitor, watch
from admin.session.job_progress import absent_reasons


class Server:
    """Answers as a session does: one status a look, and stats or the failure to give them."""

    def __init__(self, statuses: list[str], stats: list[object]) -> None:
        self.statuses, self.stats = statuses, stats

    def get_job_status(self, job_id: str) -> str:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def show_stats(self, job_id: str, target: str) -> Any:
        if target == "client" and not isinstance(self.stats[0], JobNotRunning):
            return {"lake": {"ClientRunner": {}}}
        answer = self.stats.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def follow(server: Server, timeout: float = 10.0) -> tuple[str, list[Progress]]:
    seen: list[Progress] = []
    status = monitor(server, "id", on_progress=seen.append, timeout=timeout, poll=0.001)
    return status, seen


def test_the_final_status_is_returned() -> None:
    assert follow(Server(["SUBMITTED", "RUNNING", "FINISHED:COMPLETED"], [{}, {}]))[0] == "FINISHED:COMPLETED"


def test_progress_is_reported_while_the_job_runs(running_stats: dict[str, Any]) -> None:
    _, seen = follow(Server(["RUNNING", "RUNNING", "FINISHED:COMPLETED"], [running_stats, running_stats]))
    assert [progress.current_round for progress in seen] == [1, 1]


def test_stats_that_fail_in_the_first_seconds_are_tolerated(running_stats: dict[str, Any]) -> None:
    stats = [RuntimeError("NoneType has no attribute get_widget"), running_stats]
    status, seen = follow(Server(["RUNNING", "RUNNING", "FINISHED:COMPLETED"], stats))
    assert (status, len(seen)) == ("FINISHED:COMPLETED", 1)


def test_a_job_that_does_not_end_in_time_is_a_timeout() -> None:
    with pytest.raises(
        TimeoutError, match=r"job id \(rounds committed: not known\) is still RUNNING after 0 s; it goes on"
    ):
        follow(Server(["RUNNING"], [{}] * 100), timeout=0.02)


def test_a_server_that_is_gone_is_a_lost_connection() -> None:
    class Gone(Server):
        def get_job_status(self, job_id: str) -> str:
            raise ConnectionError("cannot connect to server")

    with pytest.raises(
        ConnectionError, match=r"cannot connect to server; job id \(rounds committed: not known\) may go on"
    ):
        follow(Gone([], []))


def test_the_last_committed_round_is_told_when_it_gives_up(running_stats: dict[str, Any]) -> None:
    with pytest.raises(TimeoutError, match=r"job id \(rounds committed: 1\) is still RUNNING"):
        follow(Server(["RUNNING"], [running_stats] * 9999), timeout=0.02)


def test_a_job_without_a_process_is_dead_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(["RUNNING"], [JobNotRunning("id")] * 9999)
    watched = JobWatch(server, "id", on_progress=print, dead_after={True: 0.0, None: 0.05, False: 0.0})
    with pytest.raises(DeadJob, match=r"no process of it is left\. Submit it again"):
        watch(watched, timeout=10.0, poll=0.001)


class Ending(Server):
    """A server that was not restarted, whose process of the job has ended, and that waits for the site south."""

    started = 99.0

    def get_job_meta(self, job_id: str) -> dict[str, float]:
        return {"last_schedule_time": 100.0}

    def get_system_info(self) -> SimpleNamespace:
        return SimpleNamespace(server_info=SimpleNamespace(start_time=self.started))

    def get_client_job_status(self) -> list[dict[str, str]]:
        return [{"client_name": "south", "job_id": "id"}, {"client_name": "lake", "status": "no_jobs"}]


NO_PROCESS = {True: 0.0, None: 0.0, False: 0.2}


def test_a_job_that_ends_is_not_dead_while_its_server_waits_for_a_site() -> None:
    said: list[str] = []
    statuses = [*["RUNNING"] * 50, "FINISHED:COMPLETED"]
    server = Ending(statuses, [JobNotRunning("id")] * 99)
    after = NO_PROCESS | {False: 60.0}
    assert watch(JobWatch(server, "id", on_progress=print, say=said.append, dead_after=after), timeout=10, poll=0.001)
    assert said == [
        "job id (rounds committed: not known) has ended at the server, which waits for site south to end it too: "
        "1 min at most"
    ]


@pytest.mark.parametrize(("started", "least", "most"), [(99.0, 0.2, 5.0), (101.0, 0.0, 0.15)])
def test_it_is_dead_when_that_wait_is_over_or_the_server_was_restarted(
    started: float, least: float, most: float
) -> None:
    server = Ending(["RUNNING"], [JobNotRunning("id")] * 99999)
    server.started = started
    watched = JobWatch(server, "id", on_progress=print, dead_after=NO_PROCESS)
    begin = time.monotonic()
    with pytest.raises(DeadJob, match="no process of it is left"):
        watch(watched, timeout=10.0, poll=0.001)
    assert least <= time.monotonic() - begin < most


@pytest.mark.parametrize(
    ("committed", "hint"), [(1, ""), (2, " to fetch the results of all its rounds: no site works")]
)
def test_a_dead_job_whose_rounds_are_all_committed_is_told(
    committed: int, hint: str, running_stats: dict[str, Any]
) -> None:
    group = next(iter(running_stats["server"].values()))
    shown = {"server": {"FedAIDController": group | {"current_round": committed, "num_rounds": 2}}}
    server = Server(["RUNNING"], [shown, *[JobNotRunning("id")] * 999])
    watched = JobWatch(server, "id", on_progress=lambda _: None, dead_after=NO_PROCESS)
    with pytest.raises(DeadJob, match=rf"no process of it is left\. Submit it again{hint}$"):
        watch(watched, timeout=10.0, poll=0.001)


def test_the_wait_for_an_ending_job_is_longer_than_flare_waits_for_its_sites() -> None:
    assert DEAD_AFTER == {True: 3.0, None: 30.0, False: 1020.0}
    assert DEAD_AFTER[False] > JobRunner("").client_outcome_wait_timeout + WORKSPACE_SAVE_RETRY_GRACE_TIME


@pytest.mark.parametrize("status", ["SUBMITTED", "DISPATCHED"])
def test_a_job_that_has_not_started_is_not_dead(status: str) -> None:
    statuses, stats = [*[status] * 5, "FINISHED:COMPLETED"], [JobNotRunning("id") for _ in range(5)]
    watched = JobWatch(
        Server(statuses, list(stats)), "id", on_progress=print, dead_after=dict.fromkeys((True, None, False), 0.0)
    )
    assert watch(watched, timeout=10.0, poll=0.001) == "FINISHED:COMPLETED"


def test_without_a_kit_the_command_ends_with_1(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", "id", "--kit", str(tmp_path)]) == 1
    assert "kit must be an admin's startup kit" in capsys.readouterr().err


def test_the_controller_is_not_asked_before_a_site_has_found_it(running_stats: dict[str, Any]) -> None:
    asked: list[str] = []

    class Starting(Server):
        def show_stats(self, job_id: str, target: str) -> Any:
            asked.append(target)
            return running_stats if target == "server" else {"lake": {"ClientRunner": {}} if len(asked) > 2 else {}}

    assert len(follow(Starting(["RUNNING"] * 4 + ["FINISHED:COMPLETED"], []))[1]) == 2
    assert asked == ["client", "client", "client", "server", "server"]


@pytest.mark.parametrize("answer", [AuthorizationError("no"), {"lake": "invalid_reply"}, NoClientsAvailable("none")])
def test_the_controller_is_asked_although_no_site_may_tell(
    running_stats: dict[str, Any], answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_process, "ASK_ANYWAY", 0.0)

    class Silent(Server):
        def show_stats(self, job_id: str, target: str) -> Any:
            if target == "server":
                return running_stats
            if isinstance(answer, Exception):
                raise answer
            return answer

    assert len(follow(Silent(["RUNNING", "FINISHED:COMPLETED"], []))[1]) == 1


DEPLOYED = ["server: OK", "lake: OK", "north: ERROR: not authorized.", "south: no reply (deployment timeout)"]


class WithSites(Server):
    """Also knows what the sites answered to the job, and who is connected."""

    def __init__(self, stats: list[object], details: object) -> None:
        super().__init__(["RUNNING", "RUNNING", "FINISHED:COMPLETED"], stats)
        self.details = details

    def get_job_meta(self, job_id: str) -> Any:
        return {"job_deploy_detail": self.details}

    def get_connected_client_list(self) -> list[Any]:
        return [SimpleNamespace(name=name) for name in ("lake", "north", "south", "west")]


def said_about_sites(server: Server) -> list[str]:
    said: list[str] = []
    monitor(server, "id", on_progress=lambda _: None, timeout=10.0, say=said.append, poll=0.001)
    return said


def test_a_site_without_a_part_in_the_job_is_named_once_with_its_reason(running_stats: dict[str, Any]) -> None:
    assert said_about_sites(WithSites([running_stats, running_stats], DEPLOYED)) == [
        "site north has no part in job id, which goes on without it: ERROR: not authorized",
        "site south has no part in job id, which goes on without it: no reply (deployment timeout)",
        "site west has no part in job id, which goes on without it: it connected, or answered, too late: "
        "the server had given the job to the other sites",
    ]


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        ({}, job_process.LATE),
        ({"deploy_map": {"app": ["@ALL"]}, "resource_spec": {"west": {}}}, job_process.LATE),
        ({"deploy_map": {"app": ["server", "lake"]}}, job_process.UNNAMED),
        ({"deploy_map": {"app": ["@all"]}, "resource_spec": {"west": {"num_of_gpus": 1}}}, job_process.LATE_OR_POOR),
    ],
)
def test_the_jobs_meta_tells_why_a_connected_site_was_not_asked(meta: dict[str, Any], reason: str) -> None:
    assert job_process.why_not_asked("west", meta) == reason


def test_a_site_that_is_back_is_not_named_with_the_reason_of_an_earlier_job() -> None:
    away = {"attempt": 1, "site": "north", "reason": "it was not connected when the job started"}
    left = away | {"site": "west", "reason": "the job was packaged with --without, so the run goes on without it"}
    absences = {"absent": [away, left]}
    assert absent_reasons(absences, present=("lake", "north")) == {"west": left["reason"]}
    assert absent_reasons(absences).keys() == {"north", "west"}


@pytest.mark.parametrize("details", [None, [], ["lake: OK", "north: OK", "south: OK", "west: OK"], 7])
def test_nobody_is_named_if_all_take_part_or_flare_does_not_tell(
    details: object, running_stats: dict[str, Any]
) -> None:
    assert said_about_sites(WithSites([running_stats, running_stats], details)) == []


def test_two_machines_with_one_kit_and_an_unexpected_site_are_told_once_and_the_end_too(
    running_stats: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Alarmed(WithSites):
        texts = iter(["two machines use", "two machines use", "two machines used"])

        def _do_command(self, command: str) -> dict[str, Any]:
            if command == job_process.EXPECTED_COMMAND:
                kinds = {"west": "unexpected", "north": "missing"}
                found = [{"site": site, "kind": kind, "text": f"site {site}"} for site, kind in kinds.items()]
                return {"meta": {job_process.DIFFERENCES: found}}
            assert command == job_process.COMMAND
            return {"meta": {job_process.ALARMS: [{"site": "lake", "text": next(self.texts)}]}}

    monkeypatch.setattr(follow_module, "ALARM_SECONDS", 0.0)
    said = said_about_sites(Alarmed([running_stats, running_stats], None))
    assert said == ["ALARM: two machines use", "ALARM: site west", "ALARM: two machines used"]


def test_a_site_that_only_the_server_knows_of_is_named_with_its_reason(running_stats: dict[str, Any]) -> None:
    group = running_stats["server"]["TrivialController"]
    away = {"attempt": 1, "site": "east", "reason": "it was not connected when the job started"}
    known = {"server": {"fedaid": {**group, "absent": [away]}}}
    assert said_about_sites(WithSites([known, known], None)) == [
        "site east has no part in job id, which goes on without it: it was not connected when the job started"
    ]
