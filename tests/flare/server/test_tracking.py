from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey, ProcessType
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fedaid.errors import InputError
from fedaid.flare.server import tracking
from fedaid.flare.server.tracking import Tracking, of_round
from tests.ci import IN_CI
from tests.flare.conftest import MEASURED, Federation

Read = Callable[[Path, str], dict[str, list[tuple[int, float]]]]
SITES = ["site-a", "site-b", "site-c"]


def tensorboard_curves(run: Path, site: str) -> dict[str, list[tuple[int, float]]]:
    """tag → (step, value) of each point, as TensorBoard itself reads the files."""
    events = EventAccumulator(str(run / "tb_events" / site)).Reload()
    return {tag: [(p.step, p.value) for p in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def mlflow_curves(run: Path, site: str) -> dict[str, list[tuple[int, float]]]:
    """The same of MLflow's database."""
    from mlflow.tracking.client import MlflowClient

    client = MlflowClient(f"sqlite:///{run / 'mlflow.db'}")
    (experiment,) = client.search_experiments(filter_string="name = 'fedaid'")
    (found,) = [one for one in client.search_runs([experiment.experiment_id]) if one.info.run_name.startswith(site)]
    tags = found.data.metrics
    return {tag: [(p.step, p.value) for p in client.get_metric_history(found.info.run_id, tag)] for tag in tags}


TRACKERS: dict[str, Read] = {"tensorboard": tensorboard_curves, "mlflow": mlflow_curves}
LACKS_MLFLOW = not (find_spec("mlflow") and find_spec("alembic"))  # no part of the runtime's requirements
WITHOUT_MLFLOW = pytest.mark.skipif(LACKS_MLFLOW and not IN_CI, reason="not installed: make check installs it")


@pytest.fixture
def run(federation: Callable[..., Federation], tmp_path: Path) -> Callable[..., Federation]:
    """A function that runs two rounds with tracking, as its arguments say."""

    def go(**wanted: bool) -> Federation:
        made = federation(min_clients=3)
        made.engine.components["tracking"] = Tracking(**wanted)
        folder = lambda job: str(tmp_path / "run")  # noqa: E731
        vars(made.engine.workspace).update(get_run_dir=folder, get_result_root=folder)
        made.fl_ctx.set_prop(FLContextKey.PROCESS_TYPE, ProcessType.SERVER_JOB, private=True, sticky=True)
        made.fl_ctx.set_prop(FLContextKey.WORKSPACE_OBJECT, made.engine.workspace, private=True, sticky=True)
        (tmp_path / "run").mkdir()
        made.run()
        made.engine.fire_event(EventType.END_RUN, made.fl_ctx)
        return made

    return go


@pytest.mark.parametrize("tracker", TRACKERS)
def test_the_curves_hold_the_numbers_of_the_results(tracker: str, run: Any, tmp_path: Path) -> None:
    made = run(**{"tensorboard": False, tracker: True})
    assert made.engine.panics == []
    results = json.loads((made.store / "results.json").read_text())
    for site in SITES:
        curves = TRACKERS[tracker](tmp_path / "run", site)
        for name in ("loss", "recall_at_5"):
            values = [entry["valid"][site][name] for entry in results["history"]]
            values.append(results["last"][site]["valid"][name])
            assert curves[f"valid/{name}"] == [(step, np.float32(value)) for step, value in enumerate(values)]
        weights = [np.float32(entry["site_weights"][site]) for entry in results["history"]]
        assert curves["site_weight"] == list(enumerate(weights))
        losses = [np.float32(entry["train"][site]["contrastive"]) for entry in results["history"]]
        assert curves["train/contrastive"] == list(enumerate(losses))


def test_each_site_has_its_own_curves_and_the_server_none(run: Any, tmp_path: Path) -> None:
    run()
    assert sorted(folder.name for folder in (tmp_path / "run" / "tb_events").iterdir()) == SITES


def test_mlflow_is_off_by_default(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setitem(tracking.RECEIVERS, "mlflow", lambda: opened.append("mlflow"))
    run()
    assert opened == []
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["tb_events"]


def test_tracking_can_be_switched_off(run: Any, tmp_path: Path) -> None:
    run(tensorboard=False)
    assert list((tmp_path / "run").iterdir()) == []


def test_a_tracker_that_the_server_lacks_stops_the_run_with_the_command_that_installs_it(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    made = run(tensorboard=False, mlflow=True)
    (panic,) = made.engine.panics
    assert panic.startswith("mlflow must be installed at the server, got no package mlflow, alembic")
    assert "pip install mlflow-skinny==" in panic
    assert made.communicator.asked == []


@pytest.mark.parametrize("value", [None, 1, "true"])
def test_a_switch_that_is_neither_true_nor_false_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"^mlflow must be true or false"):
        Tracking(mlflow=value)


def test_a_round_of_one_task_does_not_show_training_as_validation(federation: Callable[..., Federation]) -> None:
    made = federation(alignment_phase=False)
    made.run()
    state = json.loads((made.store / "results.json").read_text())
    tags = {tag for site, tag, _, _ in of_round(state) if site == "site-a"}
    valid = {f"valid/{name}" for name in MEASURED}
    assert tags == valid | {"train/contrastive", "train/binding", "site_weight"}


def test_a_run_that_ended_before_its_first_round_has_no_curves() -> None:
    assert list(of_round(None)) == []
