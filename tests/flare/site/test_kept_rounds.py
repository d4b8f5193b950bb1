from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvflare.apis.fl_context import FLContext
from safetensors import SafetensorError

from fedaid.flare.site.kept_rounds import KEPT, KeptRound, KeptRounds, is_lost
from fedaid.flare.wire.tasks import ModelMessage, RunStamp

RUN = RunStamp("pilot", 1)


def keep(rounds: KeptRounds, number: int, fl_ctx: FLContext, *, value: float = 0.0, run: RunStamp = RUN) -> None:
    tensors = {"moment": np.full((2, 3), value or number, np.float32).T}
    rounds.keep(run, number, tensors, description={"student": [number, 1.5]}, fl_ctx=fl_ctx)


def folder(fl_ctx: FLContext) -> Path:
    return Path(fl_ctx.get_engine().get_workspace().get_root_dir()) / "fedaid_runs" / "pilot"


def test_the_newest_round_before_a_round_is_found_by_another_process(site_context: FLContext) -> None:
    for number in range(KEPT + 1):
        keep(KeptRounds("state"), number, site_context)
    found = KeptRounds("state").before(KEPT, RunStamp("pilot", 2), site_context)
    assert found is not None
    assert (found.round_number, found.description) == (KEPT - 1, {"student": [KEPT - 1, 1.5]})
    assert found.tensors["moment"].shape == (3, 2)
    assert sorted(path.name for path in folder(site_context).iterdir()) == [
        f"state-{number:05d}" for number in range(1, KEPT + 1)
    ]


def test_what_a_former_run_of_the_same_name_kept_is_neither_used_nor_in_the_way(site_context: FLContext) -> None:
    former, present = RunStamp("pilot", 1, began="0a"), RunStamp("pilot", 1, began="1b")
    rounds = KeptRounds("state")
    for number in (7, 8, 9):
        keep(rounds, number, site_context, run=former)
    assert rounds.before(8, present, site_context) is None
    found = rounds.before(8, RunStamp("pilot", 2, began="0a"), site_context)
    assert found is not None
    assert (found.round_number, found.description) == (7, {"student": [7, 1.5]})
    for number in range(3):
        keep(rounds, number, site_context, run=present)
        found = rounds.before(number + 1, present, site_context)
        assert found is not None
        assert found.round_number == number
    assert sorted(path.name for path in folder(site_context).iterdir()) == [f"state-{n:05d}" for n in range(3)]


def test_copies_beside_the_rounds_are_ignored(site_context: FLContext) -> None:
    rounds = KeptRounds("state")
    keep(rounds, 1, site_context)
    for name in ("state-00002.bak", "state-copy", "state-00001 (1)"):
        shutil.copytree(folder(site_context) / "state-00001", folder(site_context) / name)
    found = rounds.before(5, RUN, site_context)
    assert found is not None
    assert found.round_number == 1
    keep(rounds, 2, site_context)
    assert len([*folder(site_context).iterdir()]) == 5


def test_components_and_runs_do_not_meet(site_context: FLContext) -> None:
    keep(KeptRounds("state"), 0, site_context)
    assert KeptRounds("residual").before(1, RUN, site_context) is None
    assert KeptRounds("state").before(1, RunStamp("other", 1), site_context) is None
    assert KeptRounds("state").before(0, RUN, site_context) is None


def test_a_round_that_is_done_again_replaces_the_former_one(site_context: FLContext) -> None:
    rounds = KeptRounds("state")
    for value in (1.0, 2.0):
        keep(rounds, 4, site_context, value=value)
    found = rounds.before(5, RUN, site_context)
    assert found is not None
    assert found.tensors["moment"][0, 0] == 2.0


def test_a_damaged_round_is_skipped(site_context: FLContext) -> None:
    rounds = KeptRounds("state")
    for number in (0, 1):
        keep(rounds, number, site_context)
    file = folder(site_context) / "state-00001" / "tensors.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    found = rounds.before(2, RUN, site_context)
    assert found is not None
    assert found.round_number == 0


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), SafetensorError("I/O error")])
def test_a_full_disk_does_not_end_the_round_and_leaves_the_former_ones(
    error: Exception, site_context: FLContext, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise error

    rounds = KeptRounds("state")
    keep(rounds, 0, site_context)
    with monkeypatch.context() as patch:
        patch.setattr("fedaid.flare.site.kept_rounds.save_file", full)
        keep(rounds, 1, site_context)
    assert "round 1 was not written to the site's disk" in caplog.text
    found = rounds.before(2, RUN, site_context)
    assert found is not None
    assert found.round_number == 0
    assert is_lost(found, ModelMessage(2, {}, {}, "0a1b", RUN, {"oak": 1}), site="oak")


@pytest.mark.parametrize(
    ("kept", "trained", "lost"),
    [
        (None, {}, False),
        (None, {"oak": 0}, True),
        (1, {"oak": 2}, True),
        (2, {"oak": 2}, False),
        (2, {"oak": 1}, False),
    ],
)
def test_a_site_has_lost_its_state_if_it_trained_after_what_it_kept(
    kept: int | None, trained: dict[str, Any], lost: bool
) -> None:
    found = None if kept is None else KeptRound(kept, {}, {})
    assert is_lost(found, ModelMessage(3, {}, {}, "0a1b", RUN, trained), site="oak") is lost


def test_a_disk_that_cannot_be_read_has_kept_nothing(
    site_context: FLContext, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keep(KeptRounds("state"), 0, site_context)

    def read_only(run: RunStamp, fl_ctx: FLContext) -> Path:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("fedaid.flare.site.kept_rounds.folder_of", read_only)
    found = KeptRounds("state").before(1, RUN, site_context)
    assert found is None
    assert is_lost(found, ModelMessage(1, {}, {}, "", trained={"lake": 0}), site="lake")
    assert "cannot be read from its disk (OSError)" in caplog.text
