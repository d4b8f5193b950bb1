from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from admin.site.doctor.chart import SHOWN_SIDE, bar_chart, grey_chart, picture_address


def opened(address: str) -> Image.Image:
    head, data = address.split(",", 1)
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_a_picture_is_shown_as_it_is() -> None:
    picture = np.tile(np.linspace(0, 1, 8, dtype=np.float32), (8, 1))
    shown = np.asarray(opened(picture_address(picture)))
    assert shown.shape == (SHOWN_SIDE, SHOWN_SIDE)
    assert shown[0, 0] == 0
    assert shown[0, -1] == 255


def test_charts_are_pictures_also_of_nothing() -> None:
    assert opened(bar_chart("View", {"PA": 3, "AP": 1})).width > 300
    assert opened(bar_chart("View", {})).width > 300
    assert opened(grey_chart([1, 2, 3])).width > 300
    assert opened(grey_chart([])).width > 300
