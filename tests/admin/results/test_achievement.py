"""What a job that FLARE calls completed must have left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from admin.results.achievement import nothing_achieved
from fedaid.flare.store.stop_note import ANSWERS, StopNote, write_stop
from tests.admin.results_folder import write_run

WITHHELD = {"retrieval": None, "zero_shot": None, "linear_probe": None, "loss": None}
WITHHELD |= {"counts": {"test": {"patients": 3}}, "settings": {"least_patients": 5}}
NO_PATIENTS = (
    "no site reports a metric: site lake withholds all (test patients: 3, least_patients: 5); "
    "site north withholds all (test patients: 3, least_patients: 5)"
)


def evaluation(folder: Path, **found: Any) -> Path:
    store = folder / "app_server" / "fedaid"
    store.mkdir(parents=True)
    (store / "evaluation.json").write_text(json.dumps(found))
    return folder


def configured(folder: Path, controller: str) -> Path:
    config = folder / "app_server" / "config"
    config.mkdir(parents=True)
    (config / "config_fed_server.json").write_text(json.dumps({"workflows": [{"path": controller}]}))
    return folder


def test_an_evaluation_that_every_site_refused_has_failed_with_each_reason(tmp_path: Path) -> None:
    refused = {"north": "draws must be at least 200", "lake": "no answer in time"}
    folder = evaluation(tmp_path, models={"global": {}}, left_out={"global": refused})
    assert nothing_achieved(folder) == (
        "no site has evaluated the model (lake: no answer in time; north: draws must be at least 200)"
    )


@pytest.mark.parametrize(
    ("suites", "said"),
    [
        ({"lake": WITHHELD, "north": WITHHELD}, NO_PATIENTS),
        ({"lake": WITHHELD, "north": WITHHELD | {"retrieval": {"recall_at_5": 0.2}}}, ""),
    ],
)
def test_one_metric_of_one_site_is_a_result(suites: dict[str, Any], said: str, tmp_path: Path) -> None:
    assert nothing_achieved(evaluation(tmp_path, models={"global": suites})) == said


def test_a_run_has_all_its_rounds_and_a_measured_model(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    assert nothing_achieved(run, rounds=2) == ""
    assert nothing_achieved(run, rounds=3) == "it committed 2 of 3 rounds"
    file = run / "app_server" / "fedaid" / "results.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"best": {}, "incomplete": "validate: 0 of 2"}))
    assert nothing_achieved(run, rounds=2) == "validate: 0 of 2"


def test_a_run_that_its_controller_stopped_has_failed_whatever_flare_calls_it(tmp_path: Path) -> None:
    write_stop(write_run(tmp_path) / "app_server", StopNote(ANSWERS, "align must have\n the answers of 2 sites"))
    assert nothing_achieved(tmp_path, rounds=2) == "align must have the answers of 2 sites"


@pytest.mark.parametrize(
    ("controller", "said"),
    [("fedaid.flare.server.controller.FedAIDController", "it left no results"), ("other.Controller", "")],
)
def test_only_our_controllers_owe_results(controller: str, said: str, tmp_path: Path) -> None:
    assert nothing_achieved(configured(tmp_path, controller)) == said
