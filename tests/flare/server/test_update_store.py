from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fedaid.flare.server.update_store import UpdateStore
from fedaid.flare.wire.tasks import UpdateMessage
from fedaid.minmax.weighted_average import weighted_sum

MakeUpdate = Callable[..., UpdateMessage]


def test_the_sum_tensor_by_tensor_is_the_sum_of_whole_updates_bit_for_bit(
    tmp_path: Path, template: dict[str, NDArray[Any]], make_update: MakeUpdate
) -> None:
    store, weights = UpdateStore(tmp_path / "updates"), {"site-b": 0.3, "site-a": 0.6, "site-c": 0.1}
    updates = {site: make_update(seed).delta for seed, site in enumerate(weights)}
    for site, update in updates.items():
        store.put(site, update)
    expected = weighted_sum(updates, weights)
    for name in template:
        assert weighted_sum(store.tensor(name), weights)[name].tobytes() == expected[name].tobytes()


def test_a_tensor_that_no_site_sent_has_no_sum(tmp_path: Path, make_update: MakeUpdate) -> None:
    store = UpdateStore(tmp_path / "updates")
    store.put("site-a", make_update().delta)
    assert weighted_sum(store.tensor("another"), {"site-a": 1.0}) == {}


def test_a_site_may_have_a_name_that_is_no_file_name(tmp_path: Path) -> None:
    store = UpdateStore(tmp_path / "updates")
    store.put("../st brigid/1", {"a": np.ones(2, np.float32)})
    assert list(store.tensor("a")) == ["../st brigid/1"]
    assert [file.parent for file in tmp_path.rglob("*.safetensors")] == [tmp_path / "updates"]


def test_nothing_is_left_once_cleared(tmp_path: Path, make_update: MakeUpdate) -> None:
    store = UpdateStore(tmp_path / "updates")
    store.put("site-a", make_update().delta)
    store.clear()
    assert list(tmp_path.iterdir()) == []
    assert len(store.tensor("matrix")) == 0


def test_what_a_crash_left_is_removed_at_the_start(tmp_path: Path, make_update: MakeUpdate) -> None:
    UpdateStore(tmp_path / "updates").put("site-a", make_update().delta)
    assert len(UpdateStore(tmp_path / "updates").tensor("matrix")) == 0
    assert list(tmp_path.iterdir()) == []


def test_what_did_not_move_takes_no_room(tmp_path: Path) -> None:
    store = UpdateStore(tmp_path / "updates")
    still = np.broadcast_to(np.zeros((), np.float32), (1000, 1000))
    store.put("site-a", {"frozen": still, "moved": np.ones(2, np.float32)})
    assert store.tensor("frozen")["site-a"] == {}
    assert store.tensor("moved")["site-a"].keys() == {"moved"}
    assert sum(file.stat().st_size for file in (tmp_path / "updates").iterdir()) < 1000


def test_a_base_moves_by_one_sites_update_and_a_tensor_that_it_left_out_stays(
    tmp_path: Path, template: dict[str, NDArray[Any]], make_update: MakeUpdate
) -> None:
    store, update = UpdateStore(tmp_path / "updates"), make_update(1).delta
    store.put("site-a", {**update, "vector": np.zeros(3, np.float32)})
    store.put("site-b", make_update(2).delta)
    found = store.moved(template, "site-a")
    assert found["matrix"] == pytest.approx(template["matrix"] + update["matrix"], rel=1e-6)
    assert np.array_equal(found["vector"], template["vector"])
    assert (found["counter"], found["counter"].dtype) == (9, np.int64)
