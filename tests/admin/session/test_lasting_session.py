from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.fuel.flare_api.api_spec import AuthenticationError, JobNotFound, NoConnection, SessionClosed

from admin.session import lasting_session as module
from admin.session import login
from admin.session.lasting_session import lasting_session


class Server:
    """Answers each request with the next of ``answers``; each login raises the next of ``logins``, or works."""

    def __init__(self, answers: list[Any], logins: list[Exception | None]) -> None:
        self.answers, self.logins, self.opened, self.closed = answers, [None, *logins], 0, 0

    def get_job_status(self, job_id: str) -> str:
        return self.answer()

    def submit_job(self, folder: str) -> str:
        return self.answer()

    def answer(self) -> str:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    @contextmanager
    def log_in(self, kit: Path) -> Iterator[Server]:
        error = self.logins.pop(0) if self.logins else None
        if error:
            raise error
        self.opened += 1
        try:
            yield self
        finally:
            self.closed += 1


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    (tmp_path / "startup").mkdir()
    content = {"admin": {"host": "here", "port": 8003}}
    (tmp_path / "startup" / "fed_admin.json").write_text(json.dumps(content))
    return tmp_path


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between two logins; nothing sleeps."""
    found: list[float] = []
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=found.append, monotonic=lambda: sum(found)))
    return found


def ask(server: Server, kit: Path, monkeypatch: pytest.MonkeyPatch, *, patience: float = 100.0) -> list[str]:
    monkeypatch.setattr(login, "admin_session", server.log_in)
    said: list[str] = []
    with lasting_session(kit, patience=patience, say=said.append) as session:
        said.append(session.get_job_status("id"))
    return said


@pytest.mark.parametrize(
    "lost", [NoConnection("x"), SessionClosed("x"), ConnectionError("x"), AuthenticationError("x")]
)
def test_a_request_is_repeated_after_a_new_login(
    lost: Exception, kit: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    down: list[Exception | None] = [ConnectionError("refused"), ConnectionError("refused")]
    server = Server([lost, "RUNNING"], down)
    assert ask(server, kit, monkeypatch) == [
        "lost the connection to here:8003: x; trying again for 100 s",
        "connected to here:8003 again after 14 s",
        "RUNNING",
    ]
    assert pauses == [2, 4, 8]
    assert (server.opened, server.closed) == (2, 2)


def test_the_pauses_are_bounded_and_end(kit: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server([NoConnection("x")], [ConnectionError("refused")] * 99)
    with pytest.raises(ConnectionError, match="no connection to here:8003 for 100 s: x"):
        ask(server, kit, monkeypatch)
    assert pauses == [2, 4, 8, 16, 30, 30, 10]


def test_the_first_login_is_not_repeated(kit: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server([], [])
    server.logins = [ConnectionError("cannot log in")]
    with pytest.raises(ConnectionError, match="cannot log in"):
        ask(server, kit, monkeypatch)
    assert pauses == []


def test_a_refusal_is_no_lost_connection(kit: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="the server refused: no such job"):
        ask(Server([JobNotFound("no such job")], []), kit, monkeypatch)
    assert pauses == []


def test_a_job_is_not_submitted_twice(kit: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server([NoConnection("x"), "id-1"], [])
    monkeypatch.setattr(login, "admin_session", server.log_in)
    with lasting_session(kit, say=lambda line: None) as session:
        with pytest.raises(ConnectionError, match="lost the connection during submission"):
            session.submit_job("folder")
        assert server.answers == ["id-1"]


def test_flares_own_lines_about_the_connection_do_not_reach_the_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(login, "admin_session", Server([], []).log_in)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    with lasting_session(tmp_path, say=print):
        assert [type(handler) for handler in root.handlers] == [logging.NullHandler]
