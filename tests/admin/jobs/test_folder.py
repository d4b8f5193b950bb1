from __future__ import annotations

from pathlib import Path

import pytest

from admin.jobs.folder import config_files, path_in_job, read_object, require_job_name, require_plain_files
from fedaid.errors import InputError


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "be readable JSON"),
        (b"[]", "be an object, got list"),
        (b'{"a": 1, "a": 2}', "the key 'a' twice"),
        (b'{"b": {"a": 1, "a": 2}}', "the key 'a' twice"),
        (b'{"a": "\xff"}', "be readable JSON"),
    ],
)
def test_a_file_that_is_no_plain_json_object_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "meta.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=complaint):
        read_object(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="FileNotFoundError"):
        read_object(tmp_path / "meta.json")


def test_the_configs_of_a_deployed_app_are_found(trivial_job: Path) -> None:
    assert [file.name for file in config_files(trivial_job)] == ["config_fed_server.json", "config_fed_client.json"]


def test_an_app_without_config_is_refused(trivial_job: Path) -> None:
    (trivial_job / "meta.json").write_text('{"deploy_map": {"elsewhere": ["@ALL"]}}')
    with pytest.raises(InputError, match=r"app must have a config file, got elsewhere"):
        config_files(trivial_job)


def test_a_job_that_deploys_nothing_is_refused(trivial_job: Path) -> None:
    (trivial_job / "meta.json").write_text('{"deploy_map": {}}')
    with pytest.raises(InputError, match="deploy_map must name an app"):
        config_files(trivial_job)


def test_a_link_is_refused_even_to_a_folder_of_the_job(trivial_job: Path) -> None:
    (trivial_job / "app" / "again").symlink_to(trivial_job / "app" / "config")
    with pytest.raises(InputError, match="hold no symbolic link"):
        require_plain_files(trivial_job)


def test_a_file_name_with_a_space_is_refused(trivial_job: Path) -> None:
    (trivial_job / "app" / "my notes.txt").touch()
    with pytest.raises(InputError, match=r"file name must be letters.*, got 'my notes\.txt'"):
        require_plain_files(trivial_job)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="job must be a folder with files"):
        require_plain_files(tmp_path)


@pytest.mark.parametrize("name", ["", ".hidden", "my job", "a/b", "größe"])
def test_a_job_name_that_flare_refuses_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="job name"):
        require_job_name(name)


def test_a_message_shows_a_file_from_its_job_on(tmp_path: Path) -> None:
    assert path_in_job(tmp_path / "job" / "meta.json") == "job/meta.json"
    assert path_in_job(tmp_path / "job" / "app" / "config" / "c.json") == "job/app/config/c.json"
