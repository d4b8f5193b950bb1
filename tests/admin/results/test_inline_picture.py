from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from admin.results.inline_picture import SERIES, SHOWN_SIDE, SOFT, VARIABLES, png_address, svg_element

STYLE = Path(__file__).parents[3] / "admin" / "results" / "report" / "card_page.css"


def drawing(label: str = "rounds") -> Figure:
    """A figure of one line with numbers and a label."""
    figure = Figure(figsize=(2, 1), frameon=False)
    axes = figure.subplots()
    axes.plot([0, 1, 2], [0.125, 0.25, 0.125], "o-", color=SERIES[1])
    axes.set_xlabel(label, color=SOFT)
    axes.set_yticks([0.125, 0.25])
    return figure


def test_the_same_figure_gives_the_same_element() -> None:
    assert svg_element(drawing()) == svg_element(drawing())


def test_an_element_needs_nothing_outside_the_page_and_changes_nothing_in_it() -> None:
    found = svg_element(drawing())
    assert not re.search(r"https?:|xmlns|<style|<image|@import|<\?xml|<!DOCTYPE", found)
    assert {address[0] for address in re.findall(r'href="([^"]*)"', found)} == {"#"}


def test_the_colours_are_variables_of_the_page() -> None:
    found = svg_element(drawing())
    assert "stroke: var(--c1)" in found
    assert "fill: var(--soft)" in found
    assert not set(VARIABLES) & set(re.findall(r"#[0-9a-f]{6}", found))


def test_a_light_page_has_the_colours_of_the_figure() -> None:
    text = STYLE.read_text()
    light = dict(re.findall(r"(--\w+): (#\w+)", text[: text.index("}")]))
    for colour, variable in VARIABLES.items():
        found = light[variable.removeprefix("var(").removesuffix(")")]
        assert found.replace("#fff", "#ffffff") == colour


def test_text_stays_text_in_full() -> None:
    assert "0.125</text>" in svg_element(drawing())


def test_a_place_is_rounded_to_a_tenth() -> None:
    places = re.findall(r' d="([^"]*)"', svg_element(drawing()))
    assert places
    assert not re.search(r"\.\d\d", " ".join(places))


def test_a_label_is_escaped() -> None:
    hostile = "</svg><script>alert(1)</script>"
    assert "<script" not in svg_element(drawing(hostile), described=f'">{hostile}')


def test_a_described_element_is_an_image_and_another_is_hidden() -> None:
    assert 'role="img" aria-label="loss"' in svg_element(drawing(), described="loss")
    assert 'aria-hidden="true"' in svg_element(drawing())


def test_a_radiograph_is_shown_as_it_is() -> None:
    head, data = png_address(np.tile(np.linspace(0, 1, 8, dtype=np.float32), (8, 1))).split(",", 1)
    assert head == "data:image/png;base64"
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert shown.shape == (SHOWN_SIDE, SHOWN_SIDE)
    assert shown[0, 0] == 0
    assert shown[0, -1] == 255
