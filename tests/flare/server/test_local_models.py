from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.shareable import Shareable

from fedaid.flare.server.evaluation_controller import LocalModels
from fedaid.flare.server.gate import Gate, RefusedAnswer
from fedaid.flare.server.update_store import UpdateStore
from fedaid.flare.wire.messages import report_to_shareable, update_to_shareable
from fedaid.flare.wire.tasks import LOCAL_MODEL, UpdateMessage

Make = Callable[..., UpdateMessage]


@pytest.fixture
def models(template: dict[str, NDArray[Any]], tmp_path: Path) -> LocalModels:
    gate = Gate(phase=LOCAL_MODEL, round_number=3, template=template, sites=["lake", "north"])
    return LocalModels(gate, UpdateStore(tmp_path / "updates"))


def test_what_a_site_says_of_its_model_is_kept_by_name(models: LocalModels, make_update: Make) -> None:
    for site in ("north", "lake"):
        models.take(site, update_to_shareable(make_update(metrics={"valid_loss": 1.5})))
    assert list(models.close().items()) == [("lake", {"valid_loss": 1.5}), ("north", {"valid_loss": 1.5})]


@pytest.mark.parametrize(
    ("reason", "kept"), [("no local model", "no local model"), ("x" * 99, "another reason"), ("", "another reason")]
)
def test_a_site_without_a_model_gives_a_short_reason(reason: str, kept: str, models: LocalModels) -> None:
    models.take("lake", report_to_shareable(UpdateMessage(3, {}, {}, 20, {reason: 1})))
    assert models.absent == {"lake": kept}
    assert models.close() == {}


def test_an_unsound_model_is_refused_by_site_and_reason(models: LocalModels, make_update: Make) -> None:
    bad = {
        "not finite": make_update(delta=make_update().delta | {"scalar": np.array(np.nan, np.float32)}),
        "a tensor missing": make_update(delta={"matrix": np.ones((2, 3), np.float32)}),
        "another task": make_update(round_number=2),
    }
    for update in bad.values():
        with pytest.raises(RefusedAnswer, match="update of site lake in local_model of round 3 refused"):
            models.take("lake", update_to_shareable(update))
    with pytest.raises(RefusedAnswer):
        models.take("lake", Shareable())
    assert models.close() == {}
    assert list(models.refused) == ["lake"]


def test_a_second_model_of_a_site_is_refused(models: LocalModels, make_update: Make) -> None:
    models.take("lake", update_to_shareable(make_update()))
    with pytest.raises(RefusedAnswer, match="answered already"):
        models.take("lake", update_to_shareable(make_update()))


def test_a_full_disk_leaves_one_model_out_and_no_more(
    models: LocalModels, make_update: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(site: str, update: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(models._store, "put", full)
        with pytest.raises(RefusedAnswer, match=r"site lake .* could not write it to its disk"):
            models.take("lake", update_to_shareable(make_update()))
    models.take("north", update_to_shareable(make_update()))
    assert list(models.close()) == ["north"]
    assert list(models.refused) == ["lake"]
