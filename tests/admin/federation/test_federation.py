from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.federation.federation import free_port, require_data_roots, require_stopped
from admin.federation.kit_process import end, family
from admin.federation.record import read_record, write_record
from admin.federation.start import start_processes
from fedaid.errors import InputError
from tests.admin.fake_federation import SLEEP, FakeFederation


def fake(tmp_path: Path, **scripts: str) -> FakeFederation:
    (tmp_path / "data").mkdir(exist_ok=True)
    return FakeFederation(tmp_path / "run", dict.fromkeys(("a", "b"), tmp_path / "data"), scripts=scripts)


def nothing_left(federation: FakeFederation) -> bool:
    record = read_record(federation.workspace)
    assert record is not None
    return family(record.processes, mark=record.mark) == set()


def test_a_site_that_ends_while_starting_is_named_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=r"b ended while starting: see .*/run/console/b\.txt"):
        fake(tmp_path, b="echo wrong certificate; exit 1").start()
    assert (tmp_path / "run" / "console" / "b.txt").read_text() == "wrong certificate\n"


def test_a_failed_start_leaves_no_process(tmp_path: Path) -> None:
    federation = fake(tmp_path, b="exit 1")
    with pytest.raises(ConnectionError):
        federation.start()
    assert nothing_left(federation)


@pytest.mark.parametrize("reason", [KeyboardInterrupt, SystemExit(143), ZeroDivisionError])
def test_whatever_interrupts_the_start_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: BaseException | type[BaseException]
) -> None:
    def interrupt(*args: object, **named: object) -> None:
        raise reason

    monkeypatch.setattr("admin.federation.federation.wait_until_connected", interrupt)
    federation = fake(tmp_path)
    with pytest.raises(reason if isinstance(reason, type) else type(reason)), federation:
        pytest.fail("started")
    assert nothing_left(federation)


@pytest.mark.parametrize("reason", [KeyboardInterrupt, ZeroDivisionError])
def test_whatever_leaves_the_block_ends_the_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: type[BaseException]
) -> None:
    monkeypatch.setattr("admin.federation.federation.wait_until_connected", lambda *args, **named: None)
    federation = fake(tmp_path)

    def work() -> None:
        with federation:
            assert len(federation.record.processes) == 3
            raise reason

    with pytest.raises(reason):
        work()
    assert nothing_left(federation)


def test_a_site_finds_its_data_root_in_its_kit(tmp_path: Path) -> None:
    federation = fake(tmp_path, a="exit 1")
    with pytest.raises(ConnectionError):
        federation.start()
    told = json.loads((tmp_path / "run/kits/a/local/fedaid_site.json").read_text())
    assert told == {"data_root": str(tmp_path / "data")}


def test_a_running_federations_workspace_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admin.federation.federation.wait_until_connected", lambda *args, **named: None)
    with fake(tmp_path), pytest.raises(InputError, match="belong to a stopped federation"):
        require_stopped(tmp_path / "run")
    require_stopped(tmp_path / "run")


def test_a_workspace_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="be absent, empty, or a federation's"):
        require_stopped(tmp_path)


@pytest.mark.parametrize("roots", [["a"], ["a", "b", "c"], []])
def test_data_roots_name_exactly_the_sites(tmp_path: Path, roots: list[str]) -> None:
    with pytest.raises(InputError, match="data_roots must name exactly the sites"):
        require_data_roots(["a", "b"], dict.fromkeys(roots, tmp_path))


def test_a_data_root_must_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="data root must be a folder"):
        require_data_roots(["a"], {"a": tmp_path / "none"})


def test_kits_are_known_only_once_started(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = fake(tmp_path).lead_kit


def test_ports_are_free_and_differ() -> None:
    assert len({free_port() for _ in range(5)}) > 1


def test_a_process_of_the_mark_that_no_record_lists_still_counts_as_running(tmp_path: Path) -> None:
    federation = fake(tmp_path, server=SLEEP)
    federation.workspace.mkdir()
    record = federation.make_kits()
    started = start_processes(record, workspace=federation.workspace)
    try:
        write_record(federation.workspace, started.with_processes([]))
        with pytest.raises(InputError, match="a running one"):
            require_stopped(federation.workspace)
    finally:
        end(family(started.processes, mark=started.mark))
