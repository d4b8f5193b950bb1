from __future__ import annotations

import numpy as np
import pytest

from admin.twin.drawing.scanner import expose, rendered
from admin.twin.hospital import Scanner

RAMP = np.tile(np.linspace(0.0, 1.0, 64, dtype=np.float32), (64, 1))
PLAIN = Scanner(exposure=0.0, noise=0.0)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_plain_scanner_keeps_the_picture() -> None:
    assert np.allclose(rendered(RAMP, PLAIN, rng=rng()), RAMP, atol=1e-6)


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (10, np.uint16), (12, np.uint16)])
def test_pixels_use_the_whole_range_of_the_bits(bits: int, dtype: type) -> None:
    pixels = expose(RAMP, Scanner(bits=bits, exposure=0.0, noise=0.0), rng=rng(), inverted=False).pixels
    assert pixels.dtype == dtype
    assert (pixels.min(), pixels.max()) == (0, 2**bits - 1)


def test_inverted_pixels_are_the_complement() -> None:
    plain, inverted = (expose(RAMP, PLAIN, rng=rng(), inverted=value).pixels.astype(int) for value in (False, True))
    assert np.abs(plain + inverted - (2**12 - 1)).max() <= 1


def test_the_window_covers_exactly_the_picture() -> None:
    exposure = expose(RAMP, Scanner(bits=10, windowed=True, exposure=0.0, noise=0.0), rng=rng(), inverted=False)
    assert exposure.rescale is not None
    assert exposure.window is not None
    output = exposure.pixels * exposure.rescale[0] + exposure.rescale[1]
    centre, width = exposure.window
    assert abs(output.min() - (centre - width / 2)) <= 3
    assert abs(output.max() - (centre + width / 2)) <= 3


def test_collimation_blackens_the_border_only() -> None:
    image = rendered(np.ones((64, 64), np.float32), Scanner(exposure=0.0, noise=0.0, collimation=0.2), rng=rng())
    assert image[0].max() == 0.0
    assert image[32, 32] == 1.0


def test_noise_has_the_stated_deviation() -> None:
    image = rendered(np.full((128, 128), 0.5, np.float32), Scanner(exposure=0.0, noise=0.05), rng=rng())
    assert abs(image.std() - 0.05) < 0.003


def test_blur_smooths() -> None:
    step = np.repeat([[0.0, 1.0]], 32, axis=1).repeat(64, axis=0).astype(np.float32)
    assert np.abs(np.diff(rendered(step, Scanner(exposure=0.0, noise=0.0, blur=0.03), rng=rng()))).max() < 0.5


def test_gamma_below_one_brightens_mid_grey() -> None:
    assert rendered(RAMP, Scanner(exposure=0.0, noise=0.0, gamma=0.7), rng=rng())[0, 32] > RAMP[0, 32] + 0.05
