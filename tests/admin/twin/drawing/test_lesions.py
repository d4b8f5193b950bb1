from __future__ import annotations

import numpy as np
import pytest

from admin.twin.drawing.anatomy import sample_anatomy
from admin.twin.drawing.chest import draw_chest
from admin.twin.drawing.lesions import PAINTERS, paint_findings
from admin.twin.drawing.scene import SIGN, Plane, build_scene
from admin.twin.findings import KINDS, SIDES, Finding, Findings

SHAPES = {"cardiomegaly", "mediastinum", "hyperinflation", "diaphragm", "scoliosis"}
SIDED = [kind for kind in PAINTERS if set(SIDES) <= set(KINDS[kind].sides) and kind not in ("line", "pacemaker")]


def painted(kind: str, side: str, *, zone: int = 0, extent: int = 0) -> tuple[Plane, Plane]:
    """What a finding adds to a chest, and the horizontal coordinate."""
    rng = np.random.default_rng(1)
    scene = build_scene(sample_anatomy(rng), rng, image_size=64)
    chest = draw_chest(scene)
    finding = Finding(kind, side, KINDS[kind].zones[zone], KINDS[kind].extents[extent])
    return paint_findings(chest, scene, Findings((finding,))) - chest, scene.x


def test_every_kind_has_a_painter_or_changes_the_shape() -> None:
    assert set(PAINTERS) | SHAPES == set(KINDS)
    assert not set(PAINTERS) & SHAPES


@pytest.mark.parametrize("kind", PAINTERS)
def test_a_finding_shows_at_64_pixels(kind: str) -> None:
    added, _ = painted(kind, KINDS[kind].sides[0])
    assert np.count_nonzero(np.abs(added) > 0.12) >= 12


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("kind", SIDED)
def test_a_finding_lies_on_its_side(kind: str, side: str) -> None:
    added, x = painted(kind, side)
    assert (np.abs(added) * (SIGN[side] * x > 0)).sum() > 0.95 * np.abs(added).sum()


@pytest.mark.parametrize("kind", ["consolidation", "nodule", "fracture"])
def test_zones_lie_one_below_the_other(kind: str) -> None:
    rows = np.arange(64)[:, None]
    heights = []
    for zone in range(3):
        added = np.abs(painted(kind, "right", zone=zone)[0])
        heights.append((added * rows).sum() / added.sum())
    assert heights[0] + 5 < heights[1] < heights[2] - 5


@pytest.mark.parametrize("kind", ["effusion", "nodule", "pneumothorax", "oedema"])
def test_the_greater_extent_changes_more(kind: str) -> None:
    side = KINDS[kind].sides[0]
    less, more = (np.abs(painted(kind, side, extent=extent)[0]).sum() for extent in (0, 1))
    assert more > 1.4 * less


def test_a_pneumothorax_is_darker_and_an_effusion_brighter() -> None:
    assert painted("pneumothorax", "left", extent=1)[0].min() < -0.1
    assert painted("effusion", "left", extent=1)[0].mean() > 0.02
