"""Draw a lateral chest view without lesions; it is only detailed enough to differ from a frontal view."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from admin.twin.drawing.anatomy import Anatomy, altered_anatomy
from admin.twin.drawing.scene import Plane, Scene, blend, build_scene, soft
from admin.twin.findings import Findings


def draw_lateral(findings: Findings, anatomy: Anatomy, *, rng: Generator, image_size: int = 128) -> Plane:
    """Draw a left lateral view before any scanner effect; the patient faces left, bone is bright.

    It shows only findings that change the chest's shape: a large heart, a high diaphragm, hyperinflation. It shows no
    lesions and no devices.

    Args:
        findings: findings of the study.
        anatomy: the patient's chest.
        rng: random source of position and texture.
        image_size: side of the square picture in pixels.

    Returns:
        (image_size, image_size) float32 in [0, 1].
    """
    scene = build_scene(altered_anatomy(anatomy, findings), rng, image_size=image_size)
    image = _spine(_heart(_lungs(_body(scene), scene), scene), scene)
    return np.clip(image, 0.0, 1.0).astype(np.float32)


def _body(scene: Scene) -> Plane:
    """Draw trunk and neck; the arms are raised out of the beam."""
    front = 0.55 + 0.12 * np.clip((scene.y + 0.6) / 1.2, 0.0, 1.0)
    shoulder = np.clip((scene.y + 1.0) / 0.4, 0.0, 1.0)
    trunk = soft(scene.x + front * (0.5 + 0.5 * shoulder), 0.06) * soft(0.78 - scene.x, 0.06)
    flesh = scene.anatomy.tissue_brightness + 0.25 * soft(scene.y - 0.5, 0.4) + 0.02 * scene.texture
    return blend(np.full_like(scene.x, 0.02), flesh, trunk)


def _lungs(image: Plane, scene: Scene) -> Plane:
    """Draw the air in front of and behind the heart, above a diaphragm that slopes down to the back."""
    anatomy = scene.anatomy
    dome = min(anatomy.left_dome, anatomy.right_dome) + 0.1 + 0.35 * np.clip(scene.x + 0.1, 0.0, None) ** 1.5
    height = np.clip((0.2 - scene.y) / (0.2 - anatomy.apex), 0.0, 1.0)
    half = 0.54 * np.sqrt(np.clip(1.0 - height**2.6, 0.0, 1.0))
    air = np.minimum(soft(half - 0.04 - np.abs(scene.x - 0.06), 0.08), soft(dome - scene.y, 0.05))
    return blend(image, anatomy.lung_brightness + 0.05 + 0.03 * scene.texture, air)


def _heart(image: Plane, scene: Scene) -> Plane:
    """Draw the heart on the diaphragm, the breast bone in front of it and the great vessels above it."""
    radius, floor = scene.anatomy.heart_radius, min(scene.anatomy.left_dome, scene.anatomy.right_dome)
    heart = scene.disc((-0.2, floor - 0.55 * radius), (1.05 * radius, 0.95 * radius), edge=0.2)
    vessels = scene.segment((-0.12, floor - radius), (0.08, -0.3), radius=0.1)
    bone = scene.segment((-0.5, -0.55), (-0.6, 0.35), radius=0.03)
    return blend(blend(image, 0.6, 0.9 * np.maximum(heart, 0.6 * vessels)), 0.75, 0.8 * bone)


def _spine(image: Plane, scene: Scene) -> Plane:
    """Draw the vertebral bodies, darker from top to bottom as in a real film, and the ribs that end at them."""
    centre = scene.x - 0.52 + 0.1 * np.cos(1.7 * scene.y)
    column, ladder = soft(0.11 - np.abs(centre), 0.04), 0.6 + 0.4 * np.cos(2 * np.pi * scene.y / 0.17)
    ribs = soft(np.cos(2 * np.pi * (scene.y - 0.35 * scene.x) / 0.2) - 0.5, 0.6) * soft(scene.x + 0.3, 0.5)
    inside = soft(0.6 - scene.x, 0.1) * soft(0.55 - scene.y, 0.2) * soft(scene.y + 0.75, 0.1)
    return blend(image, 0.72 * ladder, 0.6 * column) + 0.06 * ribs * inside
