from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from admin.federation.project_file import as_project, read_project, with_port
from fedaid.errors import InputError

DEFAULT_PROJECT = Path("admin/project.yml")


def test_the_projects_own_file_names_a_server_three_hospitals_an_admin_and_a_lead() -> None:
    project = read_project(DEFAULT_PROJECT)
    assert project.server == "fl-server"
    assert len(project.sites) == 3
    assert (project.project_admin, project.lead) == ("admin@consortium.org", "lead@consortium.org")


@pytest.mark.parametrize("role", ["project_admin", "lead"])
def test_a_project_needs_its_people(role: str) -> None:
    content = yaml.safe_load(DEFAULT_PROJECT.read_text())
    content["participants"] = [person for person in content["participants"] if person.get("role") != role]
    with pytest.raises(InputError, match=f"name a participant with role: {role}"):
        as_project(content, where="project.yml")


def test_a_project_needs_a_server() -> None:
    with pytest.raises(InputError, match="name a participant with type: server"):
        as_project({"participants": []}, where="project.yml")


@pytest.mark.parametrize("content", [b"participants: {", b"just text", b"participants: none", b""])
def test_a_file_that_is_no_project_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "project.yml").write_bytes(content)
    with pytest.raises(InputError, match="project file must"):
        read_project(tmp_path / "project.yml")


def test_for_a_trial_only_the_server_is_moved() -> None:
    project = read_project(DEFAULT_PROJECT)
    moved = with_port(project, 9123)["participants"]
    assert {key: moved[0][key] for key in ("fed_learn_port", "admin_port", "default_host")} == {
        "fed_learn_port": 9123,
        "admin_port": 9123,
        "default_host": "localhost",
    }
    assert moved[1:] == project.content["participants"][1:]
