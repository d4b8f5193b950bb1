"""A job like one that exists, with changed settings: everything else is equal, and its run is a new one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.jobs.cloned_job import clone_job, differences
from admin.jobs.package import package_job
from admin.jobs.settings import settable
from fedaid.errors import InputError

CHOSEN = {"num_rounds": 7, "min_clients": 3, "batch_size": 4}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packaged job."""
    return package_job("fedaid_pretrain", out=tmp_path_factory.mktemp("jobs"), settings=CHOSEN, run_name="pilot")


@pytest.fixture
def downloaded(job: Path, tmp_path: Path) -> Path:
    """The download of that job: FLARE has signed it, and it was the second of its run, without a site."""
    folder = tmp_path / "results" / "id"
    (folder / "workspace" / "app_server").mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps({"job_id": "id", "deploy_map": {"app": ["@ALL"]}}))
    copy = Path(shutil.copytree(job, folder / "job" / job.name))
    for signed in (copy, copy / "app"):
        (signed / ".__nvfl_sig.json").write_text("{}")
        (signed / ".__nvfl_submitter.crt").write_text("")
    file = copy / "app" / "config" / "config_fed_server.json"
    file.write_text(
        file.read_text().replace('"attempt": 1', '"attempt": 2').replace('"without": []', '"without": ["c"]')
    )
    return folder


def changed(before: Path, after: Path) -> dict[str, object]:
    old, new = settable(before), settable(after)
    assert old.keys() == new.keys()
    return {name.rpartition(".")[2]: new[name] for name in new if new[name] != old[name]}


@pytest.mark.parametrize("part", ["", "workspace", "job/fedaid_pretrain"])
def test_only_what_is_set_and_the_run_change(part: str, downloaded: Path, job: Path, tmp_path: Path) -> None:
    made = clone_job(downloaded / part, out=tmp_path / "new", settings={"num_rounds": 9}, rename="longer")
    found = changed(job, made)
    assert str(found.pop("run_name")).startswith("longer-")
    assert found == {"num_rounds": 9}
    assert json.loads((made / "meta.json").read_text())["name"] == "longer"
    assert list(made.rglob(".__nvfl_*")) == []
    files = {path.relative_to(made) for path in made.rglob("*.py")}
    assert files == {path.relative_to(job) for path in job.rglob("*.py")}


def test_the_run_continues_if_it_is_named(downloaded: Path, job: Path, tmp_path: Path) -> None:
    made = clone_job(downloaded, out=tmp_path / "new", settings={}, run_name="pilot")
    assert changed(job, made) == {"attempt": 2, "without": ["c"]}


def test_other_code_and_a_site_that_comes_back_are_told(downloaded: Path, job: Path, tmp_path: Path) -> None:
    source = downloaded / "job" / job.name
    meta = json.loads((source / "meta.json").read_text())
    (source / "app" / "custom" / "fedaid" / "old.py").write_text("")
    meta["custom_props"]["fedaid_code"] = "0123456789ab"
    (source / "meta.json").write_text(json.dumps(meta))
    made = clone_job(downloaded, out=tmp_path / "new", settings={})
    assert not (made / "app" / "custom" / "fedaid" / "old.py").exists()
    first, second = differences(source, made)
    assert "the source had 0123456789ab" in first
    assert second == "c left the source's run, and takes part in the clone if connected"


def test_a_job_without_code_stays_one(tmp_path: Path) -> None:
    source = package_job("fedavg_pretrain", out=tmp_path / "jobs", code=False)
    made = clone_job(source, out=tmp_path / "jobs", settings={}, rename="again")
    assert list(made.rglob("*.py")) == []
    assert json.loads((made / "meta.json").read_text())["custom_props"]["fedaid_code_installed"] is True


def test_the_source_is_not_replaced(job: Path) -> None:
    with pytest.raises(InputError, match=r"not replace the one that is cloned.*--rename"):
        clone_job(job, out=job.parent, settings={"num_rounds": 2})
    assert job.is_dir()


@pytest.mark.parametrize("name", ["unknown_setting", "batch_sise"])
def test_a_wrong_setting_leaves_nothing(name: str, job: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=name):
        clone_job(job, out=tmp_path / "new", settings={name: 1}, rename="other")
    assert list((tmp_path / "new").iterdir()) == []


def test_the_verb_clones_and_refuses_what_the_source_decides(
    job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["package", "--clone", str(job), "--out", str(tmp_path / "new"), "--set", "num_rounds=8"]
    assert main(command) == 0
    made = tmp_path / "new" / job.name
    assert capsys.readouterr().out == f"{made}\n"
    assert changed(job, made)["num_rounds"] == 8
    assert main([*command, "--method", "fedprox"]) == 1
    assert "--clone takes no --method: the source has it" in capsys.readouterr().err
    assert main(["package", "--clone", str(tmp_path)]) == 1
    assert "--clone must hold a job" in capsys.readouterr().err
