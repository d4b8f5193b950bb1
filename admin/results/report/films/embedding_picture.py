"""The embedding space in two dimensions, by site and modality, before and after training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from admin.results.report.svg import colour, element, picture

SIDE, MARGIN, RADIUS = 420, 14, 3.0
MOST_PAIRS = 600  # over all sites, so that the page stays small

Floats = NDArray[np.floating[Any]]
Pairs = tuple[Floats, Floats]
"""Image and text embeddings of N pairs, unit-norm, (N, D) each."""


def drawn_pairs(pairs: Mapping[str, Pairs], *, seed: int = 0) -> dict[str, Pairs]:
    """The pairs that are shown of each site: all, or an equal share of :data:`MOST_PAIRS` drawn at random."""
    most, generator = MOST_PAIRS // max(1, len(pairs)), np.random.default_rng(seed)
    out = {}
    for site, (image, text) in pairs.items():
        kept = np.sort(generator.permutation(len(image))[:most])
        out[site] = (image[kept], text[kept])
    return out


def embedding_picture(pairs: Mapping[str, Pairs], *, title: str) -> tuple[Markup, dict[str, float]]:
    """A picture of the pairs of all sites, and what it leaves out.

    Both modalities are projected onto the first two principal components of all embeddings together. Images are
    circles, reports triangles, a line joins a pair; one colour a site.

    Args:
        pairs: site → pairs; at least two studies in all.
        title: what the picture is called where it is not seen.

    Returns:
        The drawing, and ``explained``, the share of the variance that the two components hold, with ``pair_cosine`` and
        ``other_cosine``, the mean cosine of an image with its own and with another report of its site.
    """
    everything = np.concatenate([part for both in pairs.values() for part in both])
    fitted = PCA(2, random_state=0).fit(everything)
    places = fit_to_square(fitted.transform(everything))
    parts: list[Markup] = []
    start = 0
    for number, (image, _) in enumerate(pairs.values()):
        count = len(image)
        parts += site_marks(places[start : start + count], places[start + count : start + 2 * count], number)
        start += 2 * count
    said = f"Embeddings {title}: images as circles, reports as triangles, a colour for each of {', '.join(pairs)}"
    drawing = picture(parts, width=SIDE, height=SIDE, said=said)
    return drawing, {"explained": float(fitted.explained_variance_ratio_.sum()), **cosines(list(pairs.values()))}


def fit_to_square(places: Floats) -> Floats:
    """Places (N, 2) moved and scaled alike both ways, so that they fill the drawing."""
    low, high = places.min(axis=0), places.max(axis=0)
    scale = (SIDE - 2 * MARGIN) / max(float((high - low).max()), 1e-9)
    fitted: Floats = SIDE / 2 + (places - (low + high) / 2) * scale
    return fitted


def site_marks(images: Floats, texts: Floats, number: int) -> list[Markup]:
    """A site's pairs: lines below, then circles and triangles."""
    name = colour(number)
    both = zip(images, texts, strict=True)
    lines = "".join(f"M{a[0]:.0f} {a[1]:.0f}L{b[0]:.0f} {b[1]:.0f}" for a, b in both)
    circles = [element("circle", cx=f"{x:.0f}", cy=f"{y:.0f}", r=RADIUS) for x, y in images]
    triangles = "".join(f"M{x:.0f} {y - 4:.0f}l4 7h-8z" for x, y in texts)
    marks = element("path", d=lines, class_="pair"), *circles, element("path", d=triangles, class_="text")
    return [element("g", *marks, class_=f"cloud {name}")]


def cosines(pairs: Sequence[Pairs]) -> dict[str, float]:
    """Mean cosine of an image with its own report, and with the other reports of its site."""
    own, other, others = 0.0, 0.0, 0
    for image, text in pairs:
        similarity = image @ text.T
        own += float(np.trace(similarity))
        other += float(similarity.sum() - np.trace(similarity))
        others += len(image) * (len(image) - 1)
    return {"pair_cosine": own / sum(len(image) for image, _ in pairs), "other_cosine": other / max(1, others)}
