from __future__ import annotations

from typing import Any

import pytest

from admin.__main__ import main
from admin.session.follow import Progress, monitor


class Server:
    """Answers as a session does: one status a look, and stats or the failure to give them."""

    def __init__(self, statuses: list[str], stats: list[object]) -> None:
        self.statuses, self.stats = statuses, stats

    def get_job_status(self, job_id: str) -> str:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def show_stats(self, job_id: str, target: str) -> Any:
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
    with pytest.raises(TimeoutError, match="job id is still RUNNING after 0 s; it goes on"):
        follow(Server(["RUNNING"], [{}] * 100), timeout=0.02)


def test_a_server_that_is_gone_is_a_lost_connection() -> None:
    class Gone(Server):
        def get_job_status(self, job_id: str) -> str:
            raise ConnectionError("cannot connect to server")

    with pytest.raises(ConnectionError):
        follow(Gone([], []))


def test_without_a_kit_the_command_ends_with_1(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", "id", "--kit", str(tmp_path)]) == 1
    assert "kit must be an admin's startup kit" in capsys.readouterr().err
