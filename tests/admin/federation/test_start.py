from __future__ import annotations

import socket
import time
from pathlib import Path

import psutil
import pytest

from admin.federation.federation import free_port
from admin.federation.kit_process import THREADS, end, family
from admin.federation.record import Record, read_record
from admin.federation.start import connected_sites, listening, require_starting, start_processes, wait_until_connected
from tests.admin.fake_federation import FakeFederation


@pytest.fixture
def started(tmp_path: Path) -> Record:
    """A record of kits that only sleep, not started yet."""
    (tmp_path / "data").mkdir()
    federation = FakeFederation(tmp_path / "run", {"a": tmp_path / "data"}, scripts={})
    federation.workspace.mkdir()
    return federation.make_kits()


def test_a_listening_port_is_told_from_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listening(server.getsockname()[1])
    assert not listening(free_port())


def test_every_process_is_on_record_once_started(started: Record, tmp_path: Path) -> None:
    record = start_processes(started, workspace=tmp_path / "run")
    try:
        assert [process.kit for process in record.processes] == ["server", "a"]
        assert read_record(tmp_path / "run") == record
    finally:
        end(family(record.processes, mark=record.mark))


def environment_of(pid: int) -> dict[str, str]:
    """The environment of a process that was just started; it is that of its parent until the program is loaded."""
    deadline = time.monotonic() + 20
    while THREADS not in (found := psutil.Process(pid).environ()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def test_a_site_has_its_share_of_the_cores_and_the_server_one(
    started: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin.federation.start.site_threads", lambda sites: 7 * sites)
    record = start_processes(started, workspace=tmp_path / "run")
    try:
        found = {kit.kit: environment_of(kit.pid)[THREADS] for kit in record.processes}
    finally:
        end(family(record.processes, mark=record.mark))
    assert found == {"server": "1", "a": "7"}


def test_a_server_that_never_listens_is_a_timeout_that_names_it(started: Record, tmp_path: Path) -> None:
    record = start_processes(started, workspace=tmp_path / "run")
    try:
        with pytest.raises(ConnectionError, match="not connected in time: server; see"):
            wait_until_connected(record, port=free_port(), logs=tmp_path, seconds=0.3)
    finally:
        end(family(record.processes, mark=record.mark))


def test_sites_that_are_late_are_named(started: Record, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match="not connected in time: a, b"):
        require_starting(started, logs=tmp_path, deadline=time.monotonic() - 1, missing=["a", "b"])


def test_without_a_server_no_site_is_connected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(kit: Path, *, timeout: float) -> None:
        raise ConnectionError("cannot log in")

    monkeypatch.setattr("admin.federation.start.admin_session", refuse)
    assert connected_sites(tmp_path, timeout=1.0) == set()
