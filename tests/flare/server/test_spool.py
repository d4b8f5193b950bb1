from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedaid.flare.server.spool import Spool
from fedaid.flare.wire.tasks import UpdateMessage
from fedaid.minmax.weighted_average import weighted_sum

MakeUpdate = Callable[..., UpdateMessage]


def test_the_sum_tensor_by_tensor_is_the_sum_of_whole_updates_bit_for_bit(
    tmp_path: Path, template: dict[str, NDArray[Any]], make_update: MakeUpdate
) -> None:
    spool, weights = Spool(tmp_path / "spool"), {"site-b": 0.3, "site-a": 0.6, "site-c": 0.1}
    updates = {site: make_update(seed).delta for seed, site in enumerate(weights)}
    for site, update in updates.items():
        spool.put(site, update)
    expected = weighted_sum(updates, weights)
    for name in template:
        assert weighted_sum(spool.tensor(name), weights)[name].tobytes() == expected[name].tobytes()


def test_a_tensor_that_no_site_sent_has_no_sum(tmp_path: Path, make_update: MakeUpdate) -> None:
    spool = Spool(tmp_path / "spool")
    spool.put("site-a", make_update().delta)
    assert weighted_sum(spool.tensor("another"), {"site-a": 1.0}) == {}


def test_a_site_may_have_a_name_that_is_no_file_name(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.put("../st brigid/1", {"a": np.ones(2, np.float32)})
    assert list(spool.tensor("a")) == ["../st brigid/1"]
    assert [file.parent for file in tmp_path.rglob("*.safetensors")] == [tmp_path / "spool"]


def test_nothing_is_left_once_cleared(tmp_path: Path, make_update: MakeUpdate) -> None:
    spool = Spool(tmp_path / "spool")
    spool.put("site-a", make_update().delta)
    spool.clear()
    assert list(tmp_path.iterdir()) == []
    assert len(spool.tensor("matrix")) == 0


def test_what_a_crash_left_is_removed_at_the_start(tmp_path: Path, make_update: MakeUpdate) -> None:
    Spool(tmp_path / "spool").put("site-a", make_update().delta)
    assert len(Spool(tmp_path / "spool").tensor("matrix")) == 0
    assert list(tmp_path.iterdir()) == []


def test_what_did_not_move_takes_no_room(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    still = np.broadcast_to(np.zeros((), np.float32), (1000, 1000))
    spool.put("site-a", {"frozen": still, "moved": np.ones(2, np.float32)})
    assert spool.tensor("frozen")["site-a"] == {}
    assert spool.tensor("moved")["site-a"].keys() == {"moved"}
    assert sum(file.stat().st_size for file in (tmp_path / "spool").iterdir()) < 1000
