from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from admin.results.curves import draw_curves
from admin.results.run_results import read_results
from tests.admin.results.report.card_folder import change
from tests.admin.results_folder import write_run


def test_a_picture_with_two_panels_and_a_line_for_each_site_is_written(tmp_path: Path) -> None:
    draw_curves(read_results(write_run(tmp_path)), tmp_path / "curves.png")
    pixels = np.asarray(Image.open(tmp_path / "curves.png").convert("RGB"))
    colours = {tuple(colour) for colour in pixels.reshape(-1, 3).tolist()}
    assert pixels.shape[1] > 2 * pixels.shape[0], "two panels lie side by side"
    assert {(31, 119, 180), (255, 127, 14)} <= colours, "one colour for each of the two sites"


def test_the_loss_after_the_last_round_is_drawn_whichever_model_is_the_best(tmp_path: Path) -> None:
    pictures = {}
    for loss in (0.25, 1.75, None):
        run = write_run(tmp_path / str(loss), best_round=1)
        if loss is not None:
            change(run, lambda found, loss=loss: found.update(last={"lake": {"valid": {"loss": loss}}}))
        draw_curves(read_results(run), tmp_path / f"{loss}.png")
        pictures[loss] = (tmp_path / f"{loss}.png").read_bytes()
    assert len(set(pictures.values())) == 3, "a run without it has a line that ends earlier"
