from __future__ import annotations

from typing import Any

from admin import step_time
from admin.step_time import TIMED, measure_step
from fedaid.models.dual_encoder import DualEncoder


def test_the_time_is_the_median_of_the_steps_after_the_first(model_options: dict[str, Any], monkeypatch: Any) -> None:
    moments = iter([0.0, 100.0, 0.0, 1.0, 0.0, 3.0, 0.0, 2.0])
    monkeypatch.setattr(step_time.time, "perf_counter", lambda: next(moments))
    assert measure_step(model_options, batch_size=4) == 2.0
    assert TIMED == 3


def test_a_step_is_a_student_beside_its_teacher(model_options: dict[str, Any], monkeypatch: Any) -> None:
    batches: list[int] = []
    forward = DualEncoder.forward

    def counted(model: DualEncoder, images: Any, *texts: Any) -> Any:
        batches.append(len(images))
        return forward(model, images, *texts)

    monkeypatch.setattr(DualEncoder, "forward", counted)
    measure_step(model_options, batch_size=4)
    assert batches == [4] * 2 * (TIMED + 1)
