"""Draw a healthy chest in layers: body, lungs, vessels, ribs, heart, spine, collar bones, marker."""

from __future__ import annotations

import numpy as np

from admin.twin.drawing.scene import SIGN, Plane, Scene, blend, soft
from admin.twin.findings import SIDES


def draw_chest(scene: Scene) -> Plane:
    """Return the healthy chest; values may exceed [0, 1] slightly."""
    image = _body(scene)
    for side in SIDES:
        air = scene.anatomy.lung_brightness + 0.02 * scene.texture
        image = blend(image, air, scene.lungs[side])
        image = _hilum(image, scene, side)
    image = image + _ribs(scene)
    image = _heart(image, scene)
    image = _spine(image, scene)
    return _marker(_clavicles(image, scene), scene)


def _body(scene: Scene) -> Plane:
    """Draw neck, shoulders and flanks, denser below the diaphragm, surrounded by air."""
    x, y, tissue = np.abs(scene.x), scene.y, scene.anatomy.tissue_brightness
    shoulder = np.clip((y + 1.0) / 0.42, 0.0, 1.0)
    outline = 0.3 + (scene.anatomy.chest_width - 0.08) * np.sqrt(1.0 - (1.0 - shoulder) ** 2) - 0.03 * y
    belly = soft(y - 0.6, 0.5) * 0.22
    flesh = tissue + belly + 0.02 * scene.texture - 0.18 * soft(x - outline + 0.06, 0.16)
    return blend(np.full_like(x, 0.02), flesh, soft(outline - x, 0.05))


def _hilum(image: Plane, scene: Scene, side: str) -> Plane:
    """Draw the vessels: bright at the root of the lung, branching and fading outwards."""
    across, down = scene.lateral(side) - 0.14, scene.y
    distance: Plane = np.hypot(across, down * 0.8)
    reach: Plane = np.clip(1.0 - distance / 0.5, 0.0, 1.0)
    branches: Plane = 0.7 + 0.3 * np.cos(7.0 * np.arctan2(down, across + 0.1) + 1.6 * scene.texture + 5.0 * distance)
    return image + 0.24 * reach**1.4 * branches * scene.lungs[side]


def _ribs(scene: Scene) -> Plane:
    """Return the brightness of the ribs: the back ones slope outwards, the front ones inwards and are fainter."""
    anatomy, x = scene.anatomy, np.abs(scene.x)
    cage = soft(anatomy.chest_width + 0.05 - x, 0.05) * soft(x - 0.09, 0.05)
    cage = cage * soft(scene.y - anatomy.apex + 0.03, 0.05) * soft(0.75 - scene.y, 0.2)
    back = (scene.y - 0.45 * x**2) / anatomy.rib_spacing + anatomy.rib_phase
    front = (scene.y + 0.5 * x - 0.2) / (anatomy.rib_spacing * 1.2) + anatomy.rib_phase
    wave = 0.09 * soft(np.cos(2 * np.pi * back) - 0.35, 0.7)
    return cage * (wave + 0.05 * soft(np.cos(2 * np.pi * front) - 0.5, 0.7) * soft(x - 0.3, 0.2))


def _heart(image: Plane, scene: Scene) -> Plane:
    """Draw heart, great vessels and aortic knob; the tip of the heart points down and to the patient's left."""
    anatomy, radius = scene.anatomy, scene.anatomy.heart_radius
    floor = max(anatomy.left_dome, anatomy.right_dome)
    across, down = scene.x - anatomy.heart_offset, scene.y - floor + 0.62 * radius
    along, beside = across * 0.82 + down * 0.57, down * 0.82 - across * 0.57
    heart = soft(1.0 - np.hypot(along / (1.22 * radius), beside / (0.92 * radius)), 0.14)
    flare = anatomy.mediastinum + 0.09 * np.clip((scene.y + 0.15) / 0.5, 0.0, 1.0)
    column = soft(flare - np.abs(scene.x - 0.03), 0.05) * soft(floor - scene.y, 0.1)
    knob = scene.disc((anatomy.mediastinum + 0.02, -0.26), (0.09, 0.1))
    return blend(image, 0.64 + 0.01 * scene.texture, 0.95 * np.maximum(np.maximum(heart, column), knob))


def _spine(image: Plane, scene: Scene) -> Plane:
    """Draw the vertebrae as a ladder, bent by a scoliosis, and the windpipe in front of them."""
    centre = scene.x - scene.anatomy.spine_bend * np.cos(1.9 * (scene.y - 0.05))
    column = soft(0.085 - np.abs(centre), 0.03)
    ladder = 0.75 + 0.25 * np.cos(2 * np.pi * scene.y / 0.15)
    strength = 0.1 + 0.1 * (abs(scene.anatomy.spine_bend) > 0.05)
    image = image + strength * column * ladder
    return blend(image, 0.3, 0.6 * soft(0.045 - np.abs(scene.x), 0.03) * soft(-0.25 - scene.y, 0.1))


def _clavicles(image: Plane, scene: Scene) -> Plane:
    """Draw two collar bones."""
    top = scene.anatomy.apex + 0.14
    for sign in SIGN.values():
        bone = scene.segment((sign * 0.1, top + 0.06), (sign * 0.72, top - 0.08), radius=0.035)
        image = image + 0.14 * bone
    return image


def _marker(image: Plane, scene: Scene) -> Plane:
    """Draw the lead letter L beside the patient's left shoulder."""
    x, y = scene.rng.uniform(0.84, 0.9), scene.rng.uniform(-0.9, -0.8)
    letter = np.maximum(
        scene.segment((x, y - 0.06), (x, y + 0.04), radius=0.015),
        scene.segment((x, y + 0.04), (x + 0.06, y + 0.04), radius=0.015),
    )
    return blend(image, 0.95, letter)
