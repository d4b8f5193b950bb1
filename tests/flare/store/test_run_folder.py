from __future__ import annotations

import stat
from pathlib import Path

import pytest

from fedaid.errors import InputError
from fedaid.flare.store.run_folder import run_folder


def test_by_default_a_run_is_in_the_kit_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    folder = run_folder("pilot", tmp_path, tmp_path / "local", {}, machine="server")
    assert folder == tmp_path / "fedaid_runs" / "pilot"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)] == [0o700, 0o700]


def test_the_servers_own_setting_wins_over_the_kit_and_the_environment_over_both(tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.mkdir()
    (local / "fedaid_server.json").write_text(f'{{"run_store": "{tmp_path}/disk"}}')
    assert run_folder("pilot", tmp_path, local, {}, machine="server") == tmp_path / "disk" / "pilot"
    environ = {"FEDAID_RUN_STORE": f"{tmp_path}/all/{{site}}"}
    assert run_folder("pilot", tmp_path, local, environ, machine="oak") == tmp_path / "all" / "oak" / "pilot"


@pytest.mark.parametrize("name", ["", "..", "../other", "/etc", ".hidden", "a/b", "a\nb", "x" * 101, "é"])
def test_a_name_that_is_no_folders_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run_name must be letters, digits"):
        run_folder(name, tmp_path, tmp_path, {}, machine="server")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"run_store": "here"}', "run_store must be an absolute path"),
        ('{"run_stor": "/here"}', "fedaid_server.json must hold known keys only, got 'run_stor'"),
        ('{"run_store": 1}', "run_store must be a path as text, got 1"),
        ("[]", "fedaid_server.json must be a JSON object, got list"),
        ("{", "fedaid_server.json must be readable JSON in UTF-8"),
    ],
)
def test_an_invalid_setting_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "fedaid_server.json").write_text(text)
    with pytest.raises(InputError, match=reason):
        run_folder("pilot", tmp_path, tmp_path, {}, machine="server")


def test_a_kit_that_a_container_has_in_memory_is_refused(tmp_path: Path, other_file_system: Path) -> None:
    kit = other_file_system
    (kit / "local").symlink_to(tmp_path)
    with pytest.raises(InputError, match=r"run_store must outlive the job, got a kit in memory.*FEDAID_RUN_STORE"):
        run_folder("pilot", kit, kit / "local", {}, machine="oak")
    environ = {"FEDAID_RUN_STORE": str(tmp_path / "mounted")}
    assert run_folder("pilot", kit, kit / "local", environ, machine="oak") == tmp_path / "mounted" / "pilot"
