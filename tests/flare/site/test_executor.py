from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.signal import Signal

from fedaid.data.pixels.decode_pool import WORKERS
from fedaid.data.pixels.decode_process import DecodeProcess
from fedaid.flare.site.executor import FedAIDExecutor
from fedaid.flare.site.site_state import SiteState
from fedaid.flare.site.work import own_work as module
from fedaid.flare.software.software_report import PROPERTY, software_report
from fedaid.flare.wire.messages import metrics_from_shareable
from fedaid.flare.wire.replies import ERROR_HEADER
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, TRAIN, VALIDATE, RunStamp
from fedaid.minmax.selection import METRICS
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.tensor_names import is_alignment
from fedaid.training.processes.data_folders import DataFolders
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker
from fedaid.training.trainer import PhaseLosses
from tests.flare.site.asked_site import CANARY, Site, same, update_of


def test_align_answers_with_an_alignment_update_and_metrics_of_the_model(site: Site) -> None:
    update = update_of(site.ask(ALIGN))
    assert set(update.delta) == {name for name in site.theta if is_alignment(name)}
    assert set(METRICS) <= set(update.metrics)
    assert (update.round_number, update.pairs, update.skipped) == (0, 26, {})


def test_pretrain_answers_with_an_update_of_the_whole_model_from_the_ideal(site: Site) -> None:
    site.ask(ALIGN)
    update = update_of(site.pretrain())
    assert update.delta.keys() == site.theta.keys()
    assert set(update.metrics) == {field.name for field in fields(PhaseLosses)}


@pytest.fixture
def telling(site: Site) -> Site:
    """A site that measures the model that it trained."""
    site.settings = replace(site.settings, report_student_loss=True)
    site.restart()
    return site


def train_and_measure(site: Site, task: str, *, between: Callable[[], None] = lambda: None) -> dict[str, float]:
    """A round's training, and the metrics that come first in the next."""
    first = update_of(site.ask(task))
    last = update_of(site.pretrain()) if task == ALIGN else first
    assert "student_loss" not in {**first.metrics, **last.metrics}
    between()
    return dict(update_of(site.ask(task, round_number=1)).metrics)


@pytest.mark.parametrize("task", [ALIGN, TRAIN])
def test_a_site_reports_the_loss_of_its_own_model_in_the_next_round_where_the_job_asks_for_it(
    task: str, telling: Site
) -> None:
    metrics = train_and_measure(telling, task)
    assert metrics["student_loss"] > 0
    assert metrics["student_loss"] != metrics["loss"]


@pytest.mark.parametrize("task", [ALIGN, TRAIN])
@pytest.mark.parametrize("how", ["ahead", "in a lasting process of the simulator", "in another process"])
def test_it_is_the_same_whenever_it_is_measured(how: str, task: str, telling: Site) -> None:
    expected = train_and_measure(telling, task)
    telling.restart()
    if how == "in another process":
        telling.swap()
        assert train_and_measure(telling, task, between=telling.swap) == expected
        return
    for _ in range(2 if "lasting" in how else 0):
        telling.executor.handle_event(EventType.SWAP_IN, telling.context)
    assert train_and_measure(telling, task, between=telling.sent) == expected


def test_once_the_answer_is_sent_nothing_of_the_students_loss_is_left_to_do(
    telling: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[str] = []
    validate = SiteWorker.validate
    monkeypatch.setattr(SiteWorker, "validate", lambda worker, split: passes.append(split) or validate(worker, split))
    telling.ask(ALIGN)
    telling.pretrain()
    assert passes == ["valid"]
    telling.sent()
    assert passes == ["valid"] * 2
    telling.sent()
    telling.ask(ALIGN, round_number=1)
    assert passes == ["valid"] * 3


@pytest.mark.parametrize("announced", [0, 1, 2])
def test_features_are_encoded_ahead_unless_the_process_may_end_with_its_task(
    announced: int, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.settings = replace(site.settings, align_steps=1, pretrain_steps=3)
    site.restart()
    site.ask(ALIGN)
    expected = update_of(site.pretrain())
    site.restart()
    encoded: list[int] = []
    features = DualEncoder.image_features
    monkeypatch.setattr(
        DualEncoder, "image_features", lambda model, images: encoded.append(len(images)) or features(model, images)
    )
    for _ in range(announced):
        site.executor.handle_event(EventType.SWAP_IN, site.context)
    site.ask(ALIGN)
    encoded.clear()
    site.sent()
    assert sum(encoded) == (0 if announced == 1 else 2 * 8)
    assert same(update_of(site.pretrain()), expected)


def test_a_site_that_missed_a_round_tells_no_loss_of_an_older_one(telling: Site) -> None:
    telling.ask(ALIGN)
    telling.pretrain()
    assert "student_loss" not in update_of(telling.ask(ALIGN, round_number=2)).metrics


def test_an_abort_while_nobody_waits_is_heeded_and_harms_nothing(
    telling: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = train_and_measure(telling, ALIGN)
    telling.restart()

    def aborted() -> None:
        embedded = []
        forward = DualEncoder.forward
        monkeypatch.setattr(DualEncoder, "forward", lambda *args: embedded.append(1) or forward(*args))
        telling.abort.trigger(True)
        telling.sent()
        assert embedded == []
        telling.abort = Signal()

    assert train_and_measure(telling, ALIGN, between=aborted) == expected


def test_what_fails_while_nobody_waits_is_left_for_the_task_and_told_by_its_type_only(
    telling: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError(CANARY)

    telling.ask(ALIGN)
    telling.pretrain()
    with monkeypatch.context() as patch, caplog.at_level(logging.DEBUG):
        patch.setattr(SiteWorker, "validate", fail)
        telling.sent()
    assert "left for the next task after OSError" in caplog.text
    assert "DOE" not in caplog.text
    assert update_of(telling.ask(ALIGN, round_number=1)).metrics["student_loss"] > 0


def test_a_bad_place_of_the_site_s_own_model_is_said_at_every_task(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDAID_LOCAL_MODEL", "models")
    for task in (ALIGN, VALIDATE):
        assert site.ask(task).get_header(ERROR_HEADER).startswith("FEDAID_LOCAL_MODEL must be an absolute path")


def test_validate_answers_with_both_splits(site: Site) -> None:
    message = metrics_from_shareable(site.ask(VALIDATE, round_number=2))
    assert message.round_number == 2
    assert set(message.splits) == {"valid", "test"}
    assert set(METRICS) <= set(message.splits["valid"])
    assert message.splits["test"]["studies"] == 5.0


def test_a_test_split_smaller_than_a_batch_has_no_loss(site: Site) -> None:
    site.settings = replace(site.settings, valid_batch_size=5)
    site.restart()
    splits = metrics_from_shareable(site.ask(VALIDATE)).splits
    work = site.executor._work
    assert isinstance(work, module.OwnWork)
    worker = work.worker
    object.__setattr__(worker._settings, "valid_batch_size", 6)
    splits = metrics_from_shareable(site.ask(VALIDATE)).splits
    assert "loss" not in splits["test"]
    assert "recall_at_5" in splits["test"]


def test_the_two_phases_do_what_the_worker_does_without_flare(site: Site, site_data: Any) -> None:
    alone = SiteWorker(site.model, site_data, site.settings, site=site.context.get_identity_name())
    alone.load(site.theta)
    aligned = alone.align(round_number=0)
    alone.load({name: np.asarray(tensor, np.float32) for name, tensor in site.ideal.items()})
    pretrained = alone.pretrain(round_number=0)
    for expected, reply in ((aligned, site.ask(ALIGN)), (pretrained, site.pretrain())):
        delta = update_of(reply).delta
        assert delta.keys() == expected.delta.keys()
        assert all(np.array_equal(delta[name], tensor) for name, tensor in expected.delta.items())


def test_a_fresh_process_can_pretrain_from_the_file_of_the_one_before(site: Site) -> None:
    site.swap()
    site.ask(ALIGN)
    expected = update_of(site.pretrain())
    site.swap()
    assert same(update_of(site.pretrain()), expected)


def test_pretrain_again_in_one_process_starts_again_from_the_rounds_model(site: Site) -> None:
    site.ask(ALIGN)
    assert same(update_of(site.pretrain()), update_of(site.pretrain()))


def test_pretrain_is_not_disturbed_by_a_validation_in_between(site: Site) -> None:
    site.ask(ALIGN)
    expected = update_of(site.pretrain())
    site.ask(ALIGN)
    other = {name: np.asarray(tensor + np.ones((), tensor.dtype)) for name, tensor in site.theta.items()}
    site.ask(VALIDATE, other)
    assert same(update_of(site.pretrain()), expected)


@pytest.mark.parametrize("task", [ALIGN, PRETRAIN])
def test_an_abort_in_training_is_answered_as_such(task: str, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.ask(ALIGN)
    steps: list[int] = []
    step = torch.optim.AdamW.step

    def aborting(optimizer: torch.optim.AdamW, closure: Any = None) -> Any:
        steps.append(1)
        site.abort.trigger(True)
        return step(optimizer, closure)

    monkeypatch.setattr(torch.optim.AdamW, "step", aborting)
    reply = site.ask(ALIGN) if task == ALIGN else site.pretrain()
    assert reply.get_return_code() == ReturnCode.TASK_ABORTED
    assert len(steps) == 1
    assert "DXO" not in reply


@pytest.mark.slow
def test_a_round_in_two_processes_answers_as_one_does(
    site_context: FLContext, settings: TrainingSettings, model_options: dict[str, Any]
) -> None:
    """With batch norm the numbers differ: what is compared is what the server sees."""
    encoder = {"name": "resnet", "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}
    model = DualEncoder(**model_options | {"image_encoder": encoder})
    theta = {name: np.asarray(tensor.numpy().copy()) for name, tensor in model.state_dict().items()}
    site = Site(site_context, settings, model, theta)
    expected = [update_of(site.ask(ALIGN)), update_of(site.pretrain())]
    site.settings = replace(site.settings, processes=2)
    site.restart()
    found = [update_of(site.ask(ALIGN)), update_of(site.pretrain())]
    for one, other in zip(expected, found, strict=True):
        assert one.delta.keys() == other.delta.keys()
        assert one.metrics.keys() == other.metrics.keys()
        assert all(np.isfinite(delta).all() for delta in other.delta.values())
    means = [delta for name, delta in found[1].delta.items() if "running_mean" in name]
    assert len(means) > 3
    assert all(np.abs(mean).max() > 0 for mean in means)


def test_threads_are_set_before_the_data_are_read(site: Site) -> None:
    before = torch.get_num_threads()
    site.settings = replace(site.settings, threads=2)
    site.restart()
    try:
        site.ask(ALIGN)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_at_the_start_of_a_run_a_site_reports_its_software_to_the_server(site: Site) -> None:
    FedAIDExecutor().handle_event(EventType.START_RUN, site.context)
    assert site.context.get_all_public_props()[PROPERTY] == software_report()


@pytest.fixture
def undecoded(site: Site, tmp_path: Path) -> Site:
    """A site whose images have still to be decoded."""
    shutil.rmtree(tmp_path / module.IMAGE_CACHE)
    return site


def test_decoded_images_are_kept_in_the_kit_for_all_jobs(undecoded: Site, tmp_path: Path) -> None:
    undecoded.ask(ALIGN)
    assert list((tmp_path / "fedaid_image_cache").glob("images-*.npy"))


def test_the_rounds_model_is_written_only_where_processes_are_swapped(site: Site, tmp_path: Path) -> None:
    site.ask(ALIGN)
    assert list((tmp_path / "run" / "job").iterdir()) == []
    site.swap()
    site.ask(ALIGN)
    assert [path.name for path in (tmp_path / "run" / "job").iterdir()] == ["fedaid_round.safetensors"]


@pytest.mark.parametrize("changes", [{"moon_weight": 5.0}, {"local_normalisation": True}])
def test_what_a_site_keeps_of_its_own_model_outlives_its_process(
    changes: dict[str, Any], site: Site, tmp_path: Path
) -> None:
    site.settings = replace(site.settings, align_steps=0, **changes)
    site.restart()
    site.ask(TRAIN)
    expected = update_of(site.ask(TRAIN, round_number=1))
    assert list((tmp_path / "run" / "job").iterdir()) == []
    site.swap()
    site.ask(TRAIN)
    files = {"fedaid_site_tensors.safetensors"}
    if "local_normalisation" in changes:
        files.add("fedaid_batch_norm_by_round.safetensors")
    assert {path.name for path in (tmp_path / "run" / "job").iterdir()} == files
    site.swap()
    found = update_of(site.ask(TRAIN, round_number=1))
    assert same(found, expected)
    assert found.metrics == expected.metrics


def test_a_state_that_could_not_be_given_back_is_given_back_at_the_next_try(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(number: int, run: str) -> Any:
        return site.ask(TRAIN, round_number=number, run=RunStamp(run, 1, began=run))

    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    site.settings = replace(site.settings, align_steps=0, moon_weight=5.0)
    site.restart()
    ask(0, "one")
    expected = update_of(ask(1, "one"))
    site.restart()
    ask(0, "two")
    with monkeypatch.context() as patch:
        patch.setattr(SiteState, "keep", fail)
        assert ask(1, "two").get_return_code() == ReturnCode.BAD_TASK_DATA
    with monkeypatch.context() as patch:
        patch.setattr(SiteState, "_take_over", fail)
        assert ask(1, "two").get_return_code() == ReturnCode.BAD_TASK_DATA
    assert same(update_of(ask(1, "two")), expected)


def test_train_measures_the_model_and_does_what_pretrain_does_without_an_alignment_phase(site: Site) -> None:
    site.settings = replace(site.settings, align_steps=0)
    site.restart()
    measured = update_of(site.ask(ALIGN)).metrics
    alignment = {name: tensor for name, tensor in site.theta.items() if is_alignment(name)}
    expected = update_of(site.ask(PRETRAIN, alignment))
    found = update_of(site.ask(TRAIN))
    assert same(found, expected)
    assert found.metrics == measured | dict(expected.metrics)


@pytest.mark.parametrize("task", [ALIGN, TRAIN, VALIDATE])
def test_an_abort_during_the_validation_is_heeded_before_the_next_batch(
    task: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded = []

    def aborting(model: DualEncoder, *inputs: Any) -> Any:
        embedded.append(len(inputs[0]))
        site.abort.trigger(True)
        return forward(model, *inputs)

    forward = DualEncoder.forward
    monkeypatch.setattr(DualEncoder, "forward", aborting)
    site.settings = replace(site.settings, batch_size=2, valid_batch_size=2)
    site.restart()
    assert site.ask(task).get_return_code() == ReturnCode.TASK_ABORTED
    assert len(embedded) == 1


def test_an_abort_while_images_are_read_is_heeded_before_anything_is_measured(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def aborting(*arguments: Any, **options: Any) -> Any:
        site.abort.trigger(True)
        return load(*arguments, **options)

    load = DataFolders.load
    monkeypatch.setattr(DataFolders, "load", aborting)
    monkeypatch.setattr(SiteWorker, "validate", lambda *_: pytest.fail("it went on"))
    assert site.ask(ALIGN).get_return_code() == ReturnCode.TASK_ABORTED


def test_an_abort_while_images_are_decoded_ends_the_decoding(undecoded: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def aborting(process: DecodeProcess, request: Any) -> None:
        asked.append(request.key)
        undecoded.abort.trigger(True)
        ask(process, request)

    ask = DecodeProcess.ask
    monkeypatch.setattr(DecodeProcess, "ask", aborting)
    assert undecoded.ask(ALIGN).get_return_code() == ReturnCode.TASK_ABORTED
    assert 1 <= len(asked) <= WORKERS
