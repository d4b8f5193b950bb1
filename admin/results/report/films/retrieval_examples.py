"""A few test images with the reports that the model finds nearest: what recall means, to look at."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import numpy as np

from admin.results.inline_picture import png_address
from admin.results.report.films.embedding_picture import Pairs
from admin.results.report.films.held_out import HeldOut

NEAREST, EXCERPT, IN_ALL = 3, 220, 12
"""Reports an example, letters of a report, examples in all."""


@dataclass(frozen=True)
class Example:
    """An image as a data: address, its nearest reports with cosine and whether each is its own, and its own's place."""

    site: str
    picture: str
    nearest: tuple[dict[str, Any], ...]
    place: int
    of: int


def site_examples(site: str, held_out: HeldOut, pairs: Pairs, *, count: int, seed: int = 0) -> list[Example]:
    """Some examples of a site, drawn at random, not chosen.

    Args:
        site: its name.
        held_out: the studies.
        pairs: their embeddings by the trained model, in the same order.
        count: how many examples, fewer if the split is smaller.
        seed: of the draw.
    """
    studies = len(held_out.texts)
    drawn = np.random.default_rng(seed).permutation(studies)[:count]
    return [example(site, held_out, pairs, int(number)) for number in sorted(drawn)]


def example(site: str, held_out: HeldOut, pairs: Pairs, number: int) -> Example:
    """The example of one study; reports with the same text count as one."""
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
