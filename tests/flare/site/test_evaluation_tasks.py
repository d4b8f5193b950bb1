from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal

from fedaid.errors import InputError
from fedaid.evaluation.bootstrap import Interval
from fedaid.evaluation.retrieval import Ranks
from fedaid.flare.site.evaluation_tasks import EvaluationExecutor
from fedaid.flare.site.local_model import ValidSplit, local_model_of
from fedaid.flare.software import software_report
from fedaid.flare.wire.messages import (
    model_to_shareable,
    report_from_shareable,
    result_from_shareable,
    update_from_shareable,
)
from fedaid.flare.wire.replies import ERROR_HEADER
from fedaid.flare.wire.tasks import EVALUATE, LOCAL_MODEL, ModelMessage
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import save_model

SETTINGS = {"batch_size": 8, "valid_batch_size": 4, "draws": 200, "probe_draws": 1}


class Site:
    """One site's executor, and what the server says to it."""

    def __init__(self, context: FLContext, model: DualEncoder, theta: dict[str, NDArray[Any]]) -> None:
        self.context, self.model, self.theta = context, model, theta
        self.kit = Path(context.get_engine().get_workspace().get_root_dir())

    def ask(self, task: str, **settings: Any) -> Shareable:
        return self.said(EvaluationExecutor(**SETTINGS | settings), task)

    def said(self, executor: EvaluationExecutor, task: str, *, number: int = 3, shift: float = 0.0) -> Shareable:
        """The answer to task ``number`` about the model, moved by ``shift``."""
        tensors = {name: np.asarray(t + t.dtype.type(shift), t.dtype) for name, t in self.theta.items()}
        message = ModelMessage(number, tensors, self.model.configuration, self.model.vocabulary_hash)
        return executor.execute(task, model_to_shareable(message, num_rounds=1), self.context, Signal())

    def trained_alone(self, tmp_path: Path, **configuration: Any) -> dict[str, NDArray[Any]]:
        """Puts a model into the kit as jobs/local_pretrain leaves it; returns its tensors."""
        tensors = {name: np.asarray(t + np.ones((), t.dtype), t.dtype) for name, t in self.theta.items()}
        folder = tmp_path / "saved"
        folder.mkdir()
        configuration = self.model.configuration | configuration
        save_model(folder, tensors, configuration=configuration, vocabulary_hash=self.model.vocabulary_hash)
        local = local_model_of("", self.kit, {})
        local.keep(folder, round_number=7, valid_loss=1.25, valid=ValidSplit(5, 4, "ab"), job_id="j", pairs=640)
        return tensors


@pytest.fixture
def site(site_context: FLContext, model: DualEncoder, theta: dict[str, NDArray[Any]]) -> Site:
    return Site(site_context, model, theta)


@pytest.mark.parametrize(
    ("name", "value"), [("draws", 0), ("batch_size", 1), ("pretrain_step", 1), ("prompt_sets", "x"), ("level", 2)]
)
def test_a_setting_that_is_unknown_or_out_of_range_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name):
        EvaluationExecutor(**{name: value})


def test_the_answer_is_the_suite_and_what_was_skipped(site: Site) -> None:
    reply = site.ask(EVALUATE)
    assert reply.get_return_code() == ReturnCode.OK
    number, result = result_from_shareable(reply)
    assert number == 3
    assert sorted(result) == ["skipped", "suite"]
    assert {"counts", "loss", "retrieval", "zero_shot", "subgroups"} <= result["suite"].keys()
    assert result["suite"]["counts"]["test"]["studies"] > 0


def test_a_job_that_asks_for_fewer_patients_than_the_site_allows_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = site.ask(EVALUATE, least_patients=4)
    assert reply.get_header(ERROR_HEADER).startswith("least_patients must be at least 5, as the site asks, got 4")
    monkeypatch.setenv("FEDAID_LEAST_PATIENTS", "20")
    assert "at least 20" in site.ask(EVALUATE).get_header(ERROR_HEADER)
    monkeypatch.setenv("FEDAID_LEAST_PATIENTS", "few")
    assert site.ask(EVALUATE).get_header(ERROR_HEADER).startswith("FEDAID_LEAST_PATIENTS must be a whole number")


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("draws", 199, "at least 200"),
        ("draws", 10, "at least 200"),
        ("level", 0.79, "between 0.8 and 0.99"),
        ("level", 0.999, "between 0.8 and 0.99"),
    ],
)
def test_a_job_that_asks_for_intervals_of_single_resamples_is_refused(
    name: str, value: float, rule: str, site: Site
) -> None:
    reply = site.ask(EVALUATE, **{name: value})
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    assert reply.get_header(ERROR_HEADER).startswith(f"{name} must be {rule}, got {value}")


def test_a_model_is_compared_with_the_one_of_the_first_task(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[Ranks, Ranks]] = []

    def difference(ranks: Ranks, other: Ranks, *_: Any) -> Interval:
        compared.append((ranks, other))
        return Interval(-0.2, -0.1, 0.05)

    monkeypatch.setattr("fedaid.flare.site.evaluation_tasks.recall_difference", difference)
    monkeypatch.setenv("FEDAID_LEAST_PATIENTS", "2")
    executor = EvaluationExecutor(**SETTINGS | {"least_patients": 2})
    given, own, same = (
        result_from_shareable(site.said(executor, EVALUATE, number=number, shift=shift))[1]["suite"]
        for number, shift in ((0, 0.0), (2, 0.3), (3, 0.0))
    )
    assert given["difference_to_global"] is None
    for suite in (own, same):
        assert suite["difference_to_global"] == {"recall_at_5": {"value": -0.1, "low": -0.2, "high": 0.05}}
    different, equal = compared
    assert any((one != other).any() for one, other in zip(*different, strict=True))
    assert all((one == other).all() for one, other in zip(*equal, strict=True))


def test_a_site_s_own_model_travels_as_a_difference(site: Site, tmp_path: Path) -> None:
    own = site.trained_alone(tmp_path)
    update = update_from_shareable(site.ask(LOCAL_MODEL))
    assert update.metrics == {"rounds": 7.0, "pairs": 640.0, "valid_loss": 1.25}
    assert update.delta.keys() == site.theta.keys()
    for name, tensor in own.items():
        np.testing.assert_allclose(site.theta[name] + update.delta[name], tensor, rtol=1e-6, err_msg=name)


def test_a_site_without_a_model_of_its_own_says_so(site: Site) -> None:
    assert report_from_shareable(site.ask(LOCAL_MODEL)).skipped == {"no local model": 1}


def test_a_site_may_keep_its_model(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.trained_alone(tmp_path)
    monkeypatch.setenv("FEDAID_SHARE_LOCAL_MODEL", "0")
    assert report_from_shareable(site.ask(LOCAL_MODEL)).skipped == {"not shared by the site": 1}


def test_a_switch_that_is_neither_0_nor_1_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDAID_SHARE_LOCAL_MODEL", "no")
    assert site.ask(LOCAL_MODEL).get_header(ERROR_HEADER).startswith("FEDAID_SHARE_LOCAL_MODEL must be 0 or 1")


def test_a_model_of_another_configuration_stays_at_the_site(site: Site, tmp_path: Path) -> None:
    site.trained_alone(tmp_path, temperature=0.5)
    assert report_from_shareable(site.ask(LOCAL_MODEL)).skipped == {"another configuration": 1}


def test_an_old_library_is_named_in_one_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software_report, "installed", lambda name: "4.57.1")
    for task in (EVALUATE, LOCAL_MODEL):
        line = site.ask(task).get_header(ERROR_HEADER)
        assert line.startswith("transformers must be version 5 or newer, got 4.57.1: site ")


def test_every_setting_of_the_evaluation_is_in_the_job() -> None:
    job = Path(__file__).parents[3] / "jobs" / "evaluate_global" / "app" / "config" / "config_fed_client.json"
    given = json.loads(job.read_text())["executors"][0]["executor"]["args"]
    assert set(inspect.signature(EvaluationExecutor).parameters) - {"probe_shares"} == given.keys()
