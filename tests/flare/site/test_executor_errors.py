from __future__ import annotations

import errno
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.shareable import Shareable
from nvflare.security.logging import secure_format_exception, secure_format_traceback
from safetensors import SafetensorError

from fedaid.errors import InputError
from fedaid.flare.site.executor import FedAIDExecutor
from fedaid.flare.site.work import own_work as module
from fedaid.flare.software import software_report
from fedaid.flare.wire.replies import ERROR_HEADER, error_reason, is_invalid
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN
from fedaid.models import saved_model
from fedaid.training.processes.torchrun import ProcessesFailed, ProcessesLackMemory
from fedaid.training.site_worker import SiteWorker
from tests.flare.site.asked_site import CANARY, Arrays, Site, same, update_of


@pytest.mark.parametrize("asked", [0, 2])
@pytest.mark.parametrize("before", ["nothing", "align of round 1", "align of round 1 in another process"])
def test_pretrain_without_its_align_is_refused(before: str, asked: int, site: Site) -> None:
    if "process" in before:
        site.swap()
    if "align" in before:
        site.ask(ALIGN, round_number=1)
        site.pretrain(round_number=1)
    if "process" in before:
        site.swap()
    reply = site.pretrain(round_number=asked)
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    got = "no model" if before == "nothing" else "the model of round 1"
    assert reply.get_header(ERROR_HEADER) == (
        f"pretrain of round {asked} must follow align of that round, got {got}: this site"
    )


def test_an_unknown_task_is_an_error_of_this_site_and_not_of_the_job(site: Site) -> None:
    reply = site.ask("learn")
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    assert reply.get_header(ERROR_HEADER) == "the task is unknown at this site"


@pytest.mark.parametrize("version", ["4.57.1", "not installed"])
def test_a_site_with_an_old_library_says_so_before_it_trains(
    version: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(software_report, "installed", lambda name: version)
    reply = site.ask(ALIGN)
    assert is_invalid(reply)
    assert re.fullmatch(
        f"transformers must be version 5 or newer, got {version}: site .+\\. "
        r"Install the versions of requirements\.txt there, as on the server\.",
        reply.get_header(ERROR_HEADER),
    )


def test_a_site_whose_library_does_not_know_the_encoder_says_so_before_it_trains(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_model, "CONFIG_MAPPING", {})
    reply = site.ask(ALIGN)
    assert is_invalid(reply)
    line = reply.get_header(ERROR_HEADER)
    assert re.match(r"(image|text)_encoder must be known to transformers [\d.]+, got '\w+': site .+\. Install", line)


def test_an_input_error_travels_in_the_header(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDAID_DATA", "relative")
    reply = site.ask(ALIGN)
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    assert reply.get_header(ERROR_HEADER).startswith("data_root must be an absolute path")
    assert is_invalid(reply)


def test_a_site_with_another_vocabulary_says_so(site: Site) -> None:
    reply = site.ask(ALIGN, vocabulary_hash="f" * 64)
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    assert "vocabulary must have sha256 ffffffffffff" in reply.get_header(ERROR_HEADER)


def test_a_long_error_is_cut(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise InputError("x", "be short", got="y" * 10_000, where="z", remedy="Shorten it.")

    monkeypatch.setattr(module.DataFolders, "load", fail)
    assert len(site.ask(ALIGN).get_header(ERROR_HEADER)) == 500


def test_a_lost_process_is_told_in_words(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ProcessesFailed("training must end well in all processes")

    monkeypatch.setattr(SiteWorker, "align", fail)
    reply = site.ask(ALIGN)
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    assert reply.get_header(ERROR_HEADER) == "training must end well in all processes"


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError,
        ValueError,
        OSError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        ZeroDivisionError,
        SafetensorError,
        UnicodeError,
    ],
)
def test_any_other_error_is_told_by_its_type_only_even_in_the_log(
    error: type[Exception], site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        try:
            raise FileNotFoundError(CANARY)
        except FileNotFoundError as cause:
            raise error(CANARY) from cause

    monkeypatch.setattr(module.DataFolders, "load", fail)
    with caplog.at_level(logging.DEBUG):
        reply = site.ask(ALIGN)
    assert reply.get_return_code() == ReturnCode.EXECUTION_EXCEPTION
    assert reply.get_header(ERROR_HEADER) == f"align: {error.__name__}"
    assert "DOE" not in str(dict(reply))
    assert "DOE" not in caplog.text
    assert "test_executor_errors.py" in caplog.text  # the place of the fault is there


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(CANARY),
        torch.OutOfMemoryError(CANARY),
        RuntimeError(f"[enforce fail] . DefaultCPUAllocator: can't allocate memory: you tried {CANARY}"),
        RuntimeError(f"CUDA error: out of memory {CANARY}"),
        OSError(errno.ENOMEM, CANARY),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("task", [ALIGN, PRETRAIN])
def test_out_of_memory_is_an_answer_with_that_reason_and_costs_the_site_a_round(
    task: str, error: Exception, site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = [update_of(site.ask(ALIGN, round_number=1)), update_of(site.pretrain(1))]
    site.restart()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    with monkeypatch.context() as patch, caplog.at_level(logging.DEBUG):
        patch.setattr(torch.optim.AdamW, "step", fail)
        reply = site.ask(ALIGN) if task == ALIGN else (site.ask(ALIGN), site.pretrain())[1]
    assert (reply.get_return_code(), error_reason(reply)) == (ReturnCode.EXECUTION_EXCEPTION, "out_of_memory")
    assert reply.get_header(ERROR_HEADER).startswith(
        f"{task}: out of memory ({type(error).__name__}). Lower batch_size"
    )
    assert "DOE" not in str(dict(reply)) + caplog.text
    found = [update_of(site.ask(ALIGN, round_number=1)), update_of(site.pretrain(1))]
    assert all(same(one, other) for one, other in zip(expected, found, strict=True))


def test_out_of_memory_in_one_of_several_processes_has_that_reason_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ProcessesLackMemory("training must end well in all processes")

    monkeypatch.setattr(SiteWorker, "align", fail)
    assert error_reason(site.ask(ALIGN)) == "out_of_memory"


def test_a_loss_that_is_not_finite_is_told_as_such(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_number(*args: Any) -> torch.Tensor:
        return torch.tensor(float("nan"), requires_grad=True)

    monkeypatch.setattr("fedaid.training.trainer.info_nce_loss", no_number)
    reply = site.ask(ALIGN)
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    assert reply.get_header(ERROR_HEADER).startswith("loss must be finite")


def test_what_is_not_a_message_is_refused(site: Site) -> None:
    reply = site.executor.execute(ALIGN, Shareable(), site.context, site.abort)
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    assert reply.get_header(ERROR_HEADER) == "message must hold a DXO"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda theta: {**theta, "log_logit_scale": np.array(np.nan, np.float32)}, "must be finite"),
        (lambda theta: {name: theta[name] for name in list(theta)[1:]}, "is missing (1 in all)"),
        (lambda theta: {**theta, "more": np.zeros(1, np.float32)}, "is not of the model"),
        (lambda theta: {**theta, "log_logit_scale": np.zeros(1, np.float32)}, "must have shape ()"),
        (lambda theta: {**theta, "log_logit_scale": np.array(1.0)}, "must have type float32"),
    ],
)
def test_a_bad_global_model_is_refused_before_it_is_kept(
    spoil: Callable[[Arrays], Arrays], reason: str, site: Site
) -> None:
    reply = site.ask(ALIGN, spoil(site.theta))
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    assert "model of round 0 refused" in reply.get_header(ERROR_HEADER)
    assert reason in reply.get_header(ERROR_HEADER)
    assert site.pretrain().get_return_code() == ReturnCode.BAD_TASK_DATA


def test_pretrain_takes_alignment_tensors_only(site: Site) -> None:
    site.ask(ALIGN)
    assert site.ask(PRETRAIN, site.theta).get_return_code() == ReturnCode.BAD_TASK_DATA


def test_an_update_that_is_not_plain_does_not_leave(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    align = SiteWorker.align

    def spoilt(worker: SiteWorker, **arguments: Any) -> Any:
        update = align(worker, **arguments)
        return replace(update, delta={name: torch.from_numpy(delta) for name, delta in update.delta.items()})

    monkeypatch.setattr(SiteWorker, "align", spoilt)
    reply = site.ask(ALIGN)
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    assert "DXO" not in reply


@pytest.mark.parametrize("settings", [{"batch_size": 1}, {"batchsize": 8}, {"data_root": "/etc"}])
def test_a_bad_setting_is_refused_when_the_executor_is_made(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        FedAIDExecutor(**settings)


def test_from_the_start_of_a_run_flare_gives_no_text_of_an_exception(site: Site) -> None:
    site.executor.handle_event(EventType.START_RUN, site.context)
    assert CANARY not in secure_format_exception(ValueError(CANARY))
    try:
        raise ValueError(CANARY)
    except ValueError:
        assert CANARY not in secure_format_traceback()
