from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fedaid.data.site_data import SiteData
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.processes.data_folders import DataFolders
from fedaid.training.processes.rank import failure_file
from fedaid.training.processes.spread_worker import LOG, SpreadWorker, at_site, failure, worker_for
from fedaid.training.processes.torchrun import ProcessesFailed
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker
from tests.training.gradient_process import NO_BATCH_NORM
from tests.training.process_table import becomes, children, environment, runs

Make = Callable[..., SiteWorker]


class Stop(Exception):
    pass


@pytest.fixture
def make(
    consortium: dict[str, Path], site_data: SiteData, settings: TrainingSettings, image_cache: Path, tmp_path: Path
) -> Make:
    """A function that makes the worker of the first hospital."""
    site, root = next(iter(consortium.items()))

    def worker(options: dict[str, Any] = NO_BATCH_NORM, **changes: Any) -> SiteWorker:
        folders = DataFolders(root, image_cache / site)
        changed = replace(settings, **changes)
        return worker_for(DualEncoder(**options), site_data, changed, site=site, folders=folders, folder=tmp_path)

    return worker


def started() -> list[int]:
    """torchrun and its processes, once two of them are there."""
    for torchrun in children(os.getpid()):
        ranks = [pid for pid in children(torchrun) if "RANK" in environment(pid)]
        if len(ranks) == 2:
            return [torchrun, *ranks]
    return []


def test_one_process_needs_no_other(make: Make) -> None:
    assert type(make()) is SiteWorker
    assert type(make(processes=2)) is SpreadWorker


def test_more_processes_than_gpus_are_refused(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(InputError, match=r"^processes must be at most the site's GPUs, 1, got 2"):
        make(processes=2)


def test_a_site_says_how_many_processes_it_has(settings: TrainingSettings) -> None:
    assert at_site(settings, {}, site="north") == settings
    assert at_site(settings, {"FEDAID_PROCESSES": "4"}, site="north") == replace(settings, processes=4)


@pytest.mark.parametrize("value", ["0", "3", "-2", "two", "2.0", "16"])
def test_a_number_that_does_not_divide_the_batch_is_the_sites_to_correct(
    value: str, settings: TrainingSettings
) -> None:
    with pytest.raises(InputError, match=r"^FEDAID_PROCESSES must be a divisor of batch_size 8, .* of site north"):
        at_site(settings, {"FEDAID_PROCESSES": value}, site="north")


def test_the_words_of_a_process_about_a_setting_are_passed_on(tmp_path: Path) -> None:
    failure_file(tmp_path, 0).write_text(json.dumps({"type": "RuntimeError", "text": ""}))
    failure_file(tmp_path, 1).write_text(json.dumps({"type": "InputError", "text": "x must be y"}))
    assert failure(tmp_path, 2, what="align at site north") == "x must be y"


def test_otherwise_it_is_said_what_became_of_each(tmp_path: Path) -> None:
    failure_file(tmp_path, 1).write_text(json.dumps({"type": "KeyError", "text": ""}))
    text = failure(tmp_path, 2, what="align at site north")
    assert "got process 0: no word (killed, or ended with the others); process 1: KeyError: align at site north" in text
    assert LOG in text


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"micro_batch_size": 2, "teacher_view": "fresh", "proximal_weight": 1.0},
        {"binding_form": "similarity", "binding_schedule": "teacher", "binding_weight": 9.0},
    ],
    ids=["in parts, near the start", "bound by another form and schedule"],
)
def test_a_phase_in_two_processes_moves_the_model_as_one_does(make: Make, changes: dict[str, Any]) -> None:
    alone, spread = make(**changes), make(processes=2, **changes)
    for task in ("align", "pretrain"):
        expected, found = (getattr(worker, task)(round_number=1) for worker in (alone, spread))
        assert found.losses.contrastive == pytest.approx(expected.losses.contrastive, abs=1e-5)
        assert found.losses.binding == pytest.approx(expected.losses.binding, abs=1e-5)
        assert found.losses.duplicates == expected.losses.duplicates
        assert found.delta.keys() == expected.delta.keys()
        matrices = [name for name, delta in expected.delta.items() if delta.ndim >= 2]
        assert len(matrices) > 8
        for name in matrices:  # a bias may have no gradient but noise, and Adam makes much of it
            difference = np.abs(found.delta[name] - expected.delta[name]).mean()
            assert difference < 1e-4 * np.abs(expected.delta[name]).mean(), name
        spread.load(alone.tensors())


@pytest.mark.slow
def test_several_processes_know_the_sites_last_model_and_their_student_is_measured_too(make: Make) -> None:
    updates, losses = [], []
    for processes in (1, 2):
        worker = make(processes=processes, moon_weight=2.0, report_student_loss=True)
        tensors = worker.tensors().items()
        worker.site_tensors = {name: np.asarray(tensor * 0.5, tensor.dtype) for name, tensor in tensors}
        updates.append(worker.pretrain(round_number=1))
        losses.append(worker.student_loss(1)["student_loss"])
    alone, spread = updates
    assert alone.losses.moon > 0
    assert spread.losses.moon == pytest.approx(alone.losses.moon, abs=1e-5)
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0, 6])
def test_a_killed_process_ends_the_phase_with_a_clear_error_and_leaves_no_other(
    make: Make, tmp_path: Path, seconds: float
) -> None:
    """Killed while it starts, and in the middle of training, when the other waits for it."""
    seen: list[int] = []
    met: list[float] = []

    def kill() -> None:
        if not met and (seconds == 0 or list(tmp_path.glob("fedaid_phase_*/meeting"))) and started():
            met.append(time.monotonic())
        if met and not seen and time.monotonic() > met[0] + seconds:
            seen.extend(started())
            os.kill(seen[-1], signal.SIGKILL)

    with pytest.raises(ProcessesFailed, match=r"^training must end well in all processes, .*: pretrain at site "):
        make(processes=2, pretrain_steps=5000).pretrain(round_number=0, check=kill)
    assert len(seen) == 3
    assert becomes(lambda: not any(map(runs, seen)), seconds=5)
    assert list(tmp_path.glob("fedaid_phase_*")) == []


@pytest.mark.slow
def test_a_check_that_raises_ends_the_phase_and_its_processes(make: Make, tmp_path: Path) -> None:
    seen: list[int] = []

    def stop() -> None:
        if list(tmp_path.glob("fedaid_phase_*/meeting")):
            seen.extend(started())
            raise Stop

    with pytest.raises(Stop):
        make(processes=2).align(round_number=0, check=stop)
    assert len(seen) == 3
    assert becomes(lambda: not any(map(runs, seen)), seconds=5)
    assert list(tmp_path.glob("fedaid_phase_*")) == []


@pytest.mark.slow
def test_a_loss_that_is_no_number_is_said_in_the_words_of_one_process(make: Make) -> None:
    with pytest.raises(ProcessesFailed, match="loss must be finite"):
        make(processes=2, pretrain_steps=8, learning_rate=1e30).pretrain(round_number=0)
