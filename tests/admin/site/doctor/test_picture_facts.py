from __future__ import annotations

import numpy as np
import pytest

from admin.site.doctor.picture_facts import (
    BINS,
    fingerprint,
    grey_counts,
    measured,
)
from admin.site.films.picture_edges import without_bands, without_padding

RAMP = np.tile(np.linspace(0.1, 0.9, 64, dtype=np.float32), (64, 1))


def test_padding_is_left_out_of_the_aspect() -> None:
    picture = np.zeros((64, 64))
    picture[16:48] = 0.5 * RAMP[16:48]
    assert without_padding(picture).shape == (32, 64)
    assert measured(picture).aspect == pytest.approx(2)


def test_flat_bands_and_frames_are_left_out_of_how_a_picture_lies() -> None:
    noise = np.random.default_rng(0).random((40, 40))
    framed = np.pad(np.pad(noise, ((0, 9), (0, 0)), constant_values=0.1), 3, constant_values=1.0)
    assert np.array_equal(without_bands(framed), noise)


def test_a_picture_of_nothing_but_bands_stays_as_it_is() -> None:
    assert without_bands(np.full((4, 6), 0.5)).shape == (4, 6)


def test_an_empty_picture_stays_as_it_is() -> None:
    assert without_padding(np.zeros((4, 4))).shape == (4, 4)


def test_the_share_at_the_top_is_that_of_the_brightest_value() -> None:
    picture = RAMP.copy()
    picture[:16] = 1.0
    assert measured(picture).clipped == pytest.approx(0.25)


def test_equal_pictures_have_equal_fingerprints_whatever_their_brightness() -> None:
    noise = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    assert fingerprint(noise) == fingerprint(0.5 * noise)
    assert (fingerprint(noise) ^ fingerprint(noise[::-1])).bit_count() > 50


def test_every_pixel_is_counted_in_one_bin() -> None:
    counts = grey_counts(RAMP)
    assert counts.sum() == RAMP.size
    assert len(counts) == BINS
