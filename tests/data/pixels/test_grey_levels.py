from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from fedaid.data.pixels.grey_levels import modality_values, windowed_values
from fedaid.data.unusable import UnusableStudy


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
    assert windowed_values(np.array([[0.0, 65535.0]]), header(VOILUTSequence=[lut([0, 0, 16], table)])).max() == 65535


def test_first_mapped_value_is_negative_for_signed_pixels() -> None:
    tags = header(PixelRepresentation=1, VOILUTSequence=[lut([3, 65535, 16], [7, 8, 9])])
    assert windowed_values(np.array([[-1.0, 0.0, 1.0]]), tags).tolist() == [[7, 8, 9]]


def test_the_first_of_several_luts_and_windows_is_taken() -> None:
    luts = [lut([6, 0, 16], [0, 0, 0, 1, 1, 1]), lut([6, 0, 16], [9, 9, 9, 9, 9, 8])]
    assert windowed_values(STORED.astype(float), header(VOILUTSequence=luts)).tolist() == [[0, 0, 0, 1, 1, 1]]
    tags = header(WindowCenter=[3, 100], WindowWidth=[2, 100], VOILUTFunction="LINEAR_EXACT")
    assert windowed_values(STORED.astype(float), tags).tolist() == [[0, 0, 0, 0.5, 1, 1]]


def test_lut_is_preferred_to_window() -> None:
    tags = header(VOILUTSequence=[lut([2, 2, 16], [5, 6])], WindowCenter=3, WindowWidth=2)
    assert windowed_values(STORED.astype(float), tags).tolist() == [[5, 5, 5, 6, 6, 6]]


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


def test_values_that_are_not_finite_do_not_pass_a_lut() -> None:
    with pytest.raises(UnusableStudy, match="image-not-finite"):
        windowed_values(np.array([[np.nan, 1.0]]), header(VOILUTSequence=[lut([2, 0, 16], [5, 6])]))


def test_an_empty_lut_is_an_error() -> None:
    with pytest.raises(ValueError, match="empty LUT"):
        modality_values(STORED, header(ModalityLUTSequence=[lut([4, 0, 16], b"", vr="OW")]))
