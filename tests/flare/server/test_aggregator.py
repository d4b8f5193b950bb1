from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.dxo import DataKind, from_shareable
from nvflare.apis.fl_constant import FLContextKey, ReservedKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable, make_reply
from safetensors import SafetensorError

from fedaid.flare.server.aggregator import AUTHENTICATED_SITE, SiteWeightedAggregator
from fedaid.flare.server.gate import Gate
from fedaid.flare.server.update_store import UPDATE_FOLDER, UpdateStore
from fedaid.flare.wire.messages import update_to_shareable
from fedaid.flare.wire.tasks import UpdateMessage
from fedaid.minmax.server_optimizer import ServerOptimizer, ServerOptimizerSettings
from fedaid.minmax.weighted_average import weighted_sum

MakeUpdate = Callable[..., UpdateMessage]
Arrays = dict[str, NDArray[Any]]
WEIGHTS = {"site-a": 0.5, "site-b": 0.3, "site-c": 0.2}


def spoilt(update: UpdateMessage, name: str, tensor: Any) -> Shareable:
    shareable = update_to_shareable(update)
    shareable["DXO"]["data"][name] = tensor
    return shareable


BAD: dict[str, Callable[[UpdateMessage], Shareable | None]] = {
    "NaN": lambda u: spoilt(u, "vector", np.array([0, np.nan, 0], np.float32)),
    "last tensor bad": lambda u: spoilt(u, "counter", np.array(1.5)),
    "broadcastable": lambda u: spoilt(u, "matrix", np.ones((1, 1), np.float32)),
    "extra": lambda u: spoilt(u, "more", np.ones(1, np.float32)),
    "huge": lambda u: spoilt(u, "vector", np.full(3, 1e30, np.float32)),
    "no DXO": lambda u: make_reply("OK"),
    "None": lambda u: None,
}


@pytest.fixture
def aggregator(template: Arrays) -> SiteWeightedAggregator:
    """Open for the alignment phase of round 3."""
    aggregator = SiteWeightedAggregator()
    aggregator.site_weights = dict(WEIGHTS)
    gate = Gate(phase="align", round_number=3, template=template, sites=list(WEIGHTS), needs=("loss",))
    aggregator.open(gate, template)
    return aggregator


def accept(aggregator: SiteWeightedAggregator, fl_ctx: FLContext, site: str, message: Shareable | None) -> bool:
    fl_ctx.set_prop(AUTHENTICATED_SITE, site, private=True, sticky=False)
    return aggregator.accept(message, fl_ctx)  # type: ignore[arg-type]


def reopened(aggregator: SiteWeightedAggregator, template: Arrays) -> SiteWeightedAggregator:
    aggregator.open(Gate(phase="align", round_number=3, template=template, sites=list(WEIGHTS)), template)
    return aggregator


def identical(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


def test_the_total_is_base_plus_the_weighted_sum(
    aggregator: SiteWeightedAggregator, template: Arrays, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    deltas = {}
    for seed, site in enumerate(WEIGHTS):
        deltas[site] = make_update(seed).delta
        assert accept(aggregator, fl_ctx, site, update_to_shareable(make_update(seed)))
    total = aggregator.total()
    for name, tensor in template.items():
        expected = tensor + sum(WEIGHTS[site] * deltas[site][name].astype(np.float64) for site in WEIGHTS)
        assert (total[name].shape, total[name].dtype) == (tensor.shape, tensor.dtype)
        assert np.allclose(total[name], expected, atol=1e-6)
    assert total["counter"] == 9


def test_the_order_of_arrival_has_no_effect_on_any_bit(
    aggregator: SiteWeightedAggregator, template: Arrays, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    totals = []
    for order in itertools.permutations(WEIGHTS):
        reopened(aggregator, template)
        for site in order:
            accept(aggregator, fl_ctx, site, update_to_shareable(make_update(list(WEIGHTS).index(site))))
        totals.append(aggregator.total())
    assert len(totals) == 6
    assert all(identical(totals[0], total) for total in totals)


@pytest.mark.parametrize("case", BAD)
def test_a_bad_update_leaves_no_trace_in_any_order_of_arrival(
    case: str, aggregator: SiteWeightedAggregator, template: Arrays, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    good = {site: update_to_shareable(make_update(seed)) for seed, site in enumerate(("site-a", "site-c"))}
    for site, message in good.items():
        accept(aggregator, fl_ctx, site, message)
    expected = aggregator.total()
    for order in itertools.permutations(WEIGHTS):
        reopened(aggregator, template)
        for site in order:
            message = good.get(site, BAD[case](make_update(9)))
            assert accept(aggregator, fl_ctx, site, message) == (site in good)
        assert list(aggregator.refused) == ["site-b"]
        assert aggregator.refused["site-b"].startswith("update of site site-b in align of round 3 refused: ")
        assert identical(aggregator.total(), expected)


def test_weights_are_renormalised_over_the_sites_that_were_accepted(
    aggregator: SiteWeightedAggregator, template: Arrays, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    accept(aggregator, fl_ctx, "site-c", update_to_shareable(make_update(1)))
    assert np.array_equal(aggregator.total()["matrix"], template["matrix"] + make_update(1).delta["matrix"])


def test_the_server_optimizer_moves_the_base(
    aggregator: SiteWeightedAggregator, template: Arrays, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    gate = Gate(phase="pretrain", round_number=3, template=template, sites=["site-a"])
    aggregator.open(gate, template, optimizer=ServerOptimizer(ServerOptimizerSettings(server_learning_rate=0.5)))
    accept(aggregator, fl_ctx, "site-a", update_to_shareable(make_update(1)))
    assert np.allclose(aggregator.total()["vector"], template["vector"] + 0.5 * make_update(1).delta["vector"])


def test_the_authenticated_name_counts_and_the_declared_one_does_not(
    aggregator: SiteWeightedAggregator, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    liar = update_to_shareable(make_update())
    liar.set_peer_props({ReservedKey.IDENTITY_NAME: "site-a"})
    peer = FLContext()
    peer.set_prop(ReservedKey.IDENTITY_NAME, "site-a", private=False)
    fl_ctx.set_peer_context(peer)
    accept(aggregator, fl_ctx, "site-b", liar)
    assert list(aggregator.close()) == ["site-b"]


def test_without_an_authenticated_name_nothing_is_taken(
    aggregator: SiteWeightedAggregator, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    assert not aggregator.accept(update_to_shareable(make_update()), fl_ctx)


def test_nothing_is_taken_before_a_phase_after_it_and_after_a_reset(
    aggregator: SiteWeightedAggregator, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    message = update_to_shareable(make_update())
    assert not accept(SiteWeightedAggregator(), fl_ctx, "site-a", message)
    aggregator.close()
    assert not accept(aggregator, fl_ctx, "site-a", message)
    aggregator.reset(fl_ctx)
    assert not accept(aggregator, fl_ctx, "site-a", message)
    assert (aggregator.sites, aggregator.refused, aggregator.close()) == ([], {}, {})


def test_a_phase_without_updates_has_no_total(aggregator: SiteWeightedAggregator) -> None:
    with pytest.raises(RuntimeError, match="at least one accepted update"):
        aggregator.total()


def test_the_new_model_is_whole(
    aggregator: SiteWeightedAggregator, template: Arrays, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    accept(aggregator, fl_ctx, "site-a", update_to_shareable(make_update()))
    dxo = from_shareable(aggregator.aggregate(fl_ctx))
    assert dxo.data_kind == DataKind.WEIGHTS
    assert dxo.data.keys() == template.keys()


@pytest.mark.parametrize("kind", ["momentum", "adam"])
def test_tensor_by_tensor_an_optimizer_goes_on_from_round_to_round(
    kind: str, aggregator: SiteWeightedAggregator, template: Arrays, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    ours, plain = (ServerOptimizer(ServerOptimizerSettings(kind, 0.1)) for _ in range(2))
    now, expected = template, template
    for seed in range(2):
        gate = Gate(phase="pretrain", round_number=3, template=template, sites=list(WEIGHTS))
        aggregator.open(gate, now, optimizer=ours)
        deltas = {site: make_update(seed + number).delta for number, site in enumerate(WEIGHTS)}
        for number, site in enumerate(WEIGHTS):
            assert accept(aggregator, fl_ctx, site, update_to_shareable(make_update(seed + number)))
        now = aggregator.total()
        expected = plain.moved(expected, weighted_sum(deltas, WEIGHTS))
        assert identical(now, expected)
    assert len(ours.state) == 3 * (1 if kind == "momentum" else 2)


def test_an_update_that_could_not_be_read_is_noted_as_refused_while_its_phase_is_open(
    aggregator: SiteWeightedAggregator, fl_ctx: FLContext
) -> None:
    aggregator.refuse("site-b", "no layout", fl_ctx)
    aggregator.refuse("site-z", "not asked", fl_ctx)
    assert aggregator.refused == {"site-b": "update of site site-b in align of round 3 refused: no layout"}
    SiteWeightedAggregator().refuse("site-b", "no phase is open", fl_ctx)


def stored(fl_ctx: FLContext) -> list[Path]:
    return sorted(Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT))).glob(f"{UPDATE_FOLDER}/*.safetensors"))


def test_an_accepted_update_is_on_disk_and_no_longer_in_memory(
    aggregator: SiteWeightedAggregator, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    for seed, site in enumerate(WEIGHTS):
        accept(aggregator, fl_ctx, site, update_to_shareable(make_update(seed)))
    assert len(stored(fl_ctx)) == 3
    accepted = aggregator.close()
    assert all(not update.delta for update in accepted.values())
    assert [update.pairs for update in accepted.values()] == [10, 11, 12]


def test_a_refused_update_never_reaches_the_disk(
    aggregator: SiteWeightedAggregator, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    accept(aggregator, fl_ctx, "site-a", BAD["NaN"](make_update()))
    assert stored(fl_ctx) == []


def test_after_the_phase_nothing_is_left_on_disk(
    aggregator: SiteWeightedAggregator, template: Arrays, make_update: MakeUpdate, fl_ctx: FLContext
) -> None:
    accept(aggregator, fl_ctx, "site-a", update_to_shareable(make_update()))
    reopened(aggregator, template)
    assert stored(fl_ctx) == []
    accept(aggregator, fl_ctx, "site-a", update_to_shareable(make_update()))
    aggregator.reset(fl_ctx)
    assert stored(fl_ctx) == []


@pytest.mark.parametrize("failure", [OSError("no space left on /data/run"), SafetensorError("no space left")])
def test_an_update_that_cannot_be_written_is_refused_and_the_others_count(
    failure: Exception,
    aggregator: SiteWeightedAggregator,
    template: Arrays,
    make_update: MakeUpdate,
    fl_ctx: FLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: Any) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(UpdateStore, "put", full)
        assert not accept(aggregator, fl_ctx, "site-a", update_to_shareable(make_update(0)))
    assert "the server could not write it to its disk" in aggregator.refused["site-a"]
    assert "/data/run" not in aggregator.refused["site-a"]
    assert accept(aggregator, fl_ctx, "site-b", update_to_shareable(make_update(1)))
    assert np.array_equal(aggregator.total()["matrix"], template["matrix"] + make_update(1).delta["matrix"])
