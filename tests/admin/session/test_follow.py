from __future__ import annotations

from typing import Any

import pytest
from nvflare.fuel.flare_api.api_spec import AuthorizationError, JobNotRunning, NoClientsAvailable

from admin.__main__ import main
from admin.session import job_process
from admin.session.follow import DeadJob, JobWatch, Progress, monitor, watch


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
    watched = JobWatch(Server(["RUNNING"], [JobNotRunning("id")] * 9999), "id", on_progress=print, dead_after=0.05)
    with pytest.raises(DeadJob, match=r"no process of it is left\. Submit it again"):
        watch(watched, timeout=10.0, poll=0.001)


@pytest.mark.parametrize("status", ["SUBMITTED", "DISPATCHED"])
def test_a_job_that_has_not_started_is_not_dead(status: str) -> None:
    statuses, stats = [*[status] * 5, "FINISHED:COMPLETED"], [JobNotRunning("id") for _ in range(5)]
    watched = JobWatch(Server(statuses, list(stats)), "id", on_progress=print, dead_after=0.0)
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
