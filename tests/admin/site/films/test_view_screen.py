from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from admin.site.films.view_screen import LEAST_FRONTAL, MOST_LATERAL, SIDE_CHEST, frontal_score, score_at, seen_side
from admin.twin.drawing.anatomy import sample_anatomy
from admin.twin.drawing.lateral import draw_lateral
from admin.twin.drawing.phantom import draw_radiograph
from admin.twin.findings import Findings
from fedaid.data.pixels.image import read_radiograph
from tests.admin.site.films.drawn_chest import drawn_side_chest
from tests.field.export import chest
from tests.real_data import REAL_CXR, needs


def square(film: np.ndarray) -> np.ndarray:
    side = max(film.shape)
    padded = np.zeros((side, side))
    top, left = ((side - length) // 2 for length in film.shape)
    padded[top : top + film.shape[0], left : left + film.shape[1]] = film
    return padded


def test_drawn_films_are_told_apart_from_either_side() -> None:
    assert {seen_side(square(chest(n))) for n in range(20)} == {"frontal"}
    laterals = [square(chest(n, lateral=True)) for n in range(20)]
    assert {seen_side(film) for film in laterals} == {"lateral"}
    assert {seen_side(np.fliplr(film)) for film in laterals} == {"lateral"}


def test_no_lateral_film_of_the_twin_is_frontal() -> None:
    rng = np.random.default_rng(3)
    frontal = [draw_radiograph(Findings(), sample_anatomy(rng), rng=rng, image_size=64) for _ in range(10)]
    lateral = [draw_lateral(Findings(), sample_anatomy(rng), rng=rng, image_size=64) for _ in range(20)]
    assert {seen_side(film) for film in frontal} == {"frontal"}
    assert "frontal" not in {seen_side(film) for film in lateral}


def test_a_picture_without_content_does_not_decide() -> None:
    assert frontal_score(np.full((32, 32), 0.4)) == 0
    assert seen_side(np.full((32, 32), 0.4)) == ""


def test_a_decoded_film_is_read_from_its_row(tmp_path: Path) -> None:
    films = np.stack([square(chest(1)), square(chest(1, lateral=True))]).astype(np.float16)
    np.save(tmp_path / "images.npy", films)
    frontal, lateral, absent = (score_at(tmp_path / "images.npy", row) for row in (0, 1, None))
    assert absent is None
    assert frontal == pytest.approx(frontal_score(films[0].astype(np.float32)))
    assert frontal is not None
    assert lateral is not None
    assert frontal >= LEAST_FRONTAL
    assert lateral <= MOST_LATERAL


def test_the_template_is_the_mean_lateral_view_of_the_twin() -> None:
    with Image.open(SIDE_CHEST) as image:
        assert np.abs(np.asarray(image, dtype=np.int64) - drawn_side_chest()).max() <= 1


@pytest.mark.slow
@needs(REAL_CXR)
def test_of_real_films_no_lateral_is_frontal_and_few_frontal_ones_are_lateral() -> None:
    rows = []
    for table in ("pairs.csv", "pairs_templated.csv"):
        with (REAL_CXR / table).open(encoding="utf-8", newline="") as file:
            rows += [row for row in csv.DictReader(file) if row["view"] not in ("", "?")]
    seen = [(row["view"] == "L", seen_side(read_radiograph(REAL_CXR / row["image"], 64))) for row in rows]
    lateral, frontal = ([side for one, side in seen if one is is_lateral] for is_lateral in (True, False))
    assert (len(lateral), len(frontal)) == (42, 472)
    assert "frontal" not in lateral
    assert lateral.count("lateral") >= 36
    assert frontal.count("frontal") >= 380
    assert frontal.count("lateral") <= 20
