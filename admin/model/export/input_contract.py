"""The input contract: what an exported model expects of an image. Every format carries it."""

from __future__ import annotations

from typing import Any

from fedaid.data.pixels.intensity import TAIL_PERCENT

STEPS = (
    "one grey picture, bright where the patient is dense: a DICOM file's modality and VOI transformations applied, "
    "MONOCHROME1 inverted",
    f"grey values stretched linearly from the {TAIL_PERCENT} and {100 - TAIL_PERCENT:g} percentiles of the picture to "
    "0 and 1, clipped",
    "the longer side scaled to {size} pixels (bilinear, smoothed before shrinking), the shorter side padded with 0 on "
    "both ends",
    "multiplied by 2, minus 1",
)


def input_contract(image_size: int) -> dict[str, Any]:
    """Return the contract as plain JSON.

    Args:
        image_size: S in pixels.
    """
    return {
        "modality": "frontal chest radiograph, as in training",
        "shape": ["batch", 1, image_size, image_size],
        "dtype": "float32",
        "range": [-1.0, 1.0],
        "steps": [step.format(size=image_size) for step in STEPS],
    }
