from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nvflare.utils.job_launcher_utils import get_job_launcher_spec, get_portable_resource_spec

from admin.__main__ import main
from admin.jobs.package import package_job
from fedaid.errors import InputError


def packaged(tmp_path: Path, source_jobs: Path, **settings: object) -> dict[str, Any]:
    job = package_job("trivial", out=tmp_path, jobs=source_jobs, settings=settings)
    meta: dict[str, Any] = json.loads((job / "meta.json").read_text())
    return meta


def test_resources_hold_for_every_site_as_flare_reads_them(tmp_path: Path, source_jobs: Path) -> None:
    meta = packaged(tmp_path, source_jobs, resources={"num_of_gpus": 1, "memory": "12Gi"})
    for site in ("lake", "north"):
        assert get_portable_resource_spec(meta, site) == {"num_of_gpus": 1, "memory": "12Gi"}


def test_a_site_can_have_resources_of_its_own(tmp_path: Path, source_jobs: Path) -> None:
    meta = packaged(tmp_path, source_jobs, resources={"@default": {"num_of_gpus": 1}, "lake": {"num_of_gpus": 0}})
    assert get_portable_resource_spec(meta, "lake") == {"num_of_gpus": 0}
    assert get_portable_resource_spec(meta, "north") == {"num_of_gpus": 1}


def test_the_launcher_finds_its_options(tmp_path: Path, source_jobs: Path) -> None:
    meta = packaged(tmp_path, source_jobs, launcher={"docker": {"shm_size": "2g"}, "k8s": {"pending_timeout": 60}})
    assert get_job_launcher_spec(meta, "lake", "docker") == {"shm_size": "2g"}
    assert get_job_launcher_spec(meta, "lake", "k8s") == {"pending_timeout": 60}


def test_without_them_meta_json_is_as_before(tmp_path: Path, source_jobs: Path) -> None:
    meta = packaged(tmp_path, source_jobs)
    assert (meta["resource_spec"], "launcher_spec" in meta) == ({}, False)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("resources", {"num_of_gpus": -1}, "num_of_gpus must be an integer greater than or equal to 0"),
        ("resources", {"num_of_gpus": True}, "num_of_gpus must be an integer"),
        ("resources", {"memory": "lots"}, "memory must be a positive integer followed by Mi, Gi, or Ti"),
        ("resources", {"num_gpus": 1}, "be an object with memory, num_of_cpus, num_of_gpus"),
        ("resources", 1, "be an object with"),
        ("resources", {"@default": {"gpus": 1}}, "unsupported field"),
        ("launcher", {"podman": {"image": "x"}}, "unknown launcher mode|be an object with"),
        ("launcher", {"docker": {"volumes": ["/:/host"]}}, "unsupported job-controlled Docker option"),
        ("launcher", {"docker": "image"}, "must be a dict"),
    ],
)
def test_what_flares_server_would_refuse_is_refused_here(
    setting: str, value: object, said: str, tmp_path: Path, source_jobs: Path
) -> None:
    with pytest.raises(InputError, match=f"(?s)^{setting} must .*({said})"):
        packaged(tmp_path, source_jobs, **{setting: value})


def test_one_need_in_two_forms_is_refused(tmp_path: Path, source_jobs: Path) -> None:
    needs = {"resources": {"num_of_gpus": 1}, "launcher": {"docker": {"num_of_gpus": 2}}}
    with pytest.raises(InputError, match="conflicts with launcher_spec docker"):
        packaged(tmp_path, source_jobs, **needs)


def test_the_command_line_takes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--set", 'resources={"num_of_gpus":1}', "--out", str(tmp_path)]
    assert main(["package", "fedaid_pretrain", *words]) == 0
    meta = json.loads((tmp_path / "fedaid_pretrain" / "meta.json").read_text())
    assert meta["resource_spec"] == {"@default": {"num_of_gpus": 1}}
    assert capsys.readouterr().err == ""
