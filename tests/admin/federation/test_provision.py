from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from admin.__main__ import main
from admin.federation.kit_settings import read_json
from admin.federation.project_file import read_project
from admin.federation.provision import provision
from admin.jobs.code_wheel import classes_of_jobs
from admin.results.file_hash import sha256
from fedaid.errors import InputError
from fedaid.flare.transport.exception_texts import VARIABLE
from fedaid.package_hash import code_hash

DEFAULT_PROJECT = Path("admin/project.yml")
SITES = read_project(DEFAULT_PROJECT).sites


def test_everybody_gets_a_kit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provision", "--project", str(DEFAULT_PROJECT), "--out", str(tmp_path / "out")]) == 0
    kits = {path.name for path in (tmp_path / "out" / "fedaid" / "prod_00").iterdir()}
    assert kits == {"fl-server", *SITES, "admin@consortium.org", "lead@consortium.org"}
    assert str(tmp_path / "out" / "fedaid" / "prod_00" / "fl-server") in capsys.readouterr().out.splitlines()


def test_kits_without_byoc_refuse_code_and_build_listed_classes_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["provision", "--project", str(DEFAULT_PROJECT), "--out", str(out), "--no-byoc"]) == 0
    for name in ("fl-server", *SITES):
        local = out / "fedaid" / "prod_00" / name / "local"
        rights = read_json(local / "authorization.json.default")["permissions"]
        assert {role: own["byoc"] for role, own in rights.items()} == dict.fromkeys(rights, "none")
        assert {"project_admin", "lead", "org_admin", "member"} == rights.keys()
        assert rights["project_admin"]["submit_job"] == rights["lead"]["submit_job"] == "any"
        assert "submit_job" not in rights["member"]
        resources = read_json(local / "resources.json.default")
        assert resources["class_list_enforcement_mode"] == "enforce"
        assert resources["class_allow_list"] == classes_of_jobs()
        code = read_json(local / "fedaid_code.json")
        assert code["code"] == code_hash()
        assert code["wheel_sha256"] == sha256(out / "wheel" / code["wheel"])
        assert code["wheel_sha256"] in capsys.readouterr().out or name != "fl-server"


def test_other_kits_allow_code_as_flare_does(tmp_path: Path) -> None:
    kits = provision(DEFAULT_PROJECT, out=tmp_path / "out", home=tmp_path / "home")
    rights = read_json(kits / SITES[0] / "local" / "authorization.json.default")["permissions"]
    assert rights["lead"]["byoc"] == "any"
    assert not (tmp_path / "out" / "wheel").exists()


def streaming(kits: Path) -> list[bool]:
    return [read_json(kits / site / "local" / "resources.json.default")["allow_log_streaming"] for site in SITES]


def test_no_kit_streams_its_log_unless_the_project_turns_it_on_for_a_site(tmp_path: Path) -> None:
    assert streaming(provision(DEFAULT_PROJECT, out=tmp_path / "out", home=tmp_path / "home")) == [False] * 3
    content = yaml.safe_load(DEFAULT_PROJECT.read_text())
    next(one for one in content["participants"] if one["name"] == SITES[1])["allow_log_streaming"] = True
    project = tmp_path / "project.yml"
    project.write_text(yaml.safe_dump(content))
    assert streaming(provision(project, out=tmp_path / "other", home=tmp_path / "home")) == [False, True, False]


def test_flare_hides_the_texts_of_a_sites_exceptions_in_every_site_and_not_at_the_server(tmp_path: Path) -> None:
    kits = provision(DEFAULT_PROJECT, out=tmp_path / "out", home=tmp_path / "home")
    again = provision(DEFAULT_PROJECT, out=tmp_path / "out", home=tmp_path / "home")
    for site in SITES:
        script = (again / site / "startup" / "sub_start.sh").read_text()
        assert script.splitlines()[:2] == ["#!/usr/bin/env bash", f"export {VARIABLE}=true"]
        assert script.count(VARIABLE) == 1
        assert (kits / site / "startup" / "sub_start.sh").stat().st_mode & 0o100
    assert VARIABLE not in (again / "fl-server" / "startup" / "sub_start.sh").read_text()


def test_the_folder_with_the_authoritys_key_is_private(tmp_path: Path) -> None:
    provision(DEFAULT_PROJECT, out=tmp_path / "out", home=tmp_path / "home")
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_provisioning_again_keeps_the_root_certificate(tmp_path: Path) -> None:
    first = provision(DEFAULT_PROJECT, out=tmp_path / "out", home=tmp_path / "home")
    second = provision(DEFAULT_PROJECT, out=tmp_path / "out", home=tmp_path / "home")
    assert (first.name, second.name) == ("prod_00", "prod_01")
    roots = {(kits / SITES[0] / "startup" / "rootCA.pem").read_bytes() for kits in (first, second)}
    assert len(roots) == 1


def test_nothing_is_written_to_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "user").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    assert main(["provision", "--out", str(tmp_path / "out")]) == 0
    assert list((tmp_path / "user").iterdir()) == []


def test_a_site_name_that_flare_misreads_is_refused(tmp_path: Path) -> None:
    content = yaml.safe_load(DEFAULT_PROJECT.read_text())
    content["participants"][1]["name"] = "no"
    (tmp_path / "project.yml").write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match="site must be text to FLARE"):
        provision(tmp_path / "project.yml", out=tmp_path / "out", home=tmp_path / "home")


def test_a_missing_project_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["provision", "--project", str(tmp_path / "none.yml"), "--out", str(tmp_path / "out")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
