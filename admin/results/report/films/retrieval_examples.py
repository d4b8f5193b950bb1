"""A few test images with the reports that the model finds nearest."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import numpy as np

from admin.results.inline_picture import png_address
from admin.results.report.films.embedding_picture import Pairs
from admin.results.report.films.held_out import HeldOut

NEAREST, EXCERPT, IN_ALL = 3, 220, 12
"""Reports per example, characters per report, examples on the page."""


@dataclass(frozen=True)
class Example:
    """A test image and its nearest reports.

    Attributes:
        site: its site.
        picture: the image as a data: address.
        nearest: ``text``, ``cosine`` and ``own`` (whether it is the image's own report) of each report.
        place: rank of its own report, from 1.
        of: number of different reports.
    """

    site: str
    picture: str
    nearest: tuple[dict[str, Any], ...]
    place: int
    of: int


def site_examples(site: str, held_out: HeldOut, pairs: Pairs, *, count: int, seed: int = 0) -> list[Example]:
    """Return some examples of a site, drawn at random.

    Args:
        site: its name.
        held_out: the studies.
        pairs: their embeddings by the trained model, in the same order.
        count: number of examples; fewer if the split is smaller.
        seed: of the draw.
    """
    studies = len(held_out.texts)
    drawn = np.random.default_rng(seed).permutation(studies)[:count]
    return [example(site, held_out, pairs, int(number)) for number in sorted(drawn)]


def example(site: str, held_out: HeldOut, pairs: Pairs, number: int) -> Example:
    """Return the example of one study; reports with the same text count as one."""
    groups = held_out.dataset.text_groups
    _, first = np.unique(groups, return_index=True)
    similarity = pairs[1][first] @ pairs[0][number]
    order = np.argsort(-similarity, kind="stable")
    nearest = tuple(
        {
            "text": shorten(held_out.texts[first[column]], EXCERPT, placeholder=" …"),
            "cosine": float(similarity[column]),
            "own": bool(groups[first[column]] == groups[number]),
        }
        for column in order[:NEAREST]
    )
    place = 1 + int(np.flatnonzero(groups[first[order]] == groups[number])[0])
    return Example(site, png_address(held_out.picture(number)), nearest, place, len(first))
