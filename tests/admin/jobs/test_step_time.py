from __future__ import annotations

from typing import Any

import pytest
import torch

from admin.jobs import step_time
from admin.jobs.step_time import TIMED, made_up_pairs, measure_step
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker

SETTINGS = TrainingSettings(batch_size=4, valid_batch_size=2, report_student_loss=True)


def test_the_time_is_that_of_a_phase_after_the_first_by_its_steps(
    model_options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([100.0, 103.0])
    monkeypatch.setattr(step_time.time, "perf_counter", lambda: next(moments))
    assert measure_step(model_options, SETTINGS) == 3.0 / TIMED


@pytest.mark.parametrize(
    ("changes", "trained", "plain"),
    [
        ({}, [4] * 2 * TIMED, [4 * TIMED] * 2),
        ({"binding_weight": 0.0}, [4] * 2 * TIMED, []),
        ({"binding_schedule": "warmup", "binding_warmup_rounds": 3}, [4] * 2 * TIMED, [4 * TIMED] * 2),
        ({"teacher_view": "fresh"}, [4] * 2 * TIMED, [4] * 2 * TIMED),
        ({"micro_batch_size": 2}, [2] * 8 * TIMED, [2] * 4 * TIMED),  # a part is computed twice
    ],
)
def test_a_step_is_that_of_the_jobs_settings(
    changes: dict[str, Any],
    trained: list[int],
    plain: list[int],
    model_options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passes: dict[bool, list[int]] = {True: [], False: []}
    features = DualEncoder.image_features

    def counted(model: DualEncoder, images: torch.Tensor) -> torch.Tensor:
        passes[torch.is_grad_enabled()].append(len(images))
        return features(model, images)

    monkeypatch.setattr(DualEncoder, "image_features", counted)
    measure_step(model_options, TrainingSettings(**{**vars(SETTINGS), **changes}))
    assert passes == {True: trained, False: plain}


@pytest.mark.parametrize("changes", [{"precision": "bf16"}, {"threads": 2}])
def test_number_format_and_threads_are_the_jobs(
    changes: dict[str, Any], model_options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []
    pretrain, before = SiteWorker.pretrain, torch.get_num_threads()

    def watched(worker: SiteWorker, **arguments: Any) -> Any:
        seen.append((worker._settings.precision, torch.get_num_threads()))
        return pretrain(worker, **arguments)

    monkeypatch.setattr(SiteWorker, "pretrain", watched)
    measure_step(model_options, TrainingSettings(**{**vars(SETTINGS), **changes}))
    assert seen == [(changes.get("precision", "fp32"), changes.get("threads", before))] * 2
    assert torch.get_num_threads() == before


def test_made_up_texts_differ_and_are_as_long_as_they_may_be() -> None:
    split = made_up_pairs(5, image_size=8, tokens=12)
    assert [len(ids) for ids in split.token_ids] == [12] * 5
    assert sorted(split.text_groups) == [0, 1, 2, 3, 4]
