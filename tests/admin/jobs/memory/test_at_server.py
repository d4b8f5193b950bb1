from __future__ import annotations

from dataclasses import replace
from typing import Any

from admin.jobs.cost import ModelSize
from admin.jobs.memory.at_server import ON_THE_WAY, PROCESS, server_memory
from tests.admin.jobs.memory.test_at_site import FROZEN, SIZE

LARGEST = replace(SIZE, largest=10)


def above(size: ModelSize = LARGEST, **changes: Any) -> float:
    return sum(server_memory(size, sites=2, **changes).values()) - PROCESS - 2 * ON_THE_WAY[0]


def test_the_server_has_the_model_before_and_after_and_the_ideal_alignment_and_one_tensor_in_float64() -> None:
    assert above() == 1000 + 1000 + 100 + 8 * 10


def test_frozen_weights_are_the_same_arrays_before_and_after() -> None:
    assert above(FROZEN) == 1000 + 100 + 100


def test_a_rounding_wire_adds_the_model_of_the_sites_and_the_step_to_it() -> None:
    assert above(wire_dtype="bf16") == above() + 1000 + 600
    assert above(wire_dtype="int8") == above() + 1000 + 440


def test_the_servers_optimizer_has_its_moments_twice_until_the_new_model_is_found_sound() -> None:
    assert above(optimizer="momentum") == above() + 2 * 1000
    assert above(optimizer="adam") == above() + 4 * 1000


def test_a_site_more_adds_its_blocks_which_are_larger_for_a_large_message() -> None:
    for size, blocks in ((SIZE, 16e6), (replace(SIZE, whole=1_600_000_000), 1e8)):
        few, more = (sum(server_memory(size, sites=sites).values()) for sites in (4, 5))
        assert more - few == blocks
