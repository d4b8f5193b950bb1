from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from admin.__main__ import main
from admin.jobs.package import JOBS
from admin.study.compare import trials as study
from admin.study.compare.comparison import JOB, Comparison, job_changed, key_of, trial_settings
from admin.study.compare.trial import Trial, run_trial
from admin.study.compare.trials import TrialFailed, result_file
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from fedaid.errors import InputError
from tests.integration.conftest import MODEL

TINY = {**MODEL, "batch_size": 8, "valid_batch_size": 4, "align_steps": 1, "pretrain_steps": 2, "warmup_steps": 0}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sites")
    write_consortium(folder, hospitals=[replace(site, studies=36) for site in DEMO_HOSPITALS[:2]], image_size=32)
    return folder


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Methods of the trials that ran, in this process; moon fails."""
    methods: list[str] = []

    def result_of(trial: Trial, folder: Path) -> Mapping[str, Any]:
        file = result_file(trial, folder)
        if trial.method == "moon":
            raise TrialFailed("trial moon failed: no reason")
        if not file.exists():
            methods.append(trial.method)
            file.write_text(json.dumps(run_trial(trial)))
        found: Mapping[str, Any] = json.loads(file.read_text())
        return found

    monkeypatch.setattr(study, "result_of", result_of)
    return methods


def words(sites: Path, out: Path, *methods: str) -> list[str]:
    pairs = [word for name, value in TINY.items() for word in ("--set", f"{name}={json.dumps(value)}")]
    settings = ["--seeds", "0", "--rounds", "1", "--processes", "1", *pairs]
    return ["compare", "--data", str(sites), "--out", str(out), "--methods", *methods, *settings]


def test_methods_are_compared_in_a_table_a_file_and_a_picture_and_nothing_runs_twice(
    sites: Path, ran: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(sites, tmp_path, "fedavg", "fedaid")) == 0
    captured = capsys.readouterr()
    rows = [line for line in captured.out.splitlines() if line.startswith("| `")]
    assert {row.split("`")[1] for row in rows} == {"fedavg", "fedaid"}
    assert "1/2 fedavg 0: " in captured.err
    assert (tmp_path / "compare.png").read_bytes().startswith(b"\x89PNG")
    assert main([*words(sites, tmp_path, "fedavg", "fedaid", "local"), "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert data["methods"] == json.loads((tmp_path / "compare.json").read_text())
    assert set(data["methods"]) == {"fedavg", "fedaid", "local"}
    assert ran == ["fedavg", "fedaid", "local"]


def test_a_method_that_fails_is_named_and_the_others_are_shown(
    sites: Path, ran: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(sites, tmp_path, "moon", "fedavg")) == 1
    captured = capsys.readouterr()
    assert "| `fedavg` |" in captured.out
    assert captured.err.endswith("error: trial moon failed: no reason\n")


def test_an_unknown_method_is_refused_with_the_closest(
    sites: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(sites, tmp_path, "fedagv")) == 1
    assert "Did you mean fedavg?" in capsys.readouterr().err


def test_settings_change_the_job_of_all_methods_and_are_checked_as_at_packaging() -> None:
    model, settings = job_changed(["pretrain_steps=7", "embedding_dim=16"], 3)
    assert (model["embedding_dim"], "seed" in model) == (16, False)
    assert settings == trial_settings(JOBS / JOB) | {"pretrain_steps": 7, "num_rounds": 3}
    assert job_changed([], None)[1]["num_rounds"] > 1
    with pytest.raises(InputError, match="Did you mean pretrain_steps"):
        job_changed(["pretrain_step=7"], 3)


def test_a_trial_of_changed_data_is_another(sites: Path, tmp_path: Path) -> None:
    roots = {folder.name: folder for folder in sites.iterdir()}
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "manifest.csv").write_text((next(iter(roots.values())) / "manifest.csv").read_text())
    before = key_of({"a": copy})
    (copy / "manifest.csv").open("a").write("\n")
    assert key_of({"a": copy}) != before


def test_trials_come_seed_by_seed_and_held_out_data_belong_to_no_site(sites: Path, tmp_path: Path) -> None:
    first, second = sorted(sites.iterdir())
    comparison = Comparison({"a": first}, ["fedavg", "fedaid"], [3, 4], {}, {}, tmp_path, {"others": second})
    trials = comparison.trials()
    assert [(one.seed, one.method) for one in trials] == [(3, "fedavg"), (3, "fedaid"), (4, "fedavg"), (4, "fedaid")]
    assert trials[0].held_out == {"others": str(second.resolve())}
