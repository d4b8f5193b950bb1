"""A drawn film with letters in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.benchmarks.letter_films import chest, stamp

Film = Callable[..., NDArray[np.float32]]


@pytest.fixture
def film() -> Film:
    """A function of a text that returns a film of 512 pixels with it, bright at the top left, or at a place."""

    def drawn(
        text: str = "", *, high: int = 16, top: int = 8, left: int = 8, bright: float = 1.0, turns: int = 0
    ) -> NDArray[np.float32]:
        grey = chest(0) + np.random.default_rng(0).normal(0, 0.01, (512, 512)).astype(np.float32)
        if text:
            ink = np.rot90(stamp(text, "DejaVuSans.ttf", high), turns)
            part = grey[top : top + ink.shape[0], left : left + ink.shape[1]]
            part += ink[: part.shape[0], : part.shape[1]] * (bright - part)
        return np.clip(grey, 0, 1)

    return drawn
