from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.shareable import Shareable

from fedaid.flare.server.gate import RefusedUpdate
from fedaid.flare.server.own_models import OwnModels
from fedaid.flare.server.spool import Spool
from fedaid.flare.wire.messages import report_to_shareable, update_to_shareable
from fedaid.flare.wire.tasks import UpdateMessage

Make = Callable[..., UpdateMessage]


@pytest.fixture
def models(template: dict[str, NDArray[Any]], tmp_path: Path) -> OwnModels:
    return OwnModels(template, Spool(tmp_path / "spool"), round_number=3, sites=["lake", "north"])


def test_a_model_is_the_given_one_moved_by_the_difference(
    models: OwnModels, template: dict[str, NDArray[Any]], make_update: Make
) -> None:
    update = make_update(1)
    still = update.delta | {"vector": np.zeros(3, np.float32)}
    models.take("lake", update_to_shareable(make_update(1, delta=still)))
    found = models.tensors("lake")
    assert found["matrix"] == pytest.approx(template["matrix"] + update.delta["matrix"], rel=1e-6)
    assert np.array_equal(found["vector"], template["vector"]), "zeros are not written to the disk"
    assert (found["counter"], found["counter"].dtype) == (9, np.int64)


def test_what_a_site_says_of_its_model_is_kept_by_name(models: OwnModels, make_update: Make) -> None:
    for site in ("north", "lake"):
        models.take(site, update_to_shareable(make_update(metrics={"valid_loss": 1.5})))
    assert list(models.close().items()) == [("lake", {"valid_loss": 1.5}), ("north", {"valid_loss": 1.5})]


@pytest.mark.parametrize(
    ("reason", "kept"), [("no local model", "no local model"), ("x" * 99, "another reason"), ("", "another reason")]
)
def test_a_site_without_a_model_gives_a_short_reason(reason: str, kept: str, models: OwnModels) -> None:
    models.take("lake", report_to_shareable(UpdateMessage(3, {}, {}, 20, {reason: 1})))
    assert models.without == {"lake": kept}
    assert models.close() == {}


def test_an_unsound_model_is_refused_by_site_and_reason(models: OwnModels, make_update: Make) -> None:
    bad = {
        "not finite": make_update(delta=make_update().delta | {"scalar": np.array(np.nan, np.float32)}),
        "a tensor missing": make_update(delta={"matrix": np.ones((2, 3), np.float32)}),
        "another task": make_update(round_number=2),
    }
    for update in bad.values():
        with pytest.raises(RefusedUpdate, match="update of site lake in local_model of round 3 refused"):
            models.take("lake", update_to_shareable(update))
    with pytest.raises(RefusedUpdate):
        models.take("lake", Shareable())
    assert models.close() == {}
    assert list(models.refused) == ["lake"]


def test_a_second_model_of_a_site_is_refused(models: OwnModels, make_update: Make) -> None:
    models.take("lake", update_to_shareable(make_update()))
    with pytest.raises(RefusedUpdate, match="answered already"):
        models.take("lake", update_to_shareable(make_update()))


def test_a_full_disk_leaves_one_model_out_and_no_more(
    models: OwnModels, make_update: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(site: str, update: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(models._spool, "put", full)
        with pytest.raises(RefusedUpdate, match=r"site lake .* could not write it to its disk"):
            models.take("lake", update_to_shareable(make_update()))
    models.take("north", update_to_shareable(make_update()))
    assert list(models.close()) == ["north"]
    assert list(models.refused) == ["lake"]
