from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nvflare.fuel.flare_api.api_spec import JobNotDone

from admin.federation.kit_process import family
from admin.federation.record import read_record
from admin.federation.start import start_processes
from admin.federation.stop import ask_to_leave, stop_federation
from fedaid.errors import InputError
from tests.admin.fake_federation import FakeFederation


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """The workspace of processes that only sleep, and answer nobody."""
    (tmp_path / "data").mkdir()
    federation = FakeFederation(tmp_path / "run", {"a": tmp_path / "data"}, scripts={})
    federation.workspace.mkdir()
    start_processes(federation.make_kits(), workspace=federation.workspace)
    return federation.workspace


def log_in(monkeypatch: pytest.MonkeyPatch, answer: Exception | None) -> None:
    class Session:
        def shutdown(self, target: str, *, wait: bool) -> None:
            if answer is not None:
                raise answer

    @contextmanager
    def session(kit: Path, *, timeout: float) -> Iterator[Session]:
        yield Session()

    monkeypatch.setattr("admin.federation.stop.admin_session", session)


def test_processes_that_do_not_answer_are_ended(running: Path) -> None:
    record = read_record(running)
    assert record is not None
    stop_federation(running)
    assert family(record.processes, mark=record.mark) == set()


def test_processes_that_stay_after_agreeing_are_ended(running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, None)
    record = read_record(running)
    assert record is not None
    stop_federation(running, grace=0.1)
    assert family(record.processes, mark=record.mark) == set()


def test_stopping_twice_is_no_error(running: Path) -> None:
    stop_federation(running, grace=0.0)
    stop_federation(running)


def test_a_folder_without_federation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="workspace must hold a federation"):
        stop_federation(tmp_path)


@pytest.mark.parametrize(
    ("answer", "agreed", "told"),
    [
        (None, True, ""),
        (JobNotDone("job"), False, "a job is still running"),
        (ConnectionError("gone"), False, "the server did not shut down (gone)"),
    ],
)
def test_a_server_may_refuse(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    answer: Exception | None,
    agreed: bool,
    told: str,
) -> None:
    log_in(monkeypatch, answer)
    assert ask_to_leave(tmp_path) is agreed
    assert capsys.readouterr().err.startswith(told)
