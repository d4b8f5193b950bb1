from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError

from fedaid import sealed_folder
from fedaid.errors import InputError
from fedaid.flare.server import run_store
from fedaid.flare.server.run_store import KEPT, OPTIMIZER, VIEW, NewBest, RunStore
from fedaid.models.saved_model import load_model
from fedaid.sealed_folder import Damaged, damage, require_whole
from tests.chaos.files.injury import files_in, injuries, with_flipped_bit

Seen = tuple[int, float, int | None]


class Crash(BaseException):
    """The process ends here."""


def tensors(value: float) -> dict[str, Any]:
    return {"matrix": np.full((2, 3), value, np.float32), "scalar": np.array(value, np.float32)}


def best_of(value: int) -> NewBest:
    return NewBest(tensors(value), {"round": value})


def opened(folder: Path) -> RunStore:
    return RunStore(folder, configuration={"image_size": 32}, vocabulary_hash="0a1b")


def commit(store: RunStore, number: int, value: float = -1.0, best: NewBest | None = None) -> None:
    value = float(number) if value < 0 else value
    moments = {"first_moment/matrix": np.full((2, 3), value, np.float32)}
    store.commit(tensors(value), {"round": number}, optimizer=moments, run={"settings": {"seed": 0}}, best=best)


def seen(store: RunStore) -> Seen:
    """Round, value and round of the best model as a new process finds them; every part must be of one commit."""
    newest = opened(store.folder).newest
    assert newest is not None
    value = float(newest.tensors()["matrix"][0, 0])
    assert newest.tensors(OPTIMIZER)["first_moment/matrix"][0, 0] == value
    assert newest.run == {"settings": {"seed": 0}}
    if newest.best is None:
        return newest.state["round"], value, None
    assert newest.best.tensors()["matrix"][0, 0] == newest.best.state["round"]
    return newest.state["round"], value, newest.best.state["round"]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return opened(tmp_path / "store")


def names(store: RunStore) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir())


@pytest.fixture
def crash_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A function of n: the n-th operation on the file system raises, before it does anything."""

    def arm(at: int) -> None:
        left = iter(range(at, -1, -1))

        def guarded(owner: Any, name: str) -> None:
            original = getattr(owner, name)

            def operation(*args: Any, **kwargs: Any) -> Any:
                if next(left, -1) == 0:
                    raise Crash
                return original(*args, **kwargs)

            monkeypatch.setattr(owner, name, operation)

        for name in ("mkdir", "write_text", "rename", "replace"):
            guarded(Path, name)
        guarded(os, "fsync")
        for name in ("save_model", "save_file"):
            guarded(run_store, name)
        guarded(sealed_folder, "description")
        for name in ("rmtree", "copytree"):
            guarded(shutil, name)

    return arm


def test_a_generation_is_one_set_and_is_read_back(store: RunStore) -> None:
    commit(store, 1, best=best_of(0))
    assert seen(store) == (1, 1.0, 0)
    assert names(store) == ["round-00001"]


def test_an_empty_store_has_no_generation(store: RunStore) -> None:
    assert store.newest is None
    assert store.results is None


def test_an_optimizer_and_a_view_without_a_memory_have_no_file(store: RunStore) -> None:
    newest = store.commit(tensors(1), {"round": 1})
    assert newest.tensors(OPTIMIZER) == newest.tensors(VIEW) == {}
    assert not (newest.folder / OPTIMIZER).exists()


def test_a_view_is_read_back_whatever_its_memory_layout(store: RunStore) -> None:
    turned = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    store.commit(tensors(1), {"round": 1}, view={"matrix": turned})
    newest = opened(store.folder).newest
    assert newest is not None
    assert np.array_equal(newest.tensors(VIEW)["matrix"], turned)


def test_the_last_generations_are_kept_and_older_ones_are_removed(store: RunStore) -> None:
    for number in range(1, KEPT + 3):
        commit(store, number)
    assert names(store) == [f"round-{number:05d}" for number in range(3, KEPT + 3)]


def test_the_best_model_is_carried_along_until_there_is_a_better_one(store: RunStore) -> None:
    commit(store, 1, best=best_of(0))
    commit(store, 2)
    assert seen(store) == (2, 2.0, 0)
    commit(store, 3, best=best_of(2))
    commit(opened(store.folder), 4)
    assert seen(store) == (4, 4.0, 2)


def test_a_round_may_be_committed_again(store: RunStore) -> None:
    for value in range(KEPT + 2):
        commit(store, 1, value)
    assert seen(store) == (1, KEPT + 1.0, None)
    assert len(names(store)) == KEPT


def test_a_crash_at_any_operation_leaves_a_whole_generation(
    tmp_path: Path, crash_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(200):
        store = opened(tmp_path / str(at))
        commit(store, 1, best=best_of(0))
        commit(store, 2)
        crash_at(at)
        try:
            commit(store, 3, best=best_of(3))
            done = True
        except Crash:
            done = False
        monkeypatch.undo()
        assert seen(store) in ((2, 2.0, 0), (3, 3.0, 3)), at
        commit(opened(store.folder), 3, best=best_of(3))
        assert seen(store) == (3, 3.0, 3), at
        if done:
            break
    assert 30 < at < 199, "every operation must have been hit"


def damaged_at(file: Path, bit: int) -> None:
    file.write_bytes(with_flipped_bit(file.read_bytes(), bit))


def test_a_flipped_bit_or_a_cut_anywhere_means_the_generation_before_and_says_so(tmp_path: Path) -> None:
    first = opened(tmp_path / "store")
    for number in (1, 2):
        commit(first, number, best=best_of(number - 1))
    files = files_in(first.folder / "round-00002")
    assert len(files) == 10
    tried = sum(check_skipped(opened(first.folder)) for _ in injuries(files, flips=200, cuts=30))
    assert tried == 230
    assert seen(first) == (2, 2.0, 1)


def check_skipped(store: RunStore) -> int:
    assert store.newest is not None
    assert store.newest.state["round"] == 1
    assert store.skipped.keys() == {"round-00002"}
    return 1


def test_a_missing_file_counts_as_damage_and_an_extra_one_does_not(store: RunStore) -> None:
    for number in (1, 2):
        commit(store, number)
    (store.folder / "round-00002" / "note.txt").write_text("seen")
    assert seen(store)[0] == 2
    (store.folder / "round-00002" / OPTIMIZER).unlink()
    again = opened(store.folder)
    assert again.newest is not None
    assert again.newest.state["round"] == 1
    assert "cannot be read" in again.skipped["round-00002"]


def test_a_store_with_damaged_generations_only_is_an_error_and_never_a_new_start(store: RunStore) -> None:
    for number in (1, 2):
        commit(store, number)
        damaged_at(store.folder / f"round-{number:05d}" / "model.safetensors", 900)
    with pytest.raises(Damaged, match=r"no whole generation: round-00002: model.safetensors differs.*round-00001"):
        _ = opened(store.folder).newest


def test_a_damaged_generation_does_not_push_a_whole_one_out(store: RunStore) -> None:
    for number in range(1, KEPT + 1):
        commit(store, number)
    damaged_at(store.folder / f"round-{KEPT:05d}" / "model.safetensors", 900)
    again = opened(store.folder)
    commit(again, KEPT, 9.0)
    assert seen(store) == (KEPT, 9.0, None)
    assert names(store) == ["round-00001", "round-00002", "round-00003", "round-00003.1"]
    commit(again, KEPT + 1)
    assert names(store) == ["round-00002", "round-00003", "round-00003.1", "round-00004"]


def test_copies_beside_the_rounds_are_ignored_and_stay(store: RunStore) -> None:
    commit(store, 1)
    copies = ["round-00001 (copy)", "round-00003.bak", "round-9", "round-old"]
    for name in copies:
        shutil.copytree(store.folder / "round-00001", store.folder / name)
    (store.folder / "round-00007").write_text("a note")
    assert seen(store) == (1, 1.0, None)
    again = opened(store.folder)
    for number in range(2, KEPT + 3):
        commit(again, number)
    assert {*copies, "round-00007"} <= {*names(store)}
    assert seen(store) == (KEPT + 2, KEPT + 2.0, None)


def test_a_whole_folder_under_the_name_of_another_round_is_skipped(store: RunStore) -> None:
    commit(store, 1)
    shutil.copytree(store.folder / "round-00001", store.folder / "round-00002")
    again = opened(store.folder)
    assert again.newest is not None
    assert again.newest.state["round"] == 1
    assert again.skipped == {"round-00002": "state.json is not that of round-00002"}


@pytest.mark.parametrize(
    "state",
    [
        "[]",
        "no JSON",
        '{"round": "2"}',
        '{"history": []}',
        '{"history": [{}], "round": 2}',
        '{"history": 2, "round": 2}',
    ],
)
def test_a_sealed_state_of_another_form_is_skipped(state: str, store: RunStore) -> None:
    for number in (1, 2):
        commit(store, number)
    (store.folder / "round-00002" / "state.json").write_text(state)
    sealed_folder.seal(store.folder / "round-00002")
    again = opened(store.folder)
    assert again.newest is not None
    assert again.newest.state["round"] == 1
    assert again.skipped == {"round-00002": "state.json is not that of round-00002"}


def test_a_sealed_generation_without_a_model_is_skipped(store: RunStore) -> None:
    for number in (1, 2):
        commit(store, number)
    (store.folder / "round-00002" / "model.safetensors").unlink()
    sealed_folder.seal(store.folder / "round-00002")
    again = opened(store.folder)
    assert again.newest is not None
    assert again.skipped == {"round-00002": "there is no model.safetensors"}


def test_a_store_without_a_round_delivers_an_empty_folder(store: RunStore, tmp_path: Path) -> None:
    store.deliver(tmp_path / "job")
    assert [*(tmp_path / "job").iterdir()] == []


def test_a_best_model_that_was_damaged_meanwhile_is_not_carried_along(store: RunStore) -> None:
    commit(store, 1, best=best_of(0))
    damaged_at(store.folder / "round-00001" / "best" / "model.safetensors", 900)
    with pytest.raises(Damaged, match=r"best cannot be copied: model.safetensors differs"):
        commit(store, 2)
    assert names(store) == [".round.unfinished", "round-00001"]


def test_a_generation_that_the_disk_did_not_take_is_an_error_and_removes_nothing(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, KEPT + 1):
        commit(store, number)
    monkeypatch.setattr(run_store, "damage", lambda folder: "model.safetensors differs from MANIFEST.json")
    with pytest.raises(Damaged, match="round-00004 is not on disk as it was written"):
        commit(store, KEPT + 1)
    assert len(names(store)) == KEPT + 1


def test_all_of_a_generation_is_on_disk_before_it_gets_its_name(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    rename = Path.rename
    monkeypatch.setattr(sealed_folder, "flush", lambda path: done.append(path.name))
    monkeypatch.setattr(run_store, "flush", lambda path: done.append(path.name))
    monkeypatch.setattr(Path, "rename", lambda path, to: (done.append(f"rename {to.name}"), rename(path, to))[1])
    commit(store, 1, best=best_of(0))
    named = done.index("rename round-00001")
    written = {"model.safetensors", "config.json", "state.json", "run.json", OPTIMIZER, "best"}
    assert written <= set(done[:named])
    assert done[named + 1 :] == ["store"]


def test_results_are_kept_whole_or_not_at_all(
    tmp_path: Path, crash_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(50):
        store = opened(tmp_path / str(at))
        store.finish({"best_round": 1})
        crash_at(at)
        try:
            store.finish({"best_round": 2})
            done = True
        except Crash:
            done = False
        monkeypatch.undo()
        assert opened(store.folder).results in ({"best_round": 1}, None, {"best_round": 2}), at
        if done:
            break
    assert opened(store.folder).results == {"best_round": 2}
    damaged_at(store.folder / "finished" / "results.json", 40)
    assert opened(store.folder).results is None


def test_results_are_those_of_the_newest_whole_generation_or_none(store: RunStore) -> None:
    commit(store, 1)
    commit(store, 2)
    store.finish({"round": 2})
    assert opened(store.folder).results == {"round": 2}
    damaged_at(store.folder / "round-00002" / "model.safetensors", 900)
    again = opened(store.folder)
    assert again.results is None
    assert [*again.skipped] == ["round-00002"]


def test_an_old_round_that_cannot_be_removed_does_not_stop_the_run(
    store: RunStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    commit(store, 1)
    (store.folder / "round-00001").rename(tmp_path / "elsewhere")
    (store.folder / "round-00001").symlink_to(tmp_path / "elsewhere")
    for number in range(2, 3 + KEPT):
        commit(store, number)
    assert seen(store)[0] == 2 + KEPT
    assert "round-00001 of the run store could not be removed: " in caplog.text
    assert "round-00002" not in names(store)


def test_a_delivered_run_has_the_names_that_its_readers_know_and_is_sealed(store: RunStore, tmp_path: Path) -> None:
    commit(store, 1, best=best_of(0))
    commit(store, 2)
    commit(store, 2, best=best_of(2))
    target = tmp_path / "job"
    store.deliver(target, {"best_round": 2})
    found = sorted(path.name for path in target.iterdir())
    assert found == ["BEST", "MANIFEST.json", "ROUND", "best-00002", "results.json", "round-00002"]
    assert (target / "ROUND").read_text() == "round-00002"
    assert not (target / "round-00002" / "best").exists()
    assert [damage(folder) for folder in (target, target / "round-00002", target / "best-00002")] == ["", "", ""]
    damaged_at(target / "best-00002" / "model.safetensors", 900)
    with pytest.raises(InputError, match=r"folder must be as its MANIFEST.json says, got model.safetensors differs"):
        load_model(target / "best-00002")
    with pytest.raises(InputError, match=r"got best-00002/model.safetensors differs"):
        require_whole(target)


def test_a_damaged_generation_is_not_delivered(store: RunStore, tmp_path: Path) -> None:
    commit(store, 1)
    assert store.newest is not None
    damaged_at(store.newest.folder / "model.safetensors", 900)
    with pytest.raises(Damaged, match="round-00001 cannot be copied"):
        store.deliver(tmp_path / "job")


def test_a_full_disk_is_an_error_of_one_line_and_changes_no_generation(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(store, 1)

    def full(*_: Any, **__: Any) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(run_store, "save_model", full)
    with pytest.raises(OSError, match="round 2 cannot be written to the run store: I/O error: No space left"):
        commit(store, 2)
    assert seen(store) == (1, 1.0, None)


@pytest.mark.parametrize("name", ["write_text", "mkdir", "rename"])
def test_a_full_disk_at_another_write_says_what_to_do_too(
    name: str, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(store, 1)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device", "/a/folder")

    with monkeypatch.context() as patch:
        patch.setattr(Path, name, full)
        with pytest.raises(
            Damaged, match=r"^round 2 cannot be written to the run store: No space.*\. Free space on that"
        ):
            commit(store, 2)
    assert seen(store) == (1, 1.0, None)
    commit(store, 2)
    assert seen(store) == (2, 2.0, None)
