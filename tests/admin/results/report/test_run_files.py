from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from admin.results.report.run_files import RunFiles, read_run_files
from fedaid.errors import InputError
from tests.admin.results.report.card_folder import change
from tests.admin.results.report.evaluation_folder import write_evaluation


def test_a_run_is_read_with_the_configs_that_it_was_started_with(plain: RunFiles) -> None:
    assert plain.sites == ["lake", "north"]
    assert set(plain.configs) == {"config_fed_server.json", "config_fed_client.json"}
    assert plain.controller["num_rounds"] > 0
    assert plain.meta["job_id"] == "1234"
    assert plain.evaluation is None


def test_a_site_that_was_lost_is_still_one_of_the_run(run: Path) -> None:
    change(run, lambda results: results["best"].pop("north"))
    assert read_run_files(run).sites == ["lake", "north"]


def test_the_meta_of_the_download_is_newer_than_that_of_the_start(run: Path) -> None:
    (run.parent / "meta.json").write_text(json.dumps({"job_id": "1234", "status": "FINISHED:COMPLETED"}))
    assert read_run_files(run).meta["status"] == "FINISHED:COMPLETED"


def test_an_evaluation_that_is_not_there_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"--evaluation must hold evaluation.json, got a folder without it.*evaluate_global"
    ):
        read_run_files(run, tmp_path)


def test_an_evaluation_inside_the_run_folder_is_found(run: Path) -> None:
    (run / "app_server" / "fedaid" / "evaluation.json").write_text('{"models": {}}')
    assert read_run_files(run).evaluation == {"models": {}}


def test_a_run_that_did_not_finish_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app_server").mkdir()
    with pytest.raises(InputError, match=r"result must hold results.json"):
        read_run_files(tmp_path)


def test_an_evaluation_of_another_model_is_refused(run: Path, evaluation: Path) -> None:
    file = evaluation / "app_server" / "fedaid" / "evaluation.json"
    found = json.loads(file.read_text())
    own = hashlib.sha256(b"weights").hexdigest()
    file.write_text(json.dumps(found | {"global_model": {"sha256": own}}))
    assert read_run_files(run, evaluation).evaluation is not None
    file.write_text(json.dumps(found | {"global_model": {"sha256": "0" * 64}}))
    with pytest.raises(InputError, match=r"--evaluation must be of the model .*, got 000000000000"):
        read_run_files(run, evaluation)


def test_an_evaluation_of_other_keys_is_refused(run: Path, tmp_path: Path, models: dict[str, Any]) -> None:
    models["global"]["lake"]["schema_version"] = 1
    with pytest.raises(InputError, match=r"--evaluation must have suites of schema version 2, got 1"):
        read_run_files(run, write_evaluation(tmp_path / "former", models))
