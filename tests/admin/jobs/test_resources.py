from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from nvflare.private.fed.server.job_meta_validator import JobMetaValidator
from nvflare.utils.job_launcher_utils import (
    DOCKER_JOB_LAUNCHER_KEYS,
    get_job_launcher_spec,
    get_portable_resource_spec,
)

from admin.__main__ import main
from admin.jobs.package import package_job
from admin.jobs.resources import DOCKER, EVERY_SITE, KEYS, OPTIONS
from fedaid.errors import InputError


def flare_accepts(meta: dict[str, Any]) -> bool:
    try:
        JobMetaValidator._validate_resource("trivial", meta)
        JobMetaValidator._validate_launcher_spec("trivial", meta)
    except (ValueError, AttributeError):
        return False
    return True


def packaged(tmp_path: Path, source_jobs: Path, **settings: object) -> dict[str, Any]:
    job = package_job("trivial", out=tmp_path, jobs=source_jobs, settings=settings)
    meta: dict[str, Any] = json.loads((job / "meta.json").read_text())
    assert flare_accepts(meta)
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
        ("resources", {"num_of_gpus": -1}, "num_of_gpus must be a whole number from 0, got -1"),
        ("resources", {"num_of_gpus": True}, "num_of_gpus must be a whole number from 0"),
        ("resources", {"num_of_gpus": "1"}, "num_of_gpus must be a whole number from 0"),
        ("resources", {"num_of_cpus": 0}, "num_of_cpus must be a whole number from 1"),
        ("resources", {"memory": "lots"}, "memory must be text as in 24Gi, got 'lots'|memory must be text as in 24Gi"),
        ("resources", {"memory": "24GB"}, "memory must be text as in 24Gi"),
        ("resources", {"@default": {"gpus": 1}}, "must have only memory, num_of_cpus, num_of_gpus for a site"),
        ("resources", {"num_of_gpus": 1, "lake": {"num_of_gpus": 2}}, "must have only memory"),
        ("resources", {"lake": 1}, "must have only memory"),
        ("resources", 1, "must be an object, got 1"),
        ("launcher", {"lake": {"podman": {"image": "x"}}}, "must have only docker, k8s, process, slurm for a site"),
        ("launcher", {"docker": {"volumes": ["/:/host"]}}, "docker must have only .*image.*, got .*volumes"),
        ("launcher", {"docker": "image"}, "docker must be an object"),
    ],
)
def test_what_flares_server_would_refuse_is_refused_here(
    setting: str, value: object, said: str, tmp_path: Path, source_jobs: Path
) -> None:
    with pytest.raises(InputError, match=said):
        packaged(tmp_path, source_jobs, **{setting: value})
    flat = isinstance(value, dict) and bool(value.keys() & OPTIONS[setting].keys())
    assert not flare_accepts({KEYS[setting]: {EVERY_SITE[setting]: value} if flat else value})


@pytest.mark.parametrize(("setting", "wrong"), [("resources", "default"), ("launcher", "@default")])
def test_the_other_setting_s_name_for_all_sites_is_no_site(
    setting: str, wrong: str, tmp_path: Path, source_jobs: Path
) -> None:
    with pytest.raises(InputError, match=f"{setting} must call all sites {EVERY_SITE[setting]}, got {wrong}"):
        packaged(tmp_path, source_jobs, **{setting: {wrong: {}}})


def test_a_name_that_is_no_option_is_not_taken_for_a_site(tmp_path: Path, source_jobs: Path) -> None:
    with pytest.raises(InputError, match="resources must have only memory, num_of_cpus, num_of_gpus for a site, got 1"):
        packaged(tmp_path, source_jobs, resources={"num_gpus": 1})


def test_the_options_are_flares() -> None:
    assert DOCKER == DOCKER_JOB_LAUNCHER_KEYS
    assert OPTIONS["launcher"].keys() == JobMetaValidator._VALID_LAUNCHER_MODES


def test_the_command_line_takes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--set", 'resources={"num_of_gpus":1}', "--out", str(tmp_path)]
    assert main(["package", "fedaid_pretrain", *words]) == 0
    meta = json.loads((tmp_path / "fedaid_pretrain" / "meta.json").read_text())
    assert meta["resource_spec"] == {"@default": {"num_of_gpus": 1}}
    assert capsys.readouterr().err == ""
