from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.shareable import Shareable, make_reply

from fedaid.errors import InputError
from fedaid.flare.server.evaluation_controller import EvaluationController
from fedaid.flare.server.update_store import UpdateStore
from fedaid.flare.wire.messages import (
    model_from_shareable,
    report_to_shareable,
    result_to_shareable,
    update_to_shareable,
)
from fedaid.flare.wire.replies import ERROR_HEADER
from fedaid.flare.wire.tasks import EVALUATE, LOCAL_MODEL, UpdateMessage
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import save_model
from tests.flare.conftest import Answer, Federation

SCALE = "log_logit_scale"
Make = Callable[..., Federation]


class EvaluationFederation(Federation):
    kind = EvaluationController
    defaults = {"min_clients": 2}  # noqa: RUF012

    @property
    def result(self) -> Any:
        return json.loads((self.store / "evaluation.json").read_text())


def failing(task: str, shareable: Shareable) -> Shareable:
    return make_reply(ReturnCode.BAD_TASK_DATA, {ERROR_HEADER: "manifest.csv must have a column"})


def site(shift: float | None = None, reason: str = "no local model") -> Answer:
    """A site whose result tells which model it saw; its own differs from the given one by ``shift`` in one tensor."""

    def answer(task: str, shareable: Shareable) -> Shareable:
        message = model_from_shareable(shareable)
        number, tensors = message.round_number, message.tensors
        if task == EVALUATE:
            suite = {"loss": round(float(tensors[SCALE]), 4), "counts": {"test": {"studies": 9}}}
            return result_to_shareable(number, {"suite": suite, "skipped": {"image-unreadable": 2}})
        assert task == LOCAL_MODEL
        if shift is None:
            return report_to_shareable(UpdateMessage(number, {}, {}, 20, {reason: 1}))
        delta = {name: np.zeros_like(tensor) for name, tensor in tensors.items()}
        delta[SCALE] = np.array(shift, np.float32)
        return update_to_shareable(
            UpdateMessage(number, delta, {"rounds": 3.0, "pairs": 640.0, "valid_loss": 1.5}, 20, {})
        )

    return answer


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders that arrays were to be received in; FLARE's own way stays as it is."""
    folders: list[Path] = []
    monkeypatch.setattr("fedaid.flare.server.persistor.receive_on_disk", folders.append)
    return folders


@pytest.fixture
def make(tmp_path: Path, model_config: dict[str, Any], theta: dict[str, Any], disks: list[Path]) -> Make:
    def federation(answers: Mapping[str, Answer], **settings: Any) -> Federation:
        app = tmp_path / "app_server"
        (app / "global_model").mkdir(parents=True)
        model = DualEncoder(**model_config["args"])
        given = theta | {SCALE: np.array(2.0, np.float32)}
        config = {"configuration": model.configuration, "vocabulary_hash": model.vocabulary_hash}
        save_model(app / "global_model", given, **config)
        return EvaluationFederation(app, dict(model_config), answers, **settings)

    return federation


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_clients", 0),
        ("task_timeout", None),
        ("local_models", "yes"),
        ("model_folder", "../kit"),
        ("model_folder", 3),
    ],
)
def test_a_bad_argument_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"^{name} must be .*config_fed_server\.json"):
        EvaluationController(**{"min_clients": 1} | {name: value})


def test_each_model_is_evaluated_at_each_site(make: Make) -> None:
    made = make({"lake": site(shift=0.5), "north": site(shift=-1.0)})
    made.run()
    assert made.engine.panics == []
    losses = {name: {s: suite["loss"] for s, suite in sites.items()} for name, sites in made.result["models"].items()}
    assert losses == {
        "global": {"lake": 2.0, "north": 2.0},
        "local:lake": {"lake": 2.5, "north": 2.5},
        "local:north": {"lake": 1.0, "north": 1.0},
    }
    assert made.result["local_models"]["lake"] == {"rounds": 3.0, "pairs": 640.0, "valid_loss": 1.5}
    assert made.result["data"]["lake"] == {"counts": {"test": {"studies": 9}}, "skipped": {"image-unreadable": 2}}


def test_the_result_says_which_model_it_is_about(make: Make) -> None:
    made = make({"lake": site(), "north": site()})
    made.run()
    weights = made.store.parent / "global_model" / "model.safetensors"
    assert made.result["global_model"]["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert made.result["global_model"]["configuration"]["embedding_dim"] == 8


def test_a_site_without_a_model_of_its_own_is_named_with_its_reason(make: Make) -> None:
    made = make({"lake": site(shift=0.5), "north": site(reason="not shared by the site")})
    made.run()
    assert list(made.result["models"]) == ["global", "local:lake"]
    assert made.result["left_out"]["local:north"] == {"north": "not shared by the site"}


def test_a_quorum_that_the_sites_cannot_reach_stops_the_run_before_anything_is_sent(make: Make) -> None:
    made = make({"lake": site(), "north": site()}, min_clients=3)
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith("min_clients must be at most the 2 sites of the run, got 3")
    assert made.communicator.asked == []


def test_local_models_can_be_left_out(make: Make) -> None:
    made = make({"lake": site(shift=0.5), "north": site(shift=0.5)}, local_models=False)
    made.run()
    assert {task for task, _ in made.communicator.asked} == {EVALUATE}


def test_a_site_that_cannot_answer_is_left_out_and_named(make: Make) -> None:
    made = make({"lake": site(shift=0.5), "north": failing}, min_clients=1)
    made.run()
    assert made.engine.panics == []
    assert list(made.result["models"]["global"]) == ["lake"]
    assert "manifest.csv must have a column" in made.result["left_out"]["global"]["north"]
    assert list(made.result["models"]["local:lake"]) == ["lake"]


def test_too_few_answers_stop_the_run_in_one_line_and_what_was_found_is_kept(make: Make) -> None:
    made = make({"lake": site(), "north": failing})
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith("evaluate must have the answers of 2 sites (min_clients), got 1")
    assert list(made.result["models"]["global"]) == ["lake"]


def test_an_unsound_local_model_is_refused_and_evaluated_nowhere(make: Make) -> None:
    made = make({"lake": site(shift=float("nan")), "north": site(shift=0.5)})
    made.run()
    assert list(made.result["models"]) == ["global", "local:north"]
    assert f"tensor {SCALE} must be finite" in made.result["left_out"]["local:lake"]["lake"]


def test_a_model_of_another_configuration_stops_the_run_before_anything_is_sent(make: Make) -> None:
    made = make({"lake": site(), "north": site()})
    folder = made.store.parent / "global_model"
    save_model(folder, {"other": np.ones(2, np.float32)}, configuration={}, vocabulary_hash="v")
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith("model must be one of the job's configuration")
    assert made.communicator.asked == []


def test_models_that_arrive_wait_on_the_run_s_disk(make: Make, disks: list[Path]) -> None:
    made = make({"lake": site(shift=0.5), "north": site()})
    made.run()
    assert disks == [made.store.parent]


def test_no_model_of_a_site_stays_at_the_server_that_fails(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(self: UpdateStore, *_: Any) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(UpdateStore, "moved", unreadable)
    made = make({"lake": site(shift=0.5), "north": site(shift=-1.0)})
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith("a file at the server cannot be read or written: OSError")
    assert not (made.store.parent / "fedaid_updates").exists()
    assert list(made.result["models"]) == ["global"]


def test_no_model_of_a_site_stays_at_the_server(make: Make) -> None:
    made = make({"lake": site(shift=0.5), "north": site(shift=-1.0)})
    made.run()
    assert not (made.store.parent / "fedaid_updates").exists()
