from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fedaid.errors import InputError
from fedaid.flare.store.run_identity import (
    FREE,
    RunIdentity,
    differing,
    require_same_settings,
    require_same_sites,
    run_file,
    software,
)
from fedaid.flare.store.setting_defaults import setting_defaults

JOB = Path(__file__).parents[3] / "jobs" / "fedaid_pretrain" / "app" / "config"


@pytest.mark.parametrize(
    ("name", "value"),
    [("run_name", "../x"), ("run_name", 3), ("attempt", 0), ("attempt", True), ("without", "site-a"), ("without", [1])],
)
def test_a_bad_value_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^{name} must be"):
        RunIdentity(**{name: value})


def test_the_settings_of_the_shipped_job_are_all_in_its_run_file_except_the_free_ones() -> None:
    settings = run_file(JOB, vocabulary_hash="0a1b")["settings"]
    found = {path.rpartition(".")[2] for path in settings}
    for file in JOB.glob("*.json"):
        content = json.loads(file.read_text())
        parts = [*content.get("workflows", []), *(one["executor"] for one in content.get("executors", []))]
        for part in parts:
            assert part["args"].keys() - FREE <= found
    assert {"rho", "seed", "wire_dtype", "image_encoder", "vocabulary_sha256", "moon_weight"} <= found
    assert not FREE & found


def test_each_setting_that_differs_has_a_line() -> None:
    before, now = {"settings": {"a": 1, "b": 2, "c": 3}}, {"settings": {"a": 1, "b": 5, "d": None}}
    lines = [
        "b: 2 in the run, 5 in this job",
        "c: 3 in the run, absent in this job",
        "d: absent in the run, None in this job",
    ]
    assert differing("settings", before, now) == lines
    with pytest.raises(InputError, match="job of run pilot must have the run's settings, got \n  b: 2 in the run"):
        require_same_settings("pilot", before, now)
    require_same_settings("pilot", before, before)


def run_of(folder: Path, *, server: dict[str, Any]) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    (folder / "config_fed_server.json").write_text(json.dumps(server))
    return run_file(folder, vocabulary_hash="0a1b")


def workflow(**args: Any) -> dict[str, Any]:
    part = {"id": "fedaid", "path": "fedaid.flare.server.controller.FedAIDController", "args": args}
    return {"workflows": [part]}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({}, {"clip_update_norm": None}),
        ({}, {"largest_norm_ratio": 10.0, "alignment_phase": True}),
        ({"rho": 0.5, "initial_site_weights": "uniform"}, {"rho": 0.5}),
    ],
)
def test_a_setting_that_is_stated_at_its_default_is_the_one_that_is_left_out(
    before: dict[str, Any], now: dict[str, Any], tmp_path: Path
) -> None:
    committed, present = (run_of(tmp_path, server=workflow(**args)) for args in (before, now))
    require_same_settings("pilot", committed, present, defaults=lambda: setting_defaults(tmp_path.iterdir()))


@pytest.mark.parametrize(
    ("before", "now", "line"),
    [
        ({}, {"clip_update_norm": 1.5}, "clip_update_norm: absent in the run, 1.5 in this job"),
        ({}, {"largest_norm_ratio": None}, "largest_norm_ratio: absent in the run, None in this job"),
        ({"rho": 0.5}, {}, "rho: 0.5 in the run, absent in this job"),
        ({}, {"unknown": 3}, "unknown: absent in the run, 3 in this job"),
    ],
)
def test_a_setting_that_is_left_out_is_not_another_value_than_its_default(
    before: dict[str, Any], now: dict[str, Any], line: str, tmp_path: Path
) -> None:
    committed, present = (run_of(tmp_path, server=workflow(**args)) for args in (before, now))
    with pytest.raises(InputError, match=f"args.{line}"):
        require_same_settings("pilot", committed, present, defaults=lambda: setting_defaults(tmp_path.iterdir()))


def test_every_setting_of_the_shipped_job_may_be_left_out_at_its_default() -> None:
    defaults, settings = setting_defaults(JOB.glob("*.json")), run_file(JOB, vocabulary_hash="0a1b")["settings"]
    paths = {path for path in settings if ".args." in path and ".args.model.path" not in path}
    assert len(paths) > 50
    assert {path for path in paths if path in defaults} >= {path for path in paths if ".workflows." in path}
    for nested in ("persistor.args.model.args.adapters", "executors.0.executor.args.moon_weight"):
        assert [path for path in defaults if path.endswith(nested)]


def test_other_software_is_a_difference_that_is_named_only() -> None:
    assert software() == software()
    assert software().keys() == {"fedaid", "torch", "transformers", "numpy", "nvflare", "cpu"}
    require_same_settings("pilot", {"software": {"torch": "1"}}, {"software": {"torch": "2"}})


def test_sites_may_leave_by_name_only() -> None:
    require_same_sites("pilot", ["a", "b"], ["a", "b"], [])
    require_same_sites("pilot", ["a", "b"], ["a"], ["b"])
    with pytest.raises(InputError, match=r"got no b, c: run pilot\. Start it, or package the job with --without b c"):
        require_same_sites("pilot", ["a", "b", "c"], ["a"], [])
    with pytest.raises(InputError, match=r"got also d: run pilot"):
        require_same_sites("pilot", ["a"], ["a", "d"], [])
