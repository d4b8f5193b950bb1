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
