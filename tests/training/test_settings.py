from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import pytest

from admin.jobs.methods import METHODS
from fedaid.errors import InputError
from fedaid.setting import described, names_with, plain_values
from fedaid.training.settings import BASELINES, BINDING, HARDWARE, OPTIMIZER, SCHEDULE, TrainingSettings
from tests.training.settings_table import on_page, stated, table

NAN, INFINITE = float("nan"), float("inf")
BAD: dict[str, list[Any]] = {
    "batch_size": [1, 0, -1, 2.0, "8", True],
    "valid_batch_size": [1, 0, -1, 2.0, "8", None],
    "align_steps": [-1, 1.5, "1", True],
    "pretrain_steps": [0, -1, "1", True],
    "warmup_steps": [-1, 0.5],
    "threads": [-1],
    "processes": [0, -2, 1.0, "2", True],
    "workers": [-1, "0"],
    "seed": [-1, "x", False],
    "learning_rate": [0, -1e-4, NAN, INFINITE, "1e-4", None, True],
    "align_learning_rate": [0, -1e-4, NAN],
    "max_grad_norm": [0, NAN],
    "weight_decay": [-0.1, NAN],
    "micro_batch_size": [-1, "8", True],
    "feature_memory_mb": [-1, 0.5, None],
    "teacher_view": ["Kept", "", None, 1],
    "precision": ["float16", "bf32", None],
    "compile_backend": ["default", None, True],
    "channels_last": [1, "true", None],
    "gradient_checkpointing": [0, "false"],
    "binding_form": ["point", "", None],
    "binding_schedule": ["growing", 1, None],
    "binding_warmup_rounds": [-1, 0.5, True],
    "proximal_weight": [-0.1, NAN, "0", True],
    "moon_weight": [-1, NAN, None],
    "moon_temperature": [0, -0.5, INFINITE, "0.5"],
    "local_normalisation": [0, "true", None],
    "report_student_loss": [1, "false", None],
    "binding_weight": [-0.1, NAN, INFINITE, "0", True],
}


def test_the_defaults_are_allowed() -> None:
    assert TrainingSettings().batch_size == 32


def test_zero_is_allowed_where_it_turns_a_part_off() -> None:
    settings = TrainingSettings(align_steps=0, warmup_steps=0, weight_decay=0, binding_weight=0)
    assert settings.align_steps == 0


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_value_out_of_range_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InputError, match=rf"^{name} must be .*config_fed_client\.json"):
        TrainingSettings(**{name: value})  # type: ignore[arg-type]


def test_a_micro_batch_divides_the_batch() -> None:
    assert TrainingSettings(batch_size=256, micro_batch_size=32).pairs_at_once == 32
    for size in (1, 48, 512):
        with pytest.raises(InputError, match=rf"^micro_batch_size must divide batch_size 256 .* got {size}:"):
            TrainingSettings(batch_size=256, micro_batch_size=size)


def test_processes_divide_the_batch() -> None:
    assert TrainingSettings(batch_size=24, processes=3).processes == 3
    with pytest.raises(InputError, match=r"^processes must divide batch_size 32, got 3:"):
        TrainingSettings(batch_size=32, processes=3)


def test_without_a_micro_batch_the_whole_batch_lies_in_memory() -> None:
    assert TrainingSettings(batch_size=24).pairs_at_once == 24


def test_a_warm_up_without_rounds_is_refused() -> None:
    assert TrainingSettings(binding_schedule="warmup", binding_warmup_rounds=1).binding_weight > 0
    with pytest.raises(InputError, match=r"^binding_warmup_rounds must be at least 1 with .* warmup, got 0"):
        TrainingSettings(binding_schedule="warmup")


def test_the_quality_of_a_teacher_that_keeps_nothing_is_refused() -> None:
    assert TrainingSettings(binding_schedule="teacher").teacher_view == "kept"
    with pytest.raises(InputError, match=r"^teacher_view must be kept with binding_schedule teacher, got fresh"):
        TrainingSettings(binding_schedule="teacher", teacher_view="fresh")


def test_every_field_says_what_it_is() -> None:
    found = described(TrainingSettings)
    assert list(found) == [field.name for field in fields(TrainingSettings)]
    assert len(found) == 30
    for name, setting in found.items():
        assert setting.group in (SCHEDULE, OPTIMIZER, BINDING, BASELINES, HARDWARE), name
        assert setting.unit, name
        assert setting.doc, name
        assert "|" not in setting.doc, name


def test_a_group_is_one_block_of_fields() -> None:
    groups = [setting.group for setting in described(TrainingSettings).values()]
    blocks = [group for group, former in zip(groups, ["", *groups], strict=False) if group != former]
    assert blocks == [SCHEDULE, OPTIMIZER, BINDING, BASELINES, HARDWARE]


@pytest.mark.parametrize("name", described(TrainingSettings))
def test_no_field_takes_a_value_of_another_kind(name: str) -> None:
    with pytest.raises(InputError, match=rf"^{name} must "):
        TrainingSettings(**{name: ["neither a number nor a name"]})  # type: ignore[arg-type]


def test_a_field_without_a_description_is_an_error() -> None:
    @dataclass
    class Undescribed:
        steps: int = 1

    with pytest.raises(KeyError):
        described(Undescribed)


def test_the_page_has_the_table_of_the_fields() -> None:
    assert on_page() == table(), "run python -m tests.training.settings_table"


def test_a_weight_of_a_term_takes_no_time_in_plain_averaging() -> None:
    terms = names_with(TrainingSettings, cost="term")
    assert terms == ["binding_weight", "proximal_weight", "moon_weight"]
    assert {name: plain_values(TrainingSettings)[name] for name in terms} == dict.fromkeys(terms, 0.0)


def test_the_plainest_method_sets_every_field_that_has_a_plain_value() -> None:
    plain = plain_values(TrainingSettings)
    assert len(plain) == 5
    assert {name: METHODS["fedavg"].settings[name] for name in plain} == plain


@pytest.mark.parametrize("job", ["fedaid_pretrain", "fedavg_pretrain"])
def test_a_job_states_every_field(job: str) -> None:
    assert stated(job).keys() == described(TrainingSettings).keys()
