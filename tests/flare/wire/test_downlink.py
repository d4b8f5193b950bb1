from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.dxo import from_shareable
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.shareable import make_reply

from fedaid.errors import InputError
from fedaid.flare.wire.codec import WIRE_DTYPES, encode
from fedaid.flare.wire.downlink import ModelDecoder, ModelEncoder, stepped
from fedaid.flare.wire.messages import HOLDS, WIRE, message_bytes, metrics_to_shareable
from fedaid.flare.wire.tasks import MalformedMessage, MetricsMessage
from tests.flare.conftest import random_delta
from tests.flare.wire_link import Server, Site

Arrays = dict[str, NDArray[Any]]


@pytest.fixture
def models() -> list[Arrays]:
    """θ of five rounds: a trained matrix and vector, a frozen matrix, a counter."""
    rng = np.random.default_rng(0)
    theta: Arrays = {
        "matrix": rng.standard_normal((16, 32)).astype(np.float32),
        "vector": rng.standard_normal(16).astype(np.float32),
        "frozen": rng.standard_normal((16, 32)).astype(np.float32),
        "counter": np.array(7, np.int64),
    }
    rounds = [theta]
    for number in range(4):
        step = random_delta(theta, number)
        rounds.append({n: t if n == "frozen" else np.asarray(t + step[n], t.dtype) for n, t in rounds[-1].items()})
    return rounds


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site("site-a", tmp_path / "site-a")


def same(one: Any, other: Any) -> bool:
    return one.keys() == other.keys() and all(one[n].tobytes() == other[n].tobytes() for n in one)


def on_wire(message: Any) -> set[str]:
    return set(from_shareable(message).data)


def test_at_32_bits_a_site_gets_every_model_bit_for_bit(models: list[Arrays], site: Site) -> None:
    server = Server()
    for theta in models:
        assert same(server.round(theta, site, random_delta(theta, 1))[1], theta)


@pytest.mark.parametrize("dtype", WIRE_DTYPES)
def test_a_tensor_that_did_not_change_travels_once(dtype: str, models: list[Arrays], site: Site) -> None:
    server = Server(dtype)
    sent = [on_wire(server.round(theta, site, random_delta(theta, 1))[0]) for theta in models]
    assert sent[0] == set(models[0])
    assert all("frozen" not in names and "matrix" in names for names in sent[1:])


@pytest.mark.parametrize(("dtype", "error"), [("bf16", 2**-8), ("int8", 1 / 127)])
def test_the_error_is_that_of_the_last_difference_and_does_not_add_up(
    dtype: str, error: float, models: list[Arrays], site: Site
) -> None:
    server = Server(dtype)
    for theta in models:
        got = server.round(theta, site, random_delta(theta, 1))[1]
        step = 0.05  # above the largest of the 512 steps of 0.01 that a round takes, with what the one before left
        assert np.abs(got["matrix"] - theta["matrix"]).max() <= error * step
        assert same({n: got[n] for n in ("vector", "counter")}, {n: theta[n] for n in ("vector", "counter")})


def test_a_part_of_the_model_can_follow_the_whole(models: list[Arrays], site: Site) -> None:
    server = Server("int8")
    server.round(models[0], site, random_delta(models[0], 1))
    part = {"vector": models[1]["vector"]}
    assert same(server.round(part, site, random_delta(part, 1))[1], part)
    whole = server.round(models[2], site, random_delta(models[2], 1))[1]
    assert whole.keys() == models[2].keys()
    assert same({"vector": whole["vector"]}, {"vector": models[2]["vector"]})


def test_a_message_in_which_nothing_changed_is_still_the_model(models: list[Arrays], site: Site) -> None:
    server = Server()
    server.round(models[0], site, random_delta(models[0], 1))
    message, got, _ = server.round(models[0], site, random_delta(models[0], 1))
    assert same(got, models[0])
    assert len(on_wire(message)) == 1


@pytest.mark.parametrize("dtype", WIRE_DTYPES)
def test_a_site_that_missed_a_round_gets_the_model_that_the_others_have(
    dtype: str, models: list[Arrays], site: Site, tmp_path: Path
) -> None:
    server, late = Server(dtype), Site("site-b", tmp_path / "site-b")
    task = server.broadcast(models[0])
    for one in (site, late):
        one.receive(server.send(task, one))
    for one in (site, late):
        server.take(one.answer(random_delta(models[0], 1)), one)
    server.round(models[1], site, random_delta(models[0], 1))  # the late one is not there
    task = server.broadcast(models[2])
    expected = site.receive(server.send(task, site))
    message = server.send(task, late)
    assert "frozen" in on_wire(message)
    assert same(late.receive(message), expected)


def test_a_site_that_missed_a_round_can_join_in_its_second_phase(
    models: list[Arrays], site: Site, tmp_path: Path
) -> None:
    server, late = Server("int8"), Site("site-b", tmp_path / "site-b")
    server.round(models[0], site, random_delta(models[0], 1))
    part = {"vector": models[1]["vector"]}
    assert same(late.receive(server.send(server.broadcast(part), late)), part)
    server.take(late.answer(random_delta(part, 1)), late)
    assert late.receive(server.send(server.broadcast(models[2]), late)).keys() == models[2].keys()


def test_a_site_whose_answer_failed_gets_the_whole_model(models: list[Arrays], site: Site) -> None:
    server = Server()
    server.round(models[0], site, random_delta(models[0], 1))
    server.take(make_reply(ReturnCode.EXECUTION_EXCEPTION), site)
    assert on_wire(server.send(server.broadcast(models[1]), site)) == set(models[1])


@pytest.mark.parametrize("dtype", WIRE_DTYPES)
def test_the_same_task_sent_again_gives_the_same_model(dtype: str, models: list[Arrays], site: Site) -> None:
    server = Server(dtype)
    server.round(models[0], site, random_delta(models[0], 1))
    task = server.broadcast(models[1])
    first = server.send(task, site)
    again = server.send(task, site)
    assert same(from_shareable(again).data, from_shareable(first).data)
    assert same(site.receive(first), site.receive(again))


@pytest.mark.parametrize("encoded_before", [True, False])
@pytest.mark.parametrize("dtype", WIRE_DTYPES)
def test_a_request_of_a_task_that_closed_changes_nothing_for_the_others(
    dtype: str, encoded_before: bool, models: list[Arrays], tmp_path: Path
) -> None:
    server, (a, b, c) = Server(dtype), (Site(name, tmp_path / name) for name in "abc")
    task = server.broadcast(models[0])
    for one in (a, b, c):
        one.receive(server.send(task, one))
        server.take(one.answer(random_delta(models[0], 1)), one)
    closed, task = server.broadcast(models[1]), server.broadcast(models[2])
    if encoded_before:
        for one in (a, b):
            one.receive(server.send(closed, one))
            server.take(one.answer(random_delta(models[0], 2)), one)
    got = {"a": a.receive(server.send(task, a))}
    assert same(c.receive(server.send(closed, c)), models[1]) or not encoded_before  # filtered late
    got["b"] = b.receive(server.send(task, b))
    assert same(got["a"], got["b"]) or not encoded_before
    for one in (a, b):
        server.take(one.answer(random_delta(models[0], 3)), one)
    task = server.broadcast(models[3])
    found = [one.receive(server.send(task, one)) for one in (a, b, c)]
    assert same(found[0], found[1])
    assert same(found[0], found[2])


def test_a_step_from_a_model_that_the_site_does_not_hold_is_refused(models: list[Arrays], site: Site) -> None:
    server = Server()
    server.round(models[0], site, random_delta(models[0], 1))
    message = server.send(server.broadcast(models[1]), site)
    site.start()
    with pytest.raises(MalformedMessage, match=r"this site holds \(no version\), got a step from task-1"):
        site.receive(message)


@pytest.mark.parametrize("dtype", WIRE_DTYPES)
def test_a_process_for_every_task_changes_nothing(dtype: str, models: list[Arrays], site: Site, tmp_path: Path) -> None:
    server, other, swapping = Server(dtype), Server(dtype), Site("site-b", tmp_path / "site-b")
    for number, theta in enumerate(models):
        swapping.swap()
        delta = random_delta(theta, number)
        _, expected, taken = server.round(theta, site, delta)
        _, got, reply = other.round(theta, swapping, delta)
        assert same(got, expected)
        assert same(from_shareable(reply).data, from_shareable(taken).data)


def test_where_processes_are_not_swapped_a_site_writes_nothing(
    models: list[Arrays], site: Site, tmp_path: Path
) -> None:
    server = Server("int8")
    for theta in models[:2]:
        server.round(theta, site, random_delta(theta, 1))
    assert list((tmp_path / "site-a").iterdir()) == []


def test_the_layout_is_gone_when_the_executor_reads_the_message(models: list[Arrays], site: Site) -> None:
    message = Server().send(Server().broadcast(models[0]), site)
    assert WIRE in from_shareable(message).meta
    read = from_shareable(site.decoder.process(message, site.ctx))
    assert not {WIRE, HOLDS} & set(read.meta)
    assert read.meta["vocabulary_hash"] == "0a1b"


@pytest.mark.parametrize(("dtype", "share"), [("bf16", 0.51), ("int8", 0.27)])
def test_a_difference_takes_its_share_of_the_bytes(dtype: str, share: float, site: Site) -> None:
    rng, server = np.random.default_rng(0), Server(dtype)
    models = [{"matrix": rng.standard_normal((256, 256)).astype(np.float32)} for _ in range(2)]
    whole, step = (message_bytes(server.round(theta, site, theta)[0]) for theta in models)
    assert step <= share * whole


def test_a_message_without_a_layout_and_one_of_another_kind_pass(models: list[Arrays], site: Site) -> None:
    plain = Server().broadcast(models[0])
    assert same(site.receive(plain), models[0])
    metrics = metrics_to_shareable(MetricsMessage(0, {"valid": {"loss": 1.0}}))
    assert from_shareable(ModelDecoder().process(metrics, site.ctx)).data == {"valid": {"loss": 1.0}}


@pytest.mark.parametrize("dtype", ["fp16", "", None, 8])
def test_an_unknown_type_is_refused_when_the_job_is_checked(dtype: Any) -> None:
    with pytest.raises(InputError, match="wire_dtype must be one of fp32, bf16, int8"):
        ModelEncoder(dtype)


@pytest.mark.parametrize("dtype", ["bf16", "int8"])
def test_a_step_takes_the_memory_of_one_model_and_one_tensor(dtype: str) -> None:
    """The decoded step is never whole in memory."""
    model = {str(number): np.zeros((64, 512), np.float32) for number in range(16)}
    step, _ = encode({name: np.ones_like(tensor) for name, tensor in model.items()}, dtype)
    whole = sum(tensor.nbytes for tensor in model.values())
    tracemalloc.start()
    moved = stepped(model, step, dtype=dtype)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert whole < peak < 1.3 * whole
    assert all((tensor == 1).all() for tensor in moved.values())


def test_a_scale_without_its_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="every scale must have its matrix"):
        stepped({}, {"matrix::scale": np.ones(3, np.float32)}, dtype="int8")
