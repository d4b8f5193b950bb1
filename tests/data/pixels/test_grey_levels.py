from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from fedaid.data.header.pixel_tags import pixel_tags
from fedaid.data.pixels import grey_levels


def header(**tags: Any) -> Dataset:
    made = Dataset()
    made.PixelRepresentation, made.BitsStored, made.PhotometricInterpretation = 0, 12, "MONOCHROME2"
    for keyword, value in tags.items():
        setattr(made, keyword, value)
    return made


def lut(descriptor: list[int], data: object, *, vr: str = "US") -> Dataset:
    item = Dataset()
    item.add_new(0x00283002, "US", descriptor)
    item.add_new(0x00283006, vr, data)
    return item


def modality_values(stored: np.ndarray, tags: Dataset) -> np.ndarray:
    return grey_levels.modality_values(stored, pixel_tags(tags))


def windowed_values(values: np.ndarray, tags: Dataset) -> np.ndarray:
    return grey_levels.windowed_values(values, np.ones(values.shape), pixel_tags(tags))


STORED = np.array([[0, 1, 2, 3, 4, 5]], dtype=np.uint16)


def test_without_tags_the_values_are_as_stored() -> None:
    assert modality_values(STORED, header()).tolist() == STORED.tolist()


def test_rescale_is_slope_times_value_plus_intercept() -> None:
    assert modality_values(STORED, header(RescaleSlope=2, RescaleIntercept=-3)).tolist() == [[-3, -1, 1, 3, 5, 7]]


def test_modality_lut_comes_before_rescale() -> None:
    tags = header(ModalityLUTSequence=[lut([4, 1, 16], [10, 20, 40, 80])], RescaleSlope=5, RescaleIntercept=0)
    assert modality_values(STORED, tags).tolist() == [[10, 10, 20, 40, 80, 80]]


def test_lut_of_bytes_is_read_as_little_endian_words() -> None:
    data = np.array([10, 20, 40, 800], dtype="<u2").tobytes()
    assert modality_values(STORED, header(ModalityLUTSequence=[lut([4, 0, 16], data, vr="OW")]))[0, -1] == 800


def test_lut_of_8_bits_with_more_than_256_entries_does_not_wrap() -> None:
    table = (np.arange(1024) // 4).tolist()
    shown = windowed_values(np.array([[0.0, 400.0, 1023.0]]), header(VOILUTSequence=[lut([1024, 0, 8], table)]))
    assert shown.tolist() == [[0, 100, 255]]


def test_lut_with_zero_entries_declared_has_65536() -> None:
    table = list(range(65536))
    shown = windowed_values(np.array([[0.0, 700.0, 65535.0]]), header(VOILUTSequence=[lut([0, 0, 16], table)]))
    assert shown.tolist() == [[0, 700, 65535]]


def test_first_mapped_value_is_negative_for_signed_pixels() -> None:
    tags = header(PixelRepresentation=1, VOILUTSequence=[lut([3, 65535, 16], [7, 8, 9])])
    assert windowed_values(np.array([[-1.0, 0.0, 1.0]]), tags).tolist() == [[7, 8, 9]]


def test_the_first_of_several_luts_and_windows_is_taken() -> None:
    luts = [lut([6, 0, 16], [0, 0, 1, 1, 2, 2]), lut([6, 0, 16], [9, 9, 9, 9, 7, 8])]
    assert windowed_values(STORED.astype(float), header(VOILUTSequence=luts)).tolist() == [[0, 0, 1, 1, 2, 2]]
    tags = header(WindowCenter=[3, 100], WindowWidth=[2, 100], VOILUTFunction="LINEAR_EXACT")
    assert windowed_values(STORED.astype(float), tags).tolist() == [[0, 0, 0, 0.5, 1, 1]]


def test_lut_is_preferred_to_window() -> None:
    tags = header(VOILUTSequence=[lut([3, 2, 16], [5, 6, 7])], WindowCenter=3, WindowWidth=2)
    assert windowed_values(STORED.astype(float), tags).tolist() == [[5, 5, 5, 6, 7, 7]]


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID", None])
def test_window_agrees_with_pydicom_up_to_the_scale(function: str | None) -> None:
    tags = header(WindowCenter=2000, WindowWidth=1500, **({"VOILUTFunction": function} if function else {}))
    values = np.linspace(0, 4095, 200).reshape(10, 20)
    np.testing.assert_allclose(windowed_values(values, tags), apply_windowing(values, tags) / 4095, atol=1e-12)


@pytest.mark.parametrize("width", [0, -5, 1, None])
def test_a_window_that_is_not_valid_is_ignored(width: float | None) -> None:
    values = STORED.astype(float)
    assert windowed_values(values, header(WindowCenter=3, WindowWidth=width)).tolist() == values.tolist()


def test_a_window_that_misses_the_picture_is_ignored() -> None:
    values = STORED.astype(float)
    assert windowed_values(values, header(WindowCenter=5000, WindowWidth=100)).tolist() == values.tolist()


@pytest.mark.parametrize(("inside", "kept"), [(4, False), (6, True)])
def test_a_window_that_leaves_less_than_a_twentieth_inside_is_ignored(inside: int, kept: bool) -> None:
    values = np.r_[np.full(inside, 50.0), np.full(50, 900.0), np.full(50 - inside, 950.0)]
    shown = windowed_values(values, header(WindowCenter=50, WindowWidth=40))
    assert np.array_equal(shown, values) != kept


def test_a_lut_that_leaves_almost_nothing_between_its_ends_is_ignored() -> None:
    values = np.array([[5000.0, 6000.0, 7000.0]])
    shown = windowed_values(values, header(VOILUTSequence=[lut([3, 0, 16], [0, 5, 9])]))
    assert shown.tolist() == values.tolist()


def test_only_pixels_that_count_decide_whether_a_window_is_used() -> None:
    values = np.array([[50.0, 900.0, 950.0]])
    tags = pixel_tags(header(WindowCenter=50, WindowWidth=40))
    used = grey_levels.windowed_values(values, np.array([[9, 1, 1]]), tags)
    ignored = grey_levels.windowed_values(values, np.array([[0, 1, 1]]), tags)
    assert used[0, 1:].tolist() == [1, 1]
    assert ignored.tolist() == values.tolist()


def test_values_that_are_not_finite_stay_so_beside_a_lut() -> None:
    assert np.isnan(windowed_values(np.array([[np.nan, 1.0]]), header(VOILUTSequence=[lut([2, 0, 16], [5, 6])]))).any()


def test_an_empty_lut_is_ignored() -> None:
    tags = header(ModalityLUTSequence=[lut([4, 0, 16], b"", vr="OW")])
    assert modality_values(STORED, tags).tolist() == STORED.tolist()
    assert pixel_tags(tags).ignored == {"ModalityLUTSequence"}
