"""Films with letters in their pixels: names as devices burn them in, markers as technicians place them, and neither."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from admin.twin.drawing.anatomy import sample_anatomy
from admin.twin.drawing.phantom import draw_radiograph
from admin.twin.findings import Findings

NAMES = (
    "QUENTLEY, ORSOLA\n14.09.1951", "Brisenmoor Taddeus  *03.02.1948", "VANTREUIL SOLENE F 1939-11-27\nID 50418837",
    "Kestrowitz, M.\nPat.-Nr. 6619204", "DR. OLLENSCHAFT\nKLINIK WIESENGRUND", "PELLAVICENA RUDIA", "Harrowfenn^Idris",
    "ПРОСКОВИН АРТЕМИЙ 12.05.1960", "MRN: 00713945", "ACC 2019-044718", "12.03.2017 Quardieu N.", "Ynsdottir Hallbera",
    "SAINT-BRELLAC MARGUERITE\nNee le 05/06/1933", "ST. ALDWIN'S HOSPITAL  TILLOTSEN P", "ΜΑΡΚΕΛΟΥΔΗΣ ΝΙΚΟΣ",
    "FEENWICKE\nOTHMAR\n19470822", "Zamorrilla Ines", "GARNHOLT T 71Y M", "LOMBARDIEUX ACHILLE 22/10/1944",
)  # fmt: skip
"""Invented persons, places and numbers."""

MARKERS = (
    "L", "R", "R", "L", "PA", "AP", "R  KM", "L tb", "AP SUPINE", "PORTABLE", "R PA ERECT", "14:32", "LINKS", "RECHTS",
    "AP ERECT 08:15", "LIEGEND", "LATERAL", "PORTABLE AP\nSUPINE", "DROIT", "GAUCHE", "SITTING", "SUPINO", "DEBOUT",
    "MOBILE 23:05", "STEHEND", "IZQUIERDA", "R PORTABLE", "SEMI-ERECT", "UPRIGHT", "INSPIRATION", "AP PORT 6:40 AM",
)  # fmt: skip
"""Words that stand on films and identify nobody."""

SIZES = ((512, 428), (1024, 1024), (1500, 1500), (2000, 1700), (2430, 1994), (3000, 2400))
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSerif.ttf")
DRAWN = 512
KINDS = ("name", "marker", "none")


@dataclass(frozen=True)
class LetterFilm:
    """A film, bright = dense.

    Attributes:
        levels: (H, W) uint8 or uint16, below 2 ** bits.
        bits: 8 or 12.
        kind: "name", "marker" or "none".
        told: how the letters were drawn.
    """

    levels: NDArray[np.unsignedinteger]
    bits: int
    kind: str
    told: str

    @property
    def grey(self) -> NDArray[np.float32]:
        """The film in [0, 1]."""
        return self.levels.astype(np.float32) / np.float32(2**self.bits - 1)


@cache
def chest(seed: int) -> NDArray[np.float32]:
    """A drawn chest (DRAWN, DRAWN) in [0, 1]."""
    rng = np.random.default_rng(seed)
    return draw_radiograph(Findings(), sample_anatomy(rng), rng=rng, image_size=DRAWN)


def letter_film(kind: str, seed: int) -> LetterFilm:
    """Return a film of a kind; size, position, brightness, font, direction and bits are drawn by the seed."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    height, width = SIZES[rng.integers(len(SIZES))]
    picture = Image.fromarray(chest(int(rng.integers(4)))).resize((width, height), Image.Resampling.BICUBIC)
    grey = np.array(picture) + rng.normal(0, rng.uniform(0.005, 0.02), (height, width)).astype(np.float32)
    _things(grey, rng)
    told = "" if kind == "none" else _letters(grey, (NAMES if kind == "name" else MARKERS), rng)
    bits = int(rng.choice((8, 12)))
    levels = np.rint(np.clip(grey, 0, 1) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    return LetterFilm(levels, bits, kind, f"{height}x{width}, {bits} bits, {told}")


def _letters(grey: NDArray[np.float32], words: tuple[str, ...], rng: Generator) -> str:
    """Draw some words, and return how."""
    longest = max(grey.shape)
    text, font = words[rng.integers(len(words))], FONTS[rng.integers(len(FONTS))]
    high = int(max(10, longest * rng.choice((0.014, 0.018, 0.025, 0.035, 0.05))))
    where, turns = str(rng.choice(("corner", "edge", "chest"))), int(rng.choice((0, 0, 0, 0, 1, 3)))
    look = str(rng.choice(("white", "black on white", "black", "grey")))
    ink = stamp(text, font, high)
    ink = np.rot90(ink, turns)[: grey.shape[0] - 8, : grey.shape[1] - 8]
    room = (grey.shape[0] - ink.shape[0], grey.shape[1] - ink.shape[1])
    top, left = (int(rng.integers(0, max(1, space))) for space in room)
    if where != "chest":
        top = int(rng.choice((4, room[0] - 4)))
    if where == "corner":
        left = int(rng.choice((4, room[1] - 4)))
    part = grey[top : top + ink.shape[0], left : left + ink.shape[1]]
    if look == "black on white":
        part[:] = 1 - ink
    else:
        if where == "chest" or look == "white":
            value = 0.0 if look == "black" and part.mean() > 0.4 else 1.0
        else:
            value = 1.0 if part.mean() < 0.5 else 0.0
        faint = 0.35 if look == "grey" else 1.0
        part[:] += ink * faint * (value - part)
    return f"{text!r}, {font}, {high} px, {where}, {look}, {turns} turns"


@cache
def _font(name: str, high: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), high)


def stamp(text: str, font: str, high: int) -> NDArray[np.float32]:
    """The letters as a picture (h, w), 1 where there is ink, with a margin of a quarter of their height."""
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox(
        (0, 0), text, _font(font, high)
    )
    margin = high // 4
    page = Image.new("L", (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin))
    ImageDraw.Draw(page).multiline_text((margin - left, margin - top), text, fill=255, font=_font(font, high))
    return np.asarray(page, dtype=np.float32) / 255


def _things(grey: NDArray[np.float32], rng: Generator) -> None:
    """Draw what lies on some patients and is no letter: cables, electrodes, a ruler, a collimated border."""
    height, width = grey.shape
    page = Image.new("L", (width, height))
    draw, thick = ImageDraw.Draw(page), max(1, max(height, width) // 350)
    for _ in range(int(rng.integers(0, 5))):
        points = [(float(rng.uniform(0, width)), float(rng.uniform(0, height))) for _ in range(4)]
        draw.line(points, fill=200, width=thick, joint="curve")
        x, y = points[0]
        draw.ellipse((x - 6 * thick, y - 6 * thick, x + 6 * thick, y + 6 * thick), outline=220, width=thick)
    if rng.random() < 0.15:
        for tick in range(0, height // 2, 12 * thick):
            draw.line((4, tick, 4 + 8 * thick, tick), fill=255, width=thick)
    np.maximum(grey, np.asarray(page, dtype=np.float32) / 255, out=grey)
    if rng.random() < 0.5:
        border = int(rng.uniform(0.02, 0.08) * width)
        grey[:, :border], grey[:, -border:] = 0.0, 0.0
