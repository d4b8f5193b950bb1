from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from admin.site.partition.partition_plot import draw_partition


@pytest.mark.parametrize(("sites", "labels"), [(1, 1), (5, 14), (2, 0)])
def test_the_plot_is_a_png_that_shows_something(sites: int, labels: int, tmp_path: Path) -> None:
    counts = {f"site-{site}": np.arange(labels + 1) * (site + 1) + 1 for site in range(sites)}
    draw_partition(counts, [f"label {number}" for number in range(labels)], title="iid", file=tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as image:
        assert image.format == "PNG"
        assert min(image.size) > 150
        assert np.asarray(image.convert("L")).std() > 5


def test_sites_without_a_label_can_be_drawn(tmp_path: Path) -> None:
    draw_partition({"a": np.array([0, 3]), "b": np.array([0, 4])}, ["Edema"], title="", file=tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
