from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fedaid.data.site_data import SiteData
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.tensor_names import is_alignment
from fedaid.training import site_worker
from fedaid.training.processes.array_file import put_aside
from fedaid.training.processes.student import Student
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import LocalUpdate, SiteWorker

MakeWorker = Callable[..., SiteWorker]


@pytest.fixture
def make_worker(model_options: dict[str, Any], site_data: SiteData, settings: TrainingSettings) -> MakeWorker:
    """A function that makes a worker with a model of its own."""

    def make(site: str = "site-a", folder: Path | None = None, **changes: Any) -> SiteWorker:
        changed = replace(settings, **changes)
        return SiteWorker(DualEncoder(**model_options), site_data, changed, site=site, folder=folder)

    return make


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Samples that went forward through any image encoder, with and without a graph for the way back."""
    counts = {"plain": 0, "trained": 0}
    features = DualEncoder.image_features

    def count(self: DualEncoder, images: Tensor) -> Tensor:
        counts["trained" if torch.is_grad_enabled() else "plain"] += len(images)
        return features(self, images)

    monkeypatch.setattr(DualEncoder, "image_features", count)
    return counts


def a_round(worker: SiteWorker) -> list[LocalUpdate]:
    return [worker.align(round_number=0), worker.pretrain(round_number=0)]


def equal(one: LocalUpdate, other: LocalUpdate) -> bool:
    return all(np.array_equal(one.delta[name], other.delta[name]) for name in one.delta)


def test_the_start_of_a_phase_waits_on_the_disk_of_the_run(
    make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    aside: list[tuple[int, object]] = []

    def note(arrays: Any, folder: Path | None) -> Any:
        aside.append((len(arrays), folder))
        return put_aside(arrays, folder)

    monkeypatch.setattr(site_worker, "put_aside", note)
    worker = make_worker(folder=tmp_path)
    alignment = sum(is_alignment(name) for name in worker.tensors())
    a_round(worker)
    assert aside == [(alignment, tmp_path), (len(worker.tensors()), tmp_path)]
    assert list(tmp_path.iterdir()) == []


def test_frozen_towers_are_not_put_aside_and_their_update_is_zero(
    make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside: list[set[str]] = []
    monkeypatch.setattr(site_worker, "put_aside", lambda arrays, folder: aside.append({*arrays}) or tensors(arrays))
    worker = make_worker()
    names = set(worker.tensors())
    for tower in ("image", "text"):
        worker.model.encoder(tower).requires_grad_(False)
    update = worker.pretrain(round_number=0)
    still = names - aside[0]
    assert len(still) > 10
    assert list(update.delta) == list(worker.tensors())
    assert not any(update.delta[name].any() for name in still)
    assert {name for name in aside[0] if is_alignment(name)} == {name for name in names if is_alignment(name)}


def tensors(arrays: Any) -> Any:
    return {name: np.array(array) for name, array in arrays.items()}


def test_of_several_processes_only_the_first_puts_its_start_aside(
    make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_worker, "process_number", lambda: 1)
    assert make_worker().align(round_number=0).delta == {}


def test_an_update_is_how_far_the_model_moved(make_worker: MakeWorker) -> None:
    worker = make_worker()
    before = worker.tensors()
    update = worker.pretrain(round_number=0)
    after = worker.tensors()
    assert update.delta.keys() == before.keys()
    assert all(np.array_equal(update.delta[name], after[name] - before[name]) for name in before)


def test_an_alignment_update_holds_alignment_tensors_only(make_worker: MakeWorker) -> None:
    worker = make_worker()
    update = worker.align(round_number=0)
    assert set(update.delta) == {name for name in worker.tensors() if is_alignment(name)}
    assert any(np.any(change) for change in update.delta.values())


def test_no_alignment_steps_give_a_zero_update(make_worker: MakeWorker) -> None:
    update = make_worker(align_steps=0).align(round_number=0)
    assert len(update.delta) > 5
    assert not any(np.any(change) for change in update.delta.values())


def test_tensors_keep_shape_and_type_even_of_scalars(make_worker: MakeWorker) -> None:
    worker = make_worker()
    delta = worker.pretrain(round_number=0).delta
    for name, tensor in worker.tensors().items():
        assert type(delta[name]) is np.ndarray
        assert (delta[name].shape, delta[name].dtype) == (tensor.shape, tensor.dtype)
    assert {tensor.dtype for tensor in delta.values()} == {np.dtype("float32"), np.dtype("int64")}


@pytest.mark.parametrize("task", ["align", "pretrain"])
def test_the_same_seed_gives_the_same_update_bit_for_bit(task: str, make_worker: MakeWorker) -> None:
    one, other = (getattr(make_worker(), task)(round_number=3) for _ in range(2))
    assert equal(one, other)


@pytest.mark.parametrize("task", ["align", "pretrain"])
@pytest.mark.parametrize("change", ["site", "round", "seed"])
def test_another_site_round_or_seed_draws_differently(task: str, change: str, make_worker: MakeWorker) -> None:
    one = getattr(make_worker(), task)(round_number=3)
    worker = make_worker(site="site-b" if change == "site" else "site-a", seed=int(change == "seed"))
    assert not equal(one, getattr(worker, task)(round_number=4 if change == "round" else 3))


def test_what_is_loaded_is_what_the_model_holds(make_worker: MakeWorker) -> None:
    worker = make_worker()
    theta = {name: tensor + np.ones((), tensor.dtype) for name, tensor in worker.tensors().items()}
    part = {name: tensor for name, tensor in theta.items() if is_alignment(name)}
    worker.load(part)
    after = worker.tensors()
    assert all(np.array_equal(after[name], theta[name]) == is_alignment(name) for name in theta)


def test_tensors_are_arrays_of_their_own(make_worker: MakeWorker) -> None:
    worker = make_worker()
    before = worker.tensors()
    copy = {name: tensor.copy() for name, tensor in before.items()}
    worker.pretrain(round_number=0)
    assert all(np.array_equal(before[name], copy[name]) for name in copy)


def test_a_split_is_embedded_as_it_is_validated(make_worker: MakeWorker) -> None:
    worker = make_worker()
    assert torch.equal(worker.embed(worker.data.valid).image, worker.validate("valid").embeddings.image)
    assert len(worker.embed(worker.data.train).text) == len(worker.data.train)
    assert worker.model.configuration["embedding_dim"] == 8


def test_validation_after_training_ignores_how_the_model_was_left(make_worker: MakeWorker) -> None:
    worker = make_worker()
    theta = worker.tensors()
    first = worker.validate("valid").loss
    worker.pretrain(round_number=0)
    worker.load(theta)
    assert worker.validate("valid").loss == first


def test_the_loss_of_a_split_smaller_than_a_batch_is_nan(make_worker: MakeWorker) -> None:
    worker = make_worker(valid_batch_size=4)
    size = len(worker.splits["test"])
    assert math.isfinite(worker.validate("test").loss)
    object.__setattr__(worker._settings, "valid_batch_size", size + 1)
    assert math.isnan(worker.validate("test").loss)


@pytest.mark.parametrize(("setting", "split"), [("batch_size", "train"), ("valid_batch_size", "valid")])
def test_a_site_with_too_few_studies_is_refused_by_name(setting: str, split: str, make_worker: MakeWorker) -> None:
    with pytest.raises(InputError, match=rf"^{setting} must be at most .* {split} studies .*site site-a has"):
        make_worker(**{setting: 1000})


def test_a_round_of_fedaid_trains_fewer_and_encodes_no_more_samples_than_one_of_fedavg(
    make_worker: MakeWorker, passes: dict[str, int]
) -> None:
    """T1 + T2 steps each: only T2 go back through the encoders, and every sample is encoded once beside them."""
    a_round(make_worker(align_steps=0, pretrain_steps=6, binding_weight=0.0))
    assert passes == {"plain": 0, "trained": 6 * 8}
    passes.update(plain=0, trained=0)
    worker = make_worker(align_steps=2, pretrain_steps=4)
    studies = len(worker.data.train)
    a_round(worker)
    assert passes["trained"] == 4 * 8
    assert 2 * 8 <= passes["plain"] <= min(studies, 4 * 8)


def test_phase_two_encodes_nothing_again_that_phase_one_has_encoded(
    make_worker: MakeWorker, passes: dict[str, int]
) -> None:
    a_round(make_worker(align_steps=2, pretrain_steps=2))
    assert passes == {"plain": 2 * 8, "trained": 2 * 8}


def test_a_fresh_view_costs_another_pass_for_every_batch(make_worker: MakeWorker, passes: dict[str, int]) -> None:
    a_round(make_worker(align_steps=2, pretrain_steps=3, teacher_view="fresh"))
    assert passes == {"plain": (2 + 3) * 8, "trained": 3 * 8}


@pytest.mark.parametrize("limit", [0, 512])
def test_a_worker_that_has_lost_the_features_gives_the_same_bits(limit: int, make_worker: MakeWorker) -> None:
    """As where the simulator gives every task a process of its own."""
    whole = make_worker(align_steps=2, pretrain_steps=4, feature_memory_mb=limit)
    theta = whole.tensors()
    aligned = whole.align(round_number=0)
    pretrained = whole.pretrain(round_number=0)
    late = make_worker(align_steps=2, pretrain_steps=4)
    late.load({name: theta[name] + aligned.delta[name] for name in aligned.delta})
    again = make_worker(align_steps=2, pretrain_steps=4)
    again.align(round_number=0)
    again.load({name: theta[name] + aligned.delta[name] for name in aligned.delta})
    assert equal(late.pretrain(round_number=0), again.pretrain(round_number=0))
    assert pretrained.losses.binding > 0


def test_loaded_encoders_make_kept_features_void(make_worker: MakeWorker) -> None:
    used, unused = make_worker(), make_worker()
    theta = {name: tensor * np.asarray(0.9, tensor.dtype) for name, tensor in used.tensors().items()}
    used.align(round_number=0)
    for worker in (used, unused):
        worker.load(theta)
    assert equal(used.align(round_number=0), unused.align(round_number=0))


def test_what_is_encoded_ahead_is_not_encoded_again_and_changes_no_bit(
    make_worker: MakeWorker, passes: dict[str, int]
) -> None:
    changes = {"align_steps": 1, "pretrain_steps": 3}
    plain, ahead = make_worker(**changes), make_worker(**changes)
    expected = a_round(plain)
    passes.update(plain=0, trained=0)
    aligned = ahead.align(round_number=0)
    ahead.work_ahead()
    assert passes["plain"] == 3 * 8
    pretrained = ahead.pretrain(round_number=0)
    assert passes == {"plain": 3 * 8, "trained": 3 * 8}
    assert equal(aligned, expected[0])
    assert equal(pretrained, expected[1])


@pytest.mark.parametrize(
    "changes",
    [
        {"binding_weight": 0.0},
        {"teacher_view": "fresh"},
        {"binding_schedule": "warmup", "binding_warmup_rounds": 2},
    ],
)
def test_nothing_is_encoded_ahead_where_no_kept_teacher_will_ask_for_it(
    changes: dict[str, Any], make_worker: MakeWorker, passes: dict[str, int]
) -> None:
    worker = make_worker(align_steps=1, pretrain_steps=3, **changes)
    worker.work_ahead()
    worker.align(round_number=0)
    worker.work_ahead()
    assert passes["plain"] == 8


def test_encoding_ahead_stops_when_it_is_told_to(make_worker: MakeWorker, passes: dict[str, int]) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        if passes["plain"] > 8:
            raise Stop

    changes = {"align_steps": 1, "pretrain_steps": 3, "micro_batch_size": 4}
    expected = a_round(make_worker(**changes))
    worker = make_worker(**changes)
    passes.update(plain=0)
    worker.align(round_number=0)
    with pytest.raises(Stop):
        worker.work_ahead(check=stop)
    assert passes["plain"] == 8 + 4
    assert equal(worker.pretrain(round_number=0), expected[1])


def test_a_loaded_alignment_leaves_the_features_alone(make_worker: MakeWorker, passes: dict[str, int]) -> None:
    worker = make_worker()
    worker.align(round_number=0)
    seen = passes["plain"]
    worker.load({name: tensor for name, tensor in worker.tensors().items() if is_alignment(name)})
    worker.align(round_number=0)
    assert passes["plain"] == seen


def test_after_phase_two_no_feature_is_kept(make_worker: MakeWorker) -> None:
    """The encoders have moved: what comes next must not see what the old ones made of a sample."""
    used, unused = make_worker(), make_worker()
    a_round(used)
    unused.load(used.tensors())
    assert equal(used.align(round_number=0), unused.align(round_number=0))


@pytest.mark.parametrize("changes", [{}, {"teacher_view": "fresh"}, {"micro_batch_size": 4}, {"precision": "bf16"}])
def test_with_adapters_a_frozen_weight_has_an_update_of_exact_zeros(
    changes: dict[str, Any], adapted_options: dict[str, Any], site_data: SiteData, settings: TrainingSettings
) -> None:
    model = DualEncoder(**adapted_options)
    learns = {name for name, weight in model.named_parameters() if weight.requires_grad}
    settings = replace(settings, weight_decay=0.1, warmup_steps=0, **changes)
    aligned, pretrained = a_round(SiteWorker(model, site_data, settings, site="site-a"))
    assert {name for name, change in pretrained.delta.items() if change.any()} == learns
    assert all(is_alignment(name) for name in aligned.delta)
    assert any(change.any() for change in aligned.delta.values())


def test_a_student_is_measured_only_if_asked_for(make_worker: MakeWorker) -> None:
    silent, telling = make_worker(), make_worker(report_student_loss=True)
    before, after = (worker.pretrain(round_number=0) for worker in (silent, telling))
    assert before.metrics == after.metrics
    assert equal(before, after)
    assert silent.student_loss(0) == {}
    assert telling.student_loss(0) == {"student_loss": silent.validate("valid").loss}


def test_a_students_loss_is_that_of_the_round_asked_for_or_none(make_worker: MakeWorker) -> None:
    worker = make_worker(report_student_loss=True)
    assert worker.student_loss(-1) == {}
    worker.pretrain(round_number=3)
    assert worker.student_loss(2) == worker.student_loss(4) == {}
    assert worker.student_loss(3)["student_loss"] > 0


@pytest.mark.parametrize("ahead", [True, False])
def test_a_student_is_measured_ahead_or_before_another_model_takes_its_place(
    ahead: bool, make_worker: MakeWorker
) -> None:
    worker = make_worker(report_student_loss=True)
    theta = worker.tensors()
    worker.pretrain(round_number=0)
    expected = worker.validate("valid").loss
    if ahead:
        worker.work_ahead()
    worker.load(theta)
    assert worker.validate("valid").loss != expected
    assert worker.student_loss(0) == {"student_loss": expected}


def test_a_student_without_a_sound_loss_is_not_told(make_worker: MakeWorker) -> None:
    worker = make_worker(report_student_loss=True)
    worker.student = Student(0, math.nan)
    assert worker.student_loss(0) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"binding_form": "similarity"},
        {"binding_schedule": "teacher"},
        {"binding_schedule": "warmup", "binding_warmup_rounds": 9},
        {"proximal_weight": 1.0},
    ],
)
@pytest.mark.parametrize("precision", [{}, {"precision": "bf16"}, {"micro_batch_size": 4}])
def test_another_method_moves_the_model_elsewhere(
    changes: dict[str, Any], precision: dict[str, Any], make_worker: MakeWorker
) -> None:
    plain, other = (
        make_worker(binding_weight=20.0, **precision, **given).pretrain(round_number=3) for given in ({}, changes)
    )
    assert not equal(plain, other)
    assert plain.losses.binding_weight == 20.0
    assert (other.losses.binding_weight < 20) == ("binding_schedule" in changes)
    assert (other.losses.proximal > 0) == ("proximal_weight" in changes)


def test_a_heavier_proximal_weight_keeps_the_weights_nearer_to_their_start(make_worker: MakeWorker) -> None:
    def drift(weight: float) -> float:
        return make_worker(proximal_weight=weight, pretrain_steps=12).pretrain(round_number=0).losses.proximal

    drifts = [drift(weight) for weight in (1e-6, 10.0, 1000.0)]
    assert drifts[0] > drifts[1] > drifts[2]


@pytest.mark.parametrize("changes", [{}, {"teacher_view": "fresh"}, {"micro_batch_size": 4}, {"proximal_weight": 1.0}])
@pytest.mark.parametrize("tower", ["image", "text"])
def test_the_update_of_a_frozen_encoder_is_exactly_zero(
    tower: str, changes: dict[str, Any], model_options: dict[str, Any], site_data: SiteData, settings: TrainingSettings
) -> None:
    options = {f"{tower}_encoder": model_options[f"{tower}_encoder"] | {"frozen": True}}
    worker = SiteWorker(
        DualEncoder(**model_options | options), site_data, replace(settings, weight_decay=0.1, **changes), site="a"
    )
    _, pretrained = a_round(worker)
    still = {name for name, change in pretrained.delta.items() if not change.any()}
    assert {name for name in pretrained.delta if name.startswith(f"{tower}.encoder.")} <= still
    assert len(pretrained.delta.keys() - still) > 10


def rounds(worker: SiteWorker, number: int, theta: dict[str, Any]) -> list[LocalUpdate]:
    """Phase two of so many rounds, always from the same model of the server."""
    updates = []
    for round_number in range(number):
        worker.load(theta)
        updates.append(worker.pretrain(round_number=round_number))
    return updates


def test_moon_begins_in_the_second_round(make_worker: MakeWorker) -> None:
    plain, moon = make_worker(), make_worker(moon_weight=5.0)
    theta = plain.tensors()
    (first, second), (moon_first, moon_second) = rounds(plain, 2, theta), rounds(moon, 2, theta)
    assert equal(first, moon_first)
    assert not equal(second, moon_second)
    assert (moon_first.losses.moon, second.losses.moon) == (0, 0)
    assert 0 < moon_second.losses.moon < 5


@pytest.mark.parametrize("changes", [{"moon_weight": 5.0}, {"local_normalisation": True}])
def test_another_process_that_takes_over_the_sites_tensors_gives_the_same_bits(
    changes: dict[str, Any], make_worker: MakeWorker
) -> None:
    one, other = make_worker(**changes), make_worker(**changes)
    theta = one.tensors()
    rounds(one, 1, theta)
    other.site_tensors = dict(one.site_tensors)
    updates = []
    for worker in (one, other):
        worker.load(theta)
        updates.append(worker.pretrain(round_number=1))
    assert one.site_tensors
    assert equal(*updates)


def test_local_normalisation_is_what_the_site_trains_from_and_validates_with(make_worker: MakeWorker) -> None:
    worker, plain = make_worker(local_normalisation=True), make_worker()
    theta = worker.tensors()
    rounds(worker, 1, theta)
    own = {name: tensor for name, tensor in worker.tensors().items() if name in worker.site_tensors}
    assert sum("running_var" in name for name in own) > 3
    for one in (worker, plain):
        one.load(theta)
    assert all(np.array_equal(worker.tensors()[name], own[name]) for name in own)
    assert all(np.array_equal(tensor, theta[name]) for name, tensor in worker.tensors().items() if name not in own)
    assert worker.validate("valid").loss != plain.validate("valid").loss


def test_what_is_sent_of_local_normalisation_leads_from_the_servers_to_the_sites_own(make_worker: MakeWorker) -> None:
    worker = make_worker(local_normalisation=True)
    theta = worker.tensors()
    _, update = rounds(worker, 2, theta)
    assert len(worker.site_tensors) > 10
    assert update.delta.keys() == theta.keys()
    for name, own in worker.site_tensors.items():
        np.testing.assert_allclose(theta[name] + update.delta[name], own, rtol=1e-5, atol=1e-6)


def test_normalisation_stays_local_through_both_phases(make_worker: MakeWorker) -> None:
    worker = make_worker(local_normalisation=True)
    theta = worker.tensors()
    rounds(worker, 1, theta)
    own = dict(worker.site_tensors)
    worker.load(theta)
    aligned = worker.align(round_number=1)
    assert all(is_alignment(name) for name in aligned.delta)
    assert all(np.array_equal(worker.tensors()[name], own[name]) for name in own)


def test_local_normalisation_without_batch_norm_is_refused(
    adapted_options: dict[str, Any], site_data: SiteData, settings: TrainingSettings
) -> None:
    with pytest.raises(InputError, match=r"^local_normalisation must be false where no encoder has batch norm"):
        SiteWorker(DualEncoder(**adapted_options), site_data, replace(settings, local_normalisation=True), site="a")
