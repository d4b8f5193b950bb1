from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.app_common.abstract.model import make_model_learnable
from nvflare.app_common.app_constant import AppConstants

from fedaid.flare.server import persistor as module
from fedaid.flare.server.persistor import RUN_STATE, RunPersistor, tensors_of
from fedaid.models.saved_model import load_model
from fedaid.models.vocabulary import vocabulary_hash
from fedaid.sealed_folder import Damaged


@pytest.fixture
def persistor(model_config: dict[str, Any], fl_ctx: FLContext) -> RunPersistor:
    """At the start of a run."""
    persistor = RunPersistor(dict(model_config))
    fl_ctx.get_engine().components["persistor"] = persistor
    persistor.handle_event(EventType.START_RUN, fl_ctx)
    return persistor


def test_before_the_run_there_is_no_store(model_config: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="run store must be open"):
        _ = RunPersistor(model_config).open_store


def test_what_a_site_sends_is_guarded_from_the_start_of_a_run(
    model_config: dict[str, Any], fl_ctx: FLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded: list[object] = []
    for name in ("receive_on_disk", "refuse_unreadable_answers", "refuse_site_requests"):
        monkeypatch.setattr(module, name, lambda of, name=name: guarded.append((name, of)))
    monkeypatch.setattr(module, "keep_steady", lambda: guarded.append("keep_steady"))
    RunPersistor(dict(model_config)).handle_event(EventType.START_RUN, fl_ctx)
    assert guarded == [
        "keep_steady",
        ("receive_on_disk", Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT)))),
        ("refuse_unreadable_answers", fl_ctx.get_engine()),
        ("refuse_site_requests", fl_ctx.get_engine()),
    ]


def test_results_that_the_disk_does_not_take_are_an_error_with_the_remedy(
    persistor: RunPersistor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*anything: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write", full)
    with pytest.raises(
        Damaged, match=r"^the results cannot be written to the run store: No space left on device\. Free"
    ):
        persistor.deliver({"round": 1})


def test_a_run_starts_from_the_configured_model(
    persistor: RunPersistor, fl_ctx: FLContext, theta: dict[str, NDArray[Any]]
) -> None:
    loaded = tensors_of(persistor.load(fl_ctx))
    assert loaded.keys() == theta.keys()
    for name, tensor in theta.items():
        assert type(loaded[name]) is np.ndarray
        assert loaded[name].dtype == tensor.dtype
        assert np.array_equal(loaded[name], tensor)


def test_configuration_and_vocabulary_are_those_of_the_model(persistor: RunPersistor) -> None:
    assert persistor.configuration["image_size"] == 32
    assert json.loads(json.dumps(persistor.configuration)) == persistor.configuration
    assert persistor.vocabulary_hash == vocabulary_hash()


def test_a_round_is_saved_in_the_store_and_for_flare(
    persistor: RunPersistor, fl_ctx: FLContext, theta: dict[str, NDArray[Any]], tmp_path: Path
) -> None:
    persistor.load(fl_ctx)
    later = {name: np.asarray(tensor + np.ones((), tensor.dtype)) for name, tensor in theta.items()}
    fl_ctx.set_prop(RUN_STATE, {"round": 1, "history": []}, private=True, sticky=False)
    persistor.save(make_model_learnable(later, {}), fl_ctx)
    saved = load_model(persistor.open_store.newest.folder)
    assert saved.log_logit_scale.item() == later["log_logit_scale"].item()
    assert torch.load(tmp_path / "app" / "FL_global_model.pt", weights_only=True)


def test_after_a_commit_the_configured_models_weights_are_freed_and_a_second_loading_gives_the_commit(
    persistor: RunPersistor, fl_ctx: FLContext, theta: dict[str, NDArray[Any]]
) -> None:
    persistor.load(fl_ctx)
    assert not any(weight.is_meta for weight in persistor.model.parameters())
    later = {name: np.asarray(tensor + np.ones((), tensor.dtype)) for name, tensor in theta.items()}
    fl_ctx.set_prop(RUN_STATE, {"round": 1, "history": []}, private=True, sticky=False)
    persistor.save(make_model_learnable(later, {}), fl_ctx)
    assert all(weight.is_meta for weight in persistor.model.parameters())
    again = tensors_of(persistor.load(fl_ctx))
    assert all(np.array_equal(again[name], tensor) for name, tensor in later.items())


def test_the_best_model_is_saved_and_announced(
    persistor: RunPersistor, fl_ctx: FLContext, theta: dict[str, NDArray[Any]], tmp_path: Path
) -> None:
    learnable = persistor.load(fl_ctx)
    fl_ctx.set_prop(AppConstants.GLOBAL_MODEL, learnable, private=True, sticky=True)
    persistor.note_best(learnable, {"round": 0, "metrics": {}}, fl_ctx)
    fl_ctx.set_prop(RUN_STATE, {"round": 1, "history": []}, private=True, sticky=False)
    persistor.save(learnable, fl_ctx)
    best = persistor.open_store.newest.best.tensors()
    assert all(np.array_equal(best[name], tensor) for name, tensor in theta.items())
    assert (tmp_path / "app" / "best_FL_global_model.pt").is_file()


def test_a_model_that_cannot_be_built_stops_the_run_with_its_reason(fl_ctx: FLContext) -> None:
    path = "fedaid.models.dual_encoder.DualEncoder"
    persistor = RunPersistor({"path": path, "args": {"temperature": 0}})
    persistor.handle_event(EventType.START_RUN, fl_ctx)
    (reason,) = fl_ctx.get_engine().panics
    assert "temperature must be in" in reason
    assert persistor.store is None
