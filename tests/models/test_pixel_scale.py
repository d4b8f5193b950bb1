"""The scale of grey values of a pretrained image encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from fedaid.errors import InputError
from fedaid.models.pixel_scale import PixelScale, ScaledPixels, folder_scale, given_scale


def scale_of(folder: Path, **given: Any) -> PixelScale:
    (folder / "preprocessor_config.json").write_text(json.dumps(given))
    return folder_scale(folder)


def test_black_and_white_become_what_the_encoder_was_trained_with() -> None:
    scaled = ScaledPixels(PixelScale((0.5, 0.25), (0.5, 0.25)))(torch.tensor([-1.0, 1.0]).reshape(1, 1, 1, 2))
    assert scaled[0].tolist() == [[[-1.0, 1.0]], [[-1.0, 3.0]]]


def test_half_and_half_is_the_identity() -> None:
    images = torch.rand(2, 1, 3, 3) * 2 - 1
    torch.testing.assert_close(ScaledPixels(PixelScale((0.5,), (0.5,)))(images), images)


def test_the_scale_is_no_part_of_the_state() -> None:
    assert not ScaledPixels(PixelScale((0.5,), (0.5,))).state_dict()


def test_a_folder_states_mean_and_deviation(tmp_path: Path) -> None:
    assert scale_of(tmp_path, image_mean=[0.5307], image_std=[0.2583]) == ((0.5307,), (0.2583,))


def test_another_factor_moves_into_mean_and_deviation(tmp_path: Path) -> None:
    found = scale_of(tmp_path, image_mean=[1.0], image_std=[0.5], rescale_factor=2 / 255)  # white is 2
    assert found == (pytest.approx((0.5,)), pytest.approx((0.25,)))
    found = scale_of(tmp_path, image_mean=[51.0], image_std=[102.0], do_rescale=False)
    assert found == (pytest.approx((0.2,)), pytest.approx((0.4,)))


def test_without_normalisation_the_range_is_zero_to_one(tmp_path: Path) -> None:
    found = scale_of(tmp_path, do_normalize=False, image_mean=[0.5], image_std=[0.5])
    assert found == (pytest.approx((0.0,)), pytest.approx((1.0,)))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, r"state its scale, got no \['image_mean', 'image_std'\]"),
        ({"image_mean": [0.5], "image_std": [0.5], "rescale_offset": True}, "scale grey values by a factor"),
        ({"image_mean": [0.5] * 3, "image_std": [0.5]}, "have as many numbers as pixel_std, got 3 and 1"),
        ({"image_mean": [0.5], "image_std": [0.0]}, "pixel_std must be a list of one to three numbers above 0"),
        ({"image_mean": [float("nan")], "image_std": [1.0]}, "pixel_mean must be a list"),
        ({"image_mean": "0.5", "image_std": [1.0]}, "pixel_mean must be a list"),
        ({"image_mean": [True], "image_std": [1.0]}, "pixel_mean must be a list"),
        ({"image_mean": [0.5], "image_std": [0.5], "do_flip_channel_order": True}, "order of red, green and blue"),
        ({"image_mean": [0.5], "image_std": [0.5], "do_rescale": None}, "do_rescale must be true or false, got None"),
        ({"image_mean": [0.5], "image_std": [0.5], "do_rescale": False}, "say where grey values end, at 1 or 255"),
        ({"do_rescale": False, "do_normalize": False}, "say where grey values end, at 1 or 255"),
        ({"image_mean": [0.5], "image_std": [0.5], "rescale_factor": None}, "rescale_factor must be a number above 0"),
        ({"image_mean": [0.5], "image_std": [0.5], "rescale_factor": 0}, "rescale_factor must be a number above 0"),
    ],
)
def test_an_unclear_file_is_refused(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        scale_of(tmp_path, **given)


def test_a_job_may_state_the_scale() -> None:
    assert given_scale([0], [1], where="here") == ((0.0,), (1.0,))


def test_the_file_of_a_pair_states_its_image_processor(tmp_path: Path) -> None:
    inside = {"image_processor": {"image_mean": [0.25], "image_std": [0.5]}}
    (tmp_path / "processor_config.json").write_text(json.dumps(inside))
    assert folder_scale(tmp_path) == ((0.25,), (0.5,))
