"""The chest of one patient: lengths and brightnesses, and their changes by findings before drawing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from numpy.random import Generator

from admin.twin.findings import Findings

HEART_GROWTH = {"mild": 1.24, "marked": 1.5}


@dataclass(frozen=True)
class Anatomy:
    """Lengths in half image widths from the centre (x to the patient's left, y down); brightness in [0, 1]."""

    chest_width: float
    apex: float
    right_dome: float
    left_dome: float
    dome_depth: float
    heart_radius: float
    heart_offset: float
    mediastinum: float
    spine_bend: float
    rib_spacing: float
    rib_phase: float
    lung_brightness: float
    tissue_brightness: float

    def dome(self, side: str) -> float:
        """Return the height of the top of the diaphragm on one side."""
        return self.left_dome if side == "left" else self.right_dome

    @property
    def lung_centre(self) -> float:
        """Distance from the midline to the middle of a lung."""
        return (self.chest_width + self.mediastinum) / 2 - 0.02


def sample_anatomy(rng: Generator) -> Anatomy:
    """Draw one healthy adult."""
    dome = rng.uniform(0.46, 0.54)
    return Anatomy(
        chest_width=rng.uniform(0.72, 0.82),
        apex=rng.uniform(-0.78, -0.7),
        right_dome=dome,
        left_dome=dome + rng.uniform(0.03, 0.07),
        dome_depth=rng.uniform(0.12, 0.17),
        heart_radius=rng.uniform(0.27, 0.31),
        heart_offset=rng.uniform(0.08, 0.12),
        mediastinum=rng.uniform(0.11, 0.14),
        spine_bend=rng.uniform(-0.01, 0.01),
        rib_spacing=rng.uniform(0.145, 0.165),
        rib_phase=rng.uniform(0.0, 1.0),
        lung_brightness=rng.uniform(0.13, 0.18),
        tissue_brightness=rng.uniform(0.48, 0.56),
    )


def altered_anatomy(anatomy: Anatomy, findings: Findings) -> Anatomy:
    """Return the chest after the findings that change its shape."""
    for item in findings.items:
        if item.kind == "cardiomegaly":
            anatomy = replace(anatomy, heart_radius=anatomy.heart_radius * HEART_GROWTH[item.extent])
        elif item.kind == "mediastinum":
            anatomy = replace(anatomy, mediastinum=anatomy.mediastinum + 0.13)
        elif item.kind == "scoliosis":
            anatomy = replace(anatomy, spine_bend=0.17 if item.side == "left" else -0.17)
        elif item.kind == "hyperinflation":
            anatomy = _hyperinflated(anatomy)
        elif item.kind == "diaphragm":
            raised = anatomy.dome(item.side) - 0.26
            anatomy = replace(anatomy, left_dome=raised) if item.side == "left" else replace(anatomy, right_dome=raised)
    return anatomy


def _hyperinflated(anatomy: Anatomy) -> Anatomy:
    """Return a chest with long dark lungs, a low flat diaphragm and a narrow heart."""
    return replace(
        anatomy,
        apex=anatomy.apex - 0.06,
        right_dome=anatomy.right_dome + 0.24,
        left_dome=anatomy.left_dome + 0.22,
        dome_depth=0.03,
        heart_radius=anatomy.heart_radius * 0.85,
        lung_brightness=anatomy.lung_brightness * 0.55,
    )
