from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from fedaid import atomic_file
from fedaid.flare.server import run_store
from fedaid.flare.server.run_store import BEST, OPTIMIZER, ROUND, RunStore

Generation = tuple[int, float]


class Crash(BaseException):
    """The process ends here."""


def tensors(value: float) -> dict[str, Any]:
    return {"matrix": np.full((2, 3), value, np.float32), "scalar": np.array(value, np.float32)}


def read(store: RunStore, kind: str = ROUND) -> Generation:
    """Round and value of the newest generation, read from the disk; fails where any part of it is missing."""
    folder = store.newest(kind)
    state, found = json.loads((folder / "state.json").read_text()), load_file(folder / "model.safetensors")
    assert json.loads((folder / "config.json").read_text())["configuration"] == {"image_size": 32}
    assert found["scalar"].shape == ()
    return state["round"], float(found["matrix"][0, 0])


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "store", configuration={"image_size": 32}, vocabulary_hash="0a1b")


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
        for name in ("open", "fsync"):
            guarded(os, name)
        guarded(run_store, "save_model")
        guarded(run_store, "save_file")
        guarded(run_store.shutil, "rmtree")

    return arm


def test_a_commit_is_read_back(store: RunStore) -> None:
    folder = store.commit(tensors(1.0), {"round": 1})
    assert folder == store.newest(ROUND)
    assert read(store) == (1, 1.0)


def test_the_one_before_is_kept_and_older_ones_are_removed(store: RunStore) -> None:
    for number in range(1, 5):
        store.commit(tensors(number), {"round": number})
    assert names(store) == ["ROUND", "round-00003", "round-00004"]


def test_one_best_model_is_kept_beside_the_rounds(store: RunStore) -> None:
    store.commit(tensors(1), {"round": 1})
    for number in (0, 2):
        store.commit_best(tensors(number), {"round": number})
    assert names(store) == ["BEST", "ROUND", "best-00002", "round-00001"]
    assert read(store, BEST) == (2, 2.0)
    assert store.best_tensors()["matrix"][0, 0] == 2.0


def test_the_best_may_be_of_an_earlier_round_than_the_best_before(store: RunStore) -> None:
    for number in (5, 3):
        store.commit_best(tensors(number), {"round": number})
        store.commit(tensors(number), {"round": number})
    assert read(store, BEST) == read(store) == (3, 3.0)


@pytest.mark.parametrize("times", [2, 3, 5])
def test_a_round_may_be_committed_again(store: RunStore, times: int) -> None:
    for value in range(times):
        store.commit(tensors(value), {"round": 1})
    assert read(store) == (1, times - 1.0)
    assert len([name for name in names(store) if name.startswith("round-")]) == 2


def steps_of_a_commit() -> int:
    """Enough: the crash tests say themselves when an operation is beyond the last."""
    return 60


@pytest.mark.parametrize("again", [False, True], ids=["next round", "same round again"])
@pytest.mark.parametrize("kind", [ROUND, BEST])
def test_a_crash_at_any_operation_leaves_the_old_or_the_new_generation(
    kind: str, again: bool, tmp_path: Path, crash_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Generation] = []
    number = 2 if again else 3
    for at in range(steps_of_a_commit()):
        store = RunStore(tmp_path / str(at), configuration={"image_size": 32}, vocabulary_hash="0a1b")
        commit = store.commit if kind == ROUND else store.commit_best
        commit(tensors(1), {"round": 1})
        commit(tensors(2), {"round": 2})
        with monkeypatch.context():
            crash_at(at)
            try:
                commit(tensors(30), {"round": number})
                finished = True
            except Crash:
                finished = False
            monkeypatch.undo()
        outcomes.append(read(store, kind))
        again_store = RunStore(store.folder, configuration={"image_size": 32}, vocabulary_hash="0a1b")
        (again_store.commit if kind == ROUND else again_store.commit_best)(tensors(40), {"round": number})
        assert read(again_store, kind) == (number, 40.0)
        assert not [name for name in names(again_store) if name.endswith(".unfinished")]
        if finished:
            break
    assert finished
    assert len(outcomes) > 15
    assert set(outcomes) == {(2, 2.0), (number, 30.0)}
    assert outcomes == sorted(outcomes, key=lambda outcome: outcome[1])  # old up to one instant, new from then on


def test_the_servers_optimizer_is_read_back(store: RunStore) -> None:
    store.commit(tensors(1), {"round": 1}, {"first_moment/matrix": np.full((2, 3), 0.5, np.float32)})
    found = store.optimizer_state()
    assert found.keys() == {"first_moment/matrix"}
    np.testing.assert_array_equal(found["first_moment/matrix"], np.full((2, 3), 0.5, np.float32))


def test_an_optimizer_without_a_memory_has_no_file(store: RunStore) -> None:
    folder = store.commit(tensors(1), {"round": 1})
    assert not (folder / OPTIMIZER).exists()
    assert store.optimizer_state() == {}


def test_a_crash_at_any_operation_leaves_model_and_optimizer_of_one_round(
    tmp_path: Path, crash_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, finished = [], False
    for at in range(steps_of_a_commit()):
        store = RunStore(tmp_path / str(at), configuration={"image_size": 32}, vocabulary_hash="0a1b")
        store.commit(tensors(1), {"round": 1}, tensors(1))
        crash_at(at)
        try:
            store.commit(tensors(2), {"round": 2}, tensors(2))
            finished = True
        except Crash:
            pass
        monkeypatch.undo()
        number, value = read(store)
        assert number == value == store.optimizer_state()["matrix"][0, 0]
        seen.append(number)
        if finished:
            break
    assert finished
    assert set(seen) == {1, 2}


def test_a_crash_before_the_first_commit_is_over_leaves_no_generation(
    store: RunStore, crash_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    crash_at(5)
    with pytest.raises(Crash):
        store.commit(tensors(1), {"round": 1})
    monkeypatch.undo()
    with pytest.raises(FileNotFoundError):
        store.newest(ROUND)


def test_all_files_are_on_the_disk_before_the_folder_gets_its_name(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    flush, rename, replace = atomic_file.flush, Path.rename, Path.replace
    for module in (run_store, atomic_file):
        monkeypatch.setattr(module, "flush", lambda path: (done.append(f"flush {path.name}"), flush(path)))
    monkeypatch.setattr(Path, "rename", lambda path, to: (done.append("rename"), rename(path, to))[1])
    monkeypatch.setattr(Path, "replace", lambda path, to: (done.append(f"replace {to.name}"), replace(path, to))[1])
    store.commit(tensors(1), {"round": 1})
    named, pointed = done.index("rename"), done.index("replace ROUND")
    before = {"flush model.safetensors", "flush config.json", "flush state.json", "flush .round.unfinished"}
    assert set(done[:named]) == before
    assert done[named + 1 : pointed] == ["flush store", "flush .ROUND.unfinished"]
    assert done[pointed + 1 :] == ["flush store"]


def test_results_are_plain_json_and_replaced_in_one_step(
    store: RunStore, crash_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_results({"best_round": 1})
    for at in range(5):
        crash_at(at)
        with pytest.raises(Crash):
            store.write_results({"best_round": 2})
        monkeypatch.undo()
        if json.loads((store.folder / "results.json").read_text()) != {"best_round": 1}:
            break
    assert at == 4  # write, open, fsync, replace, then the folder's own flush
    assert json.loads((store.folder / "results.json").read_text()) == {"best_round": 2}


def test_the_state_of_the_newest_generation_can_be_read(store: RunStore) -> None:
    assert store.state(ROUND) is None
    for number in (1, 2):
        store.commit(tensors(1.0), {"round": number})
    assert store.state(ROUND) == {"round": 2}
    assert store.state(BEST) is None
