from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from fedaid.flare.wire.codec import (
    SCALE,
    SMALLEST_SCALE,
    WIRE_DTYPES,
    decode,
    encode,
    from_bf16,
    from_int8,
    is_packable,
    to_bf16,
    to_int8,
)

FINITE = st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False)
MATRICES = arrays(np.float32, array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=6), elements=FINITE)


def floats(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        (1.0, 0x3F80),
        (-2.0, 0xC000),
        (1 + 2**-8, 0x3F80),  # half-way between 1 and 1 + 2^-7: to the even neighbour, down
        (1 + 3 * 2**-8, 0x3F82),  # half-way: to the even neighbour, up
        (1 + 2**-8 + 2**-16, 0x3F81),  # above half-way: up
        (float("inf"), 0x7F80),
        (3.4e38, 0x7F80),  # beyond the largest: infinity, which the gate refuses
        (0.0, 0x0000),
        (-0.0, 0x8000),
    ],
)
def test_bf16_rounds_to_the_nearest_and_ties_to_even(value: float, bits: int) -> None:
    assert to_bf16(floats(value)).tolist() == [bits]


def test_bf16_keeps_nan() -> None:
    patterns = np.array([0x7F800001, 0xFFFFFFFF, 0x7FC00000], np.uint32).view(np.float32)
    assert np.isnan(from_bf16(to_bf16(patterns))).all()


@settings(max_examples=60)
@given(MATRICES)
def test_bf16_is_within_one_part_in_256(matrix: NDArray[np.float32]) -> None:
    assert np.all(np.abs(from_bf16(to_bf16(matrix)) - matrix) <= np.abs(matrix) * 2.0**-8)


@settings(max_examples=60)
@given(MATRICES)
def test_a_bf16_value_is_its_own_rounding(matrix: NDArray[np.float32]) -> None:
    once = from_bf16(to_bf16(matrix))
    assert np.array_equal(to_bf16(once), to_bf16(matrix))


def test_int8_by_hand() -> None:
    steps, scales = to_int8(np.array([[1.27, -0.64, 0.005], [0, 0, 0]], np.float32))
    assert scales == pytest.approx([0.01, 0.0])
    assert steps.tolist() == [[127, -64, 0], [0, 0, 0]]
    assert from_int8(steps, scales) == pytest.approx(np.array([[1.27, -0.64, 0.0], [0, 0, 0]]), abs=1e-7)


@settings(max_examples=60)
@given(MATRICES)
def test_int8_is_within_half_a_step_of_the_row(matrix: NDArray[np.float32]) -> None:
    steps, scales = to_int8(matrix)
    assert steps.shape == matrix.shape
    assert scales.shape == matrix.shape[:1]
    error = np.abs(from_int8(steps, scales).astype(np.float64) - matrix).reshape(len(matrix), -1).max(axis=1)
    largest = np.abs(matrix).reshape(len(matrix), -1).max(axis=1)
    assert np.all(error <= np.where(largest < 127 * SMALLEST_SCALE * 1.001, largest, 0.5001 * largest / 127))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_stays_so_and_spoils_no_other(bad: float) -> None:
    found = from_int8(*to_int8(np.array([[bad, 1], [1, 2]], np.float32)))
    assert not np.isfinite(found[0]).all()
    assert found[1] == pytest.approx([1, 2], abs=0.01)


@pytest.mark.parametrize("dtype", WIRE_DTYPES)
def test_what_is_no_float_matrix_stays_exact(dtype: str, template: dict[str, NDArray[Any]]) -> None:
    found = decode(*encode(template, dtype))
    assert found.keys() == template.keys()
    for name in ("vector", "scalar", "counter"):
        assert (found[name].dtype, found[name].shape) == (template[name].dtype, template[name].shape)
        assert np.array_equal(found[name], template[name])


@pytest.mark.parametrize(("dtype", "share"), [("fp32", 1.0), ("bf16", 0.5), ("int8", 0.25 + 1 / 64)])
def test_a_matrix_takes_its_share_of_the_bytes(dtype: str, share: float) -> None:
    sent, _ = encode({"matrix": np.ones((10, 64), np.float32)}, dtype)
    assert sum(array.nbytes for array in sent.values()) == 10 * 64 * 4 * share


def test_shapes_come_back(template: dict[str, NDArray[Any]]) -> None:
    tensor = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
    for dtype in WIRE_DTYPES:
        assert decode(*encode({"conv": tensor}, dtype))["conv"].shape == (2, 3, 2, 2)


def test_an_array_that_is_not_contiguous_is_packed_right() -> None:
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    for dtype in WIRE_DTYPES:
        assert decode(*encode({"turned": turned}, dtype))["turned"] == pytest.approx(turned, abs=0.02)


@pytest.mark.parametrize(("dtype", "kind"), [("bf16", np.uint16), ("int8", np.int8)])
def test_a_tensor_that_would_be_taken_for_a_packed_one_is_refused(dtype: str, kind: Any) -> None:
    with pytest.raises(ValueError, match="tensor odd must not have type"):
        encode({"odd": np.zeros(3, kind)}, dtype)


@pytest.mark.parametrize(
    "sent",
    [
        {"matrix": np.zeros((2, 3), np.int8)},
        {"matrix": np.zeros((2, 3), np.int8), "matrix" + SCALE: np.zeros(3, np.float32)},
        {"matrix": np.zeros((2, 3), np.int8), "matrix" + SCALE: np.zeros(2, np.float64)},
        {"vector": np.zeros(3, np.int8), "vector" + SCALE: np.zeros(3, np.float32)},
        {"matrix" + SCALE: np.zeros(2, np.float32)},
    ],
)
def test_scales_that_do_not_fit_are_refused(sent: dict[str, NDArray[Any]]) -> None:
    with pytest.raises(ValueError, match="scale"):
        decode(sent, {"dtype": "int8"})


@pytest.mark.parametrize("layout", [{}, {"dtype": "fp8"}, {"dtype": None}])
def test_an_unknown_layout_is_refused(layout: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wire dtype must be one of"):
        decode({}, layout)


def test_small_and_whole_tensors_are_not_packable() -> None:
    shapes = [np.zeros((2, 2), np.float32), np.zeros(4, np.float32), np.zeros((2, 2), np.int64), np.zeros((0, 2))]
    assert [is_packable(array) for array in shapes] == [True, False, False, False]
