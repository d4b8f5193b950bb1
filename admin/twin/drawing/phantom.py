"""Draw a frontal chest radiograph: the healthy chest, then each finding with its painter."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from admin.twin.drawing.anatomy import Anatomy, altered_anatomy
from admin.twin.drawing.chest import draw_chest
from admin.twin.drawing.lesions import paint_findings
from admin.twin.drawing.scene import Plane, build_scene
from admin.twin.findings import Findings


def draw_radiograph(
    findings: Findings, anatomy: Anatomy, *, rng: Generator, image_size: int = 128, conspicuity: float = 1.0
) -> Plane:
    """Draw one study before any scanner effect; bone is bright.

    Args:
        findings: findings that the study must show.
        anatomy: the patient's chest.
        rng: random source of position and texture.
        image_size: side of the square picture in pixels.
        conspicuity: contrast of findings on the chest, in (0, 1]; changes of the chest's shape do not depend on it.

    Returns:
        (image_size, image_size) float32 in [0, 1].
    """
    scene = build_scene(altered_anatomy(anatomy, findings), rng, image_size=image_size)
    chest = draw_chest(scene)
    image = chest + conspicuity * (paint_findings(chest, scene, findings) - chest)
    return np.clip(image, 0.0, 1.0).astype(np.float32)
