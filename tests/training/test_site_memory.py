from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from torch import nn

from fedaid.errors import InputError
from fedaid.training.model_tensors import put, tensors_of
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_memory import SiteMemory

SETTINGS = TrainingSettings()
LOCAL = {"1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"}


@pytest.fixture
def model() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def memory(model: nn.Module, **changes: Any) -> SiteMemory:
    return SiteMemory(model, replace(SETTINGS, **changes))


def plus(model: nn.Module, amount: int) -> dict[str, Any]:
    return {name: tensor + np.asarray(amount, tensor.dtype) for name, tensor in tensors_of(model).items()}


def test_by_default_nothing_is_kept_and_nothing_is_changed(model: nn.Module) -> None:
    plain, sent = memory(model), plus(model, 1)
    plain.keep(model)
    assert plain.tensors == {}
    assert plain.previous == {}
    for found in (plain.localised(sent), plain.relative(sent)):
        assert found.keys() == sent.keys()
        assert all(found[name] is sent[name] for name in sent)


def test_moon_keeps_the_whole_model_and_changes_nothing_of_what_is_sent(model: nn.Module) -> None:
    moon = memory(model, moon_weight=1.0)
    assert moon.previous == {}
    moon.keep(model)
    assert moon.previous.keys() == model.state_dict().keys()
    sent = plus(model, 1)
    assert all(moon.localised(sent)[name] is sent[name] for name in sent)


def test_what_is_kept_does_not_move_with_the_model(model: nn.Module) -> None:
    moon = memory(model, moon_weight=1.0)
    moon.keep(model)
    before = tensors_of(model)
    put(model, plus(model, 5))
    assert all(np.array_equal(moon.previous[name], before[name]) for name in before)


def test_a_newcomer_takes_the_servers_normalisation(model: nn.Module) -> None:
    local, sent = memory(model, local_normalisation=True), plus(model, 1)
    assert all(local.localised(sent)[name] is sent[name] for name in sent)


def test_a_site_that_has_its_own_normalisation_goes_on_with_it(model: nn.Module) -> None:
    local, own = memory(model, local_normalisation=True), tensors_of(model)
    local.keep(model)
    assert set(local.tensors) == LOCAL
    assert local.previous == {}
    sent = plus(model, 1)
    found = local.localised(sent)
    assert all(np.array_equal(found[name], own[name]) for name in LOCAL)
    assert all(found[name] is sent[name] for name in sent.keys() - LOCAL)


def test_a_part_without_normalisation_stays_a_part(model: nn.Module) -> None:
    local = memory(model, local_normalisation=True)
    local.keep(model)
    assert set(local.localised({"0.bias": np.zeros(3)})) == {"0.bias"}


def test_the_servers_normalisation_becomes_the_mean_of_the_sites_own(model: nn.Module) -> None:
    """Two rounds of two sites whose variances shrink: by the means of mere changes the server's would be negative."""
    server, name = np.array([1.0, 1.0, 1.0], np.float32), "1.running_var"
    sites = [memory(model, local_normalisation=True) for _ in range(2)]
    for own in ((12.0, 0.4), (2.0, 0.2)):
        deltas = []
        for site, value in zip(sites, own, strict=True):
            start = site.localised({name: server})[name]
            put(model, {name: np.full(3, value, np.float32)})
            site.keep(model)
            deltas.append(site.relative({name: np.asarray(value - start)})[name])
        server = np.asarray(server + 0.5 * deltas[0] + 0.5 * deltas[1], np.float32)
        assert server == pytest.approx(sum(own) / 2, rel=1e-6)


def test_the_first_update_is_the_change_itself(model: nn.Module) -> None:
    local, start = memory(model, local_normalisation=True), tensors_of(model)
    put(model, local.localised(start))
    put(model, plus(model, 2))
    local.keep(model)
    delta = {name: np.asarray(tensor - start[name]) for name, tensor in tensors_of(model).items()}
    found = local.relative(delta)
    assert all(np.array_equal(found[name], delta[name]) for name in delta)
    assert all(found[name].dtype == delta[name].dtype for name in delta)


def test_local_normalisation_without_any_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"^local_normalisation must be false where no encoder has batch norm, got true"
    ):
        memory(nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)), local_normalisation=True)
