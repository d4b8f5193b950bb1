from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.dxo import from_shareable
from nvflare.apis.dxo_filter import DXOFilter
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable

from fedaid.flare.wire.codec import WIRE_DTYPES, decode, encode
from fedaid.flare.wire.messages import WIRE, message_bytes, update_from_shareable
from fedaid.flare.wire.replies import ERROR_HEADER, REFUSED_HEADER
from fedaid.flare.wire.uplink import STILL
from tests.flare.wire_link import Server, Site

Arrays = dict[str, NDArray[Any]]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site("site-a", tmp_path / "site-a")


def theta() -> Arrays:
    rng = np.random.default_rng(1)
    return {
        "matrix": rng.standard_normal((8, 16)).astype(np.float32),
        "vector": rng.standard_normal(8).astype(np.float32),
        "frozen": rng.standard_normal((8, 16)).astype(np.float32),
        "counter": np.array(3, np.int64),
    }


def update(seed: int) -> Arrays:
    rng = np.random.default_rng(seed)
    changed = {n: np.asarray(0.01 * rng.standard_normal(t.shape), t.dtype) for n, t in theta().items()}
    return changed | {"frozen": np.zeros((8, 16), np.float32), "counter": np.array(2, np.int64)}


def data(reply: Shareable) -> Any:
    return dict(update_from_shareable(reply).delta)


def on_the_wire(reply: Shareable) -> Any:
    return from_shareable(reply).data


def test_at_32_bits_the_update_arrives_bit_for_bit(site: Site) -> None:
    server = Server()
    got = data(server.round(theta(), site, update(0))[2])
    assert got.keys() == update(0).keys()
    for name, tensor in update(0).items():
        assert (got[name].dtype, got[name].shape) == (tensor.dtype, tensor.shape)
        assert np.array_equal(got[name], tensor)


def test_what_else_the_update_says_arrives(site: Site) -> None:
    message = update_from_shareable(Server("int8").round(theta(), site, update(0))[2])
    assert (message.round_number, message.metrics, message.pairs) == (0, {"loss": 1.0}, 10)


@pytest.mark.parametrize("dtype", WIRE_DTYPES)
def test_a_tensor_that_did_not_move_is_not_sent(dtype: str, site: Site) -> None:
    server = Server(dtype)
    site.receive(server.send(server.broadcast(theta()), site))
    sent = from_shareable(site.answer(update(0)))
    assert "frozen" not in sent.data
    assert list(sent.meta[WIRE][STILL]) == ["frozen"]


@pytest.mark.parametrize("dtype", WIRE_DTYPES)
def test_an_update_that_is_all_zero_arrives(dtype: str, site: Site) -> None:
    nothing = {name: np.zeros_like(tensor) for name, tensor in theta().items()}
    got = data(Server(dtype).round(theta(), site, nothing)[2])
    assert got.keys() == nothing.keys()
    assert not any(tensor.any() for tensor in got.values())


@pytest.mark.parametrize(("dtype", "step"), [("bf16", 2.0**-8), ("int8", 1 / 127)])
def test_what_rounding_takes_from_one_update_is_in_the_next(dtype: str, step: float, site: Site) -> None:
    server, sent, came = Server(dtype), np.zeros((8, 16)), np.zeros((8, 16))
    for seed in range(30):
        delta = update(seed)
        sent += delta["matrix"]
        came += data(server.round(theta(), site, delta)[2])["matrix"]
        assert np.abs(sent - came).max() <= 0.05 * step  # one rounding, not thirty


def test_without_feedback_the_error_would_add_up(site: Site) -> None:
    small = update(0)
    small["matrix"] = np.full((8, 16), 1e-4, np.float32)
    small["matrix"][:, 0] = 1.0  # the steps of a row are then 1/127, far above its other elements
    server, came = Server("int8"), np.zeros((8, 16))
    for _ in range(100):
        came += data(server.round(theta(), site, small)[2])["matrix"]
    assert came[:, 1:] == pytest.approx(np.full((8, 15), 0.01), abs=0.5 / 127 + 1e-6)
    assert came[:, 1:].min() > 0


@pytest.mark.parametrize("dtype", ["bf16", "int8"])
def test_what_is_sent_is_the_update_and_what_rounding_left_of_the_ones_before(dtype: str, site: Site) -> None:
    server, left = Server(dtype), dict[str, Any]()
    for seed in range(3):
        site.receive(server.send(server.broadcast(theta()), site))
        wanted = {n: t + left.get(n, 0) for n, t in update(seed).items() if t.any() and n != "counter"}
        sent, layout = encode(wanted, dtype)
        left = {n: t - wanted[n] for n, t in decode(sent, layout).items()}
        left = {n: -t for n, t in left.items() if n == "matrix"}
        found = on_the_wire(site.answer(update(seed)))
        assert found.keys() == sent.keys()
        assert all(found[name].tobytes() == tensor.tobytes() for name, tensor in sent.items())


def test_packing_needs_no_second_copy_of_the_update(site: Site) -> None:
    rng, server = np.random.default_rng(0), Server("int8")
    delta = {f"m{number}": rng.standard_normal((128, 256)).astype(np.float32) for number in range(40)}
    for _ in range(2):  # the second one has what the first one left
        site.receive(server.send(server.broadcast(delta), site))
        tracemalloc.start()
        try:
            site.answer(delta)
            peak = tracemalloc.get_traced_memory()[1] / sum(tensor.nbytes for tensor in delta.values())
        finally:
            tracemalloc.stop()
    assert peak < 1.6  # the new rest, a quarter that is sent, and one tensor


def test_vectors_and_counters_stay_exact(site: Site) -> None:
    got = data(Server("int8").round(theta(), site, update(0))[2])
    for name in ("vector", "counter"):
        assert np.array_equal(got[name], update(0)[name])


def test_an_update_that_is_not_finite_stays_so_and_does_not_spoil_the_next(site: Site) -> None:
    server, bad = Server("int8"), update(0)
    bad["matrix"][0, 0] = np.nan
    assert not np.isfinite(data(server.round(theta(), site, bad)[2])["matrix"]).all()
    assert np.isfinite(data(server.round(theta(), site, update(1))[2])["matrix"]).all()


def test_a_privacy_filter_sees_the_plain_difference_and_not_the_counters(site: Site) -> None:
    server = Server("int8")
    site.receive(server.send(server.broadcast(theta()), site))
    seen: dict[str, Any] = {}

    class Clip(DXOFilter):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(["WEIGHT_DIFF"], ["WEIGHT_DIFF"])

        def process_dxo(self, dxo: Any, shareable: Shareable, fl_ctx: FLContext) -> Any:
            seen.update(dxo.data)
            dxo.data = {name: np.clip(tensor, -0.001, 0.001) for name, tensor in dxo.data.items()}
            return dxo

    got = data(server.take(site.answer(update(0), Clip()), site))
    assert seen.keys() == {"matrix", "vector", "frozen"}
    assert all(np.array_equal(seen[name], update(0)[name]) for name in seen)
    assert np.abs(got["matrix"]).max() == pytest.approx(0.001, rel=0.01)
    assert (got["counter"], got["counter"].dtype) == (2, np.int64)


def test_without_an_order_an_update_leaves_as_it_is(site: Site) -> None:
    reply = site.answer(update(0))
    assert WIRE not in from_shareable(reply).meta
    assert np.array_equal(data(Server().take(reply, site))["matrix"], update(0)["matrix"])


def spoilt(change: Callable[[Any], None], site: Site) -> Shareable:
    server = Server("int8")
    site.receive(server.send(server.broadcast(theta()), site))
    reply = site.answer(update(0))
    change(reply["DXO"])
    return server.take(reply, site)


BAD: dict[str, Callable[[Any], None]] = {
    "no scale": lambda dxo: dxo["data"].pop("matrix::scale"),
    "short scale": lambda dxo: dxo["data"].update({"matrix::scale": np.ones(3, np.float32)}),
    "unknown type": lambda dxo: dxo["meta"][WIRE].update(dtype="fp4"),
    "layout is a text": lambda dxo: dxo["meta"].update({WIRE: "int8"}),
    "no list of zeros": lambda dxo: dxo["meta"][WIRE].pop(STILL),
    "zeros of an object": lambda dxo: dxo["meta"][WIRE].update({STILL: {"a": [[1], "O"]}}),
    "zeros without a shape": lambda dxo: dxo["meta"][WIRE].update({STILL: {"a": [None, "<f4"]}}),
    "negative shape": lambda dxo: dxo["meta"][WIRE].update({STILL: {"a": [[-1], "<f4"]}}),
    "endless shape": lambda dxo: dxo["meta"][WIRE].update({STILL: {"a": [[float("inf")], "<f4"]}}),
    "type that is no type": lambda dxo: dxo["meta"][WIRE].update({STILL: {"a": [[1], "f4,("]}}),
    "layout is an array": lambda dxo: dxo["meta"].update({WIRE: np.ones(3)}),
    "a list": lambda dxo: dxo["data"].update(matrix=[1, 2]),
}


@pytest.mark.parametrize("case", BAD)
def test_an_update_that_is_not_as_it_says_becomes_an_error_reply_with_the_reason(case: str, site: Site) -> None:
    reply = spoilt(BAD[case], site)
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    assert reply.get_header(ERROR_HEADER).startswith("update must be as its layout says: ")
    assert reply.get_header(REFUSED_HEADER) is True


def test_zeros_of_any_claimed_size_take_no_memory(site: Site) -> None:
    reply = spoilt(lambda dxo: dxo["meta"][WIRE][STILL].update(frozen=[[10**6, 10**6], "<f4"]), site)
    assert data(reply)["frozen"].shape == (10**6, 10**6)


@pytest.mark.parametrize(("dtype", "share"), [("bf16", 0.52), ("int8", 0.3)])
def test_an_update_takes_its_share_of_the_bytes(dtype: str, share: float, site: Site) -> None:
    server, delta = Server(dtype), {"matrix": np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32)}
    site.receive(server.send(server.broadcast(delta), site))
    assert message_bytes(site.answer(delta)) <= share * 256 * 256 * 4
