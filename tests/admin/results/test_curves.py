from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from admin.results.curves import curves, draw_curves
from admin.results.run_results import read_results
from tests.admin.results.report.card_folder import change
from tests.admin.results_folder import write_run


def test_both_panels_have_a_line_for_each_site(tmp_path: Path) -> None:
    results = read_results(write_run(tmp_path))
    losses, weights = curves(results).axes
    assert [line.get_label() for line in losses.lines] == ["lake", "north"]
    for line, site in zip(weights.lines, results.sites, strict=True):
        expected = [entry["site_weights"].get(site.name) for entry in results.history]
        assert list(np.asarray(line.get_ydata())) == expected


@pytest.mark.parametrize("best_round", [1, 2])
def test_the_loss_after_the_last_round_is_drawn_whichever_model_is_the_best(tmp_path: Path, best_round: int) -> None:
    run = write_run(tmp_path, best_round=best_round)
    before = np.asarray(curves(read_results(run)).axes[0].lines[0].get_ydata())
    change(run, lambda found: found.update(last={"lake": {"valid": {"loss": 0.25}}}))
    line = curves(read_results(run)).axes[0].lines[0]
    assert list(np.asarray(line.get_ydata()))[-1] == 0.25
    assert list(before)[-1] != 0.25


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    draw_curves(read_results(write_run(tmp_path)), tmp_path / "curves.png")
    assert Image.open(tmp_path / "curves.png").format == "PNG"
