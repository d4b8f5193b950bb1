from __future__ import annotations

from dataclasses import replace

import pytest

from admin.jobs.cost import (
    ModelSize,
    PlannedFederation,
    first_exchange,
    longest_work,
    model_size,
    phases,
    request_interval,
    server_disk,
    timeouts,
    transfer,
    validation,
)
from fedaid.flare.wire.codec import encode
from fedaid.models.dual_encoder import DualEncoder
from tests.integration.conftest import MODEL

SIZE = ModelSize(
    whole=1000, matrices=800, rows=10, alignment=100, alignment_matrices=80, alignment_rows=2, parameters=250
)
ADAPTED = MODEL | {
    "image_encoder": {"name": "vit", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2},
    "adapters": {"rank": 2},
}
FEDERATION = PlannedFederation(sites=4, bandwidth_mbit=8 / 0.9 / 1000, step_seconds=2, align_steps=3, pretrain_steps=5)
# so that a link carries 1000 bytes a second


@pytest.mark.parametrize(("dtype", "whole", "part"), [("fp32", 1000, 100), ("bf16", 600, 60), ("int8", 440, 48)])
def test_packed_bytes_by_hand(dtype: str, whole: int, part: int) -> None:
    assert (SIZE.packed(dtype), SIZE.packed(dtype, alignment=True)) == (whole, part)


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "int8"])
def test_computed_sizes_are_those_of_the_codec(dtype: str) -> None:
    tensors = {name: tensor.numpy() for name, tensor in DualEncoder(**MODEL).state_dict().items()}
    sent, _ = encode(tensors, dtype)
    assert model_size(MODEL).packed(dtype) == sum(array.nbytes for array in sent.values())


def test_parameters_are_counted_without_memory_for_them() -> None:
    floats = [tensor for tensor in DualEncoder(**MODEL).state_dict().values() if tensor.is_floating_point()]
    assert model_size(MODEL).parameters == sum(tensor.numel() for tensor in floats)


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "int8"])
def test_with_adapters_only_what_learns_is_counted_for_a_round(dtype: str) -> None:
    model = DualEncoder(**ADAPTED)
    learns = {name: w.detach().numpy() for name, w in model.named_parameters() if w.requires_grad}
    sent, _ = encode(learns, dtype)
    assert model_size(ADAPTED).packed(dtype) == sum(array.nbytes for array in sent.values())


def test_the_first_round_moves_frozen_weights_too() -> None:
    half = replace(SIZE, frozen=500, matrices=400)
    assert first_exchange(half, FEDERATION) == pytest.approx(4 * (1000 + 500) / 1000)
    assert model_size(ADAPTED).whole == 4 * model_size(ADAPTED).parameters


def test_a_round_by_hand() -> None:
    align, pretrain = phases(SIZE, FEDERATION)
    assert (align.task, align.down, align.up, align.work_seconds) == ("align", 1000, 100, 6)
    assert (pretrain.task, pretrain.down, pretrain.up, pretrain.work_seconds) == ("pretrain", 100, 1000, 10)
    assert align.transfer_seconds == pytest.approx(4.4)
    assert align.seconds == pytest.approx(10.4)


def test_fedavgs_round_is_one_task() -> None:
    (train,) = phases(SIZE, replace(FEDERATION, alignment_phase=False))
    assert (train.task, train.down, train.up) == ("train", 1000, 1000)


def test_the_servers_link_is_shared_by_all_sites() -> None:
    assert transfer(500, replace(FEDERATION, sites=8)) == pytest.approx(2 * transfer(500, FEDERATION))


def test_no_link_is_faster_than_flare() -> None:
    fast = replace(FEDERATION, bandwidth_mbit=1e6)
    assert transfer(150_000_000, fast) == pytest.approx(4.0)


def test_timeouts_are_twice_what_was_computed_and_a_minute() -> None:
    assert first_exchange(SIZE, FEDERATION) == pytest.approx(8.0)
    found = timeouts(SIZE, FEDERATION)
    assert found["task_timeout"] == 2 * (10 + 8) + 60
    assert found["get_task_timeout"] == found["submit_task_result_timeout"] == 2 * 8 + 60
    assert found["wait_time_after_min_received"] == 2 * (10 + 8) + 60
    assert found["np_min_download_timeout"] == 300


VALIDATED = replace(FEDERATION, studies=400, batch_size=4)  # 15 batches a split, each of 2/3 s


def test_validation_is_part_of_the_first_task_of_a_round() -> None:
    assert validation(VALIDATED) == pytest.approx(10)
    assert [phase.work_seconds for phase in phases(SIZE, VALIDATED)] == pytest.approx([6 + 10, 10])
    (train,) = phases(SIZE, replace(VALIDATED, alignment_phase=False))
    assert train.work_seconds == pytest.approx(10 + 10)


def test_a_site_that_measures_its_own_model_needs_a_validation_more_in_the_first_task_of_a_round() -> None:
    asked = replace(VALIDATED, student_loss=True)
    for alignment_phase in (True, False):
        two = [replace(one, alignment_phase=alignment_phase) for one in (VALIDATED, asked)]
        without, own = ([phase.work_seconds for phase in phases(SIZE, federation)] for federation in two)
        assert own == pytest.approx([without[0] + 10, *without[1:]])
    assert longest_work(asked, phases(SIZE, asked)) == pytest.approx(30)


@pytest.mark.parametrize(("decode", "studies", "longest"), [(0.5, 400, 6 + 10 + 200), (0.0, 400, 20), (0.0, 40, 10)])
def test_the_longest_task_decodes_or_measures_both_splits_or_trains(
    decode: float, studies: int, longest: float
) -> None:
    federation = replace(VALIDATED, decode_seconds=decode, studies=studies)
    assert longest_work(federation, phases(SIZE, federation)) == pytest.approx(longest)


@pytest.mark.parametrize("decode", [0.5, 0.0])
def test_the_wait_for_a_slow_site_holds_its_longest_task(decode: float) -> None:
    """A site that is done at once starts the wait, where min_clients is below the number of sites."""
    federation = replace(VALIDATED, decode_seconds=decode)
    found, prepared = timeouts(SIZE, federation), timeouts(SIZE, VALIDATED)
    longest = 216 if decode else 20
    assert found["task_timeout"] == found["wait_time_after_min_received"] == 2 * (longest + 8) + 60
    assert found["get_task_timeout"] == prepared["get_task_timeout"]


@pytest.mark.parametrize(("dtype", "received"), [("fp32", 1000), ("bf16", 600), ("int8", 440)])
def test_a_site_takes_the_servers_disk_twice_as_received_and_as_it_waits(dtype: str, received: int) -> None:
    federation = replace(FEDERATION, wire_dtype=dtype)
    assert server_disk(SIZE, federation) == 4 * (received + 1000) + 5 * 1000
    assert server_disk(SIZE, replace(federation, sites=5)) - server_disk(SIZE, federation) == received + 1000


def test_what_is_frozen_is_in_no_update_on_disk() -> None:
    half = replace(SIZE, frozen=500, matrices=400)
    assert server_disk(half, FEDERATION) == 4 * (500 + 500) + 5 * 1000


@pytest.mark.parametrize(("sites", "seconds"), [(3, 0.1), (20, 0.1), (100, 0.5)])
def test_sites_ask_less_often_where_there_are_many(sites: int, seconds: float) -> None:
    assert request_interval(sites) == seconds
