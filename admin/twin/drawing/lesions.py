"""One painter for each finding on the chest; ``anatomy`` has the findings that change the chest's shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from admin.twin.drawing.scene import SIGN, Plane, Scene, blend, soft
from admin.twin.findings import SIDES, Finding, Findings

ZONE_HEIGHT = {"upper": 0.26, "middle": 0.55, "lower": 0.84}  # share of the way from apex to diaphragm
METAL = 1.0


def paint_findings(image: Plane, scene: Scene, findings: Findings) -> Plane:
    """Paint lesions first and metal last, because a device stays visible through all tissue."""
    for kind, painter in PAINTERS.items():
        for finding in findings.of(kind):
            image = painter(image, scene, finding)
    return image


def zone_centre(scene: Scene, finding: Finding) -> tuple[float, float]:
    """Return a random position of a lesion in its zone; a lower left lesion is beside the heart."""
    anatomy = scene.anatomy
    height = anatomy.apex + ZONE_HEIGHT[finding.zone] * (anatomy.dome(finding.side) - anatomy.apex)
    lateral = {"upper": 0.4, "middle": 0.5, "lower": 0.54}[finding.zone]
    jitter = scene.rng.uniform(-0.04, 0.04, size=2)
    return SIGN[finding.side] * (lateral + float(jitter[0])), height + float(jitter[1])


def _consolidation(image: Plane, scene: Scene, finding: Finding) -> Plane:
    radius = scene.rng.uniform(0.24, 0.29)
    x, y = zone_centre(scene, finding)
    distance = np.hypot(scene.x - x, (scene.y - y) * 1.25) / radius + 0.12 * scene.texture
    return blend(image, 0.72, 0.9 * soft(0.85 - distance, 0.6) * scene.lungs[finding.side])


def _nodule(image: Plane, scene: Scene, finding: Finding) -> Plane:
    radius = {"small": 0.075, "large": 0.15}[finding.extent] * scene.rng.uniform(0.92, 1.08)
    return blend(image, 0.88, scene.disc(zone_centre(scene, finding), (radius, radius)))


def _atelectasis(image: Plane, scene: Scene, finding: Finding) -> Plane:
    sign, base = SIGN[finding.side], scene.anatomy.dome(finding.side)
    for gap in (0.12, 0.26):
        height = base - gap + scene.rng.uniform(-0.02, 0.02)
        band = scene.segment((sign * 0.3, height + 0.02), (sign * 0.68, height - 0.05), radius=0.028)
        image = blend(image, 0.75, 0.9 * band * scene.lungs[finding.side])
    return image


def _oedema(image: Plane, scene: Scene, finding: Finding) -> Plane:
    strength, reach = {"mild": (0.5, 0.42), "marked": (0.85, 0.6)}[finding.extent]
    for side in SIDES:
        distance = np.hypot(scene.lateral(side) - 0.3, (scene.y - 0.02) * 0.7) / reach
        haze = np.clip(1.0 - distance, 0.0, 1.0) ** 0.7
        image = blend(image, 0.68 + 0.14 * scene.texture, strength * haze * scene.lungs[side])
    return image


def _effusion(image: Plane, scene: Scene, finding: Finding) -> Plane:
    depth = {"small": 0.16, "large": 0.52}[finding.extent] * scene.rng.uniform(0.92, 1.08)
    for side in finding.sides:
        rise = np.clip((scene.lateral(side) - 0.2) / 0.55, 0.0, 1.2) ** 2
        level = scene.anatomy.dome(side) - depth - 0.16 * rise + 0.05
        image = blend(image, 0.74, soft(scene.y - level, 0.06) * scene.lungs[side])
    return image


def _pneumothorax(image: Plane, scene: Scene, finding: Finding) -> Plane:
    share = {"small": 0.8, "large": 0.5}[finding.extent] * scene.rng.uniform(0.97, 1.03)
    anatomy, side = scene.anatomy, finding.side
    root = anatomy.mediastinum + 0.02
    across = (scene.lateral(side) - root) / (share * (anatomy.chest_width - root))
    base = anatomy.dome(side) + 0.1
    along = np.clip((base - scene.y) / ((0.35 + 0.65 * share) * (base - anatomy.apex)), 0.0, None)
    inside = 1.0 - (np.clip(across, 0.0, None) ** 2.5 + along**3.0)
    image = blend(image, 0.0, soft(-inside, 0.1) * scene.lungs[side])
    rim = np.clip(1.0 - np.abs(inside) / 0.16, 0.0, 1.0) * scene.lungs[side]
    shrunk = (1.0 - share) * 0.55 * soft(inside, 0.1) * scene.lungs[side]
    return blend(image + shrunk * 0.6, 0.75, 0.8 * rim)


def _fracture(image: Plane, scene: Scene, finding: Finding) -> Plane:
    sign, wall = SIGN[finding.side], scene.anatomy.chest_width - 0.01
    height = {"upper": -0.36, "middle": -0.02, "lower": 0.3}[finding.zone] + scene.rng.uniform(-0.03, 0.03)
    wall = wall - 0.4 * max(0.0, -height - 0.1) ** 1.5
    for step in (-0.055, 0.055):
        middle = height + step
        shard = scene.segment((sign * (wall - 0.16), middle - 0.4 * step), (sign * wall, middle + step), radius=0.03)
        image = blend(image, 0.95, 0.9 * shard)
    return image


def _pacemaker(image: Plane, scene: Scene, finding: Finding) -> Plane:
    sign, anatomy = SIGN[finding.side], scene.anatomy
    x, y = sign * (0.56 + scene.rng.uniform(-0.03, 0.03)), anatomy.apex + 0.34 + scene.rng.uniform(-0.03, 0.03)
    image = blend(image, METAL, scene.disc((x, y), (0.13, 0.1), edge=0.15))
    tip = (anatomy.heart_offset + 0.05, anatomy.left_dome - 0.08)
    bend = (-0.08, anatomy.apex + 0.42)
    leads = np.maximum(scene.segment((x, y), bend, radius=0.016), scene.segment(bend, tip, radius=0.016))
    return blend(image, METAL, 0.9 * leads)


def _tube(image: Plane, scene: Scene, finding: Finding) -> Plane:
    tip = -0.33 + scene.rng.uniform(-0.05, 0.05)
    bar = scene.segment((0.0, -1.2), (0.0, tip), radius=0.032)
    return blend(image, METAL, 0.95 * bar)


def _line(image: Plane, scene: Scene, finding: Finding) -> Plane:
    sign, tip = SIGN[finding.side], 0.02 + scene.rng.uniform(-0.06, 0.06)
    entry, bend = (sign * 0.34, -1.1), (-0.1 if sign < 0 else 0.12, -0.5)
    catheter = np.maximum(scene.segment(entry, bend, radius=0.02), scene.segment(bend, (-0.12, tip), radius=0.02))
    return blend(image, METAL, 0.9 * catheter)


PAINTERS: dict[str, Callable[[Plane, Scene, Finding], Plane]] = {
    "oedema": _oedema,
    "consolidation": _consolidation,
    "atelectasis": _atelectasis,
    "pneumothorax": _pneumothorax,
    "effusion": _effusion,
    "nodule": _nodule,
    "fracture": _fracture,
    "line": _line,
    "tube": _tube,
    "pacemaker": _pacemaker,
}
