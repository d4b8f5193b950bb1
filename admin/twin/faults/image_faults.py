"""Faults of a picture that show in pixels or tags: wrong content, wrong orientation, wrong size."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import FileDataset
from pydicom.uid import ExplicitVRLittleEndian

from admin.twin.drawing.anatomy import sample_anatomy
from admin.twin.drawing.lateral import draw_lateral
from admin.twin.drawing.scene import Plane, blend, build_scene
from admin.twin.faults.faulty_site import Fault, FaultySite, Row, planted_once
from admin.twin.findings import Findings

Pixels = NDArray[np.unsignedinteger]
Picture = NDArray[np.generic]
TINY_SIDE = 12


def put_pixels(film: FileDataset, pixels: Picture) -> None:
    """Store a (H, W) or (frames, H, W) picture in the object, uncompressed."""
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.Rows, film.Columns = pixels.shape[-2:]
    film.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    film["PixelData"].VR = "OB" if film.BitsAllocated <= 8 else "OW"
    film["PixelData"].is_undefined_length = False


def repainted(change: Callable[[Pixels, int], Picture]) -> Fault:
    """Return a fault that changes pixels but no tag; ``change`` gets the pixels and their highest possible value."""

    def plant(site: FaultySite, row: Row) -> None:
        film = site.film(row)
        pixels = film.pixel_array
        put_pixels(film, np.ascontiguousarray(change(pixels, 2**film.BitsStored - 1).astype(pixels.dtype)))
        dcmwrite(site.image(row), film, enforce_file_format=True)

    return planted_once(plant)


def retagged(change: Callable[[FileDataset], None], *, needs: str = "") -> Fault:
    """Return a fault that changes tags but no pixel; it is not planted if the file lacks the tag ``needs``."""

    def fault(site: FaultySite) -> tuple[str, ...]:
        row = site.take()
        film = site.film(row)
        if needs and needs not in film:
            site.sound.append(row)
            return ()
        change(film)
        dcmwrite(site.image(row), film, enforce_file_format=True)
        return (row["study_id"],)

    return fault


def duplicate_image(site: FaultySite) -> tuple[str, ...]:
    """Copy a file, byte for byte, to a study of another patient."""
    row = site.take()
    copy = site.take(lambda other: other["patient_id"] != row["patient_id"])
    site.image(copy).write_bytes(site.image(row).read_bytes())
    return (copy["study_id"],)


def image_in_two_splits(site: FaultySite) -> tuple[str, ...]:
    """Copy a training file, byte for byte, to a test study of another patient."""
    row = site.take(lambda other: other["split"] == "train")
    copy = site.take(lambda other: other["split"] == "test" and other["patient_id"] != row["patient_id"])
    site.image(copy).write_bytes(site.image(row).read_bytes())
    return (copy["study_id"],)


def saturated(pixels: Pixels, top: int) -> Picture:
    """Return the picture with its brightest two thirds at the highest value and its darkest fifth at zero."""
    low, high = np.percentile(pixels, [20, 33])
    stretched = (pixels.astype(np.float64) - low) / max(float(high - low), 1.0)
    return np.asarray(np.clip(stretched, 0.0, 1.0) * top)


def from_the_side(pixels: Pixels, top: int) -> Picture:
    """Return a lateral view of another chest."""
    rng = np.random.default_rng(int(pixels.sum(dtype=np.uint64)))
    return draw_lateral(Findings(), sample_anatomy(rng), rng=rng, image_size=pixels.shape[0]) * top


def knee(size: int, rng: np.random.Generator) -> Plane:
    """Return two long bones with a gap between them, (size, size) in [0, 1]."""
    scene = build_scene(sample_anatomy(rng), rng, image_size=size)
    image = blend(np.full_like(scene.x, 0.02), 0.35 + 0.02 * scene.texture, scene.segment((0, -2), (0, 2), radius=0.5))
    for end, far in ((-0.06, -2.0), (0.06, 2.0)):
        shaft = scene.segment((0, 6 * end), (0, far), radius=0.2)
        head = scene.disc((0, 5 * end), (0.34, 0.22))
        image = blend(image, 0.8, np.maximum(shaft, head))
    return np.clip(image, 0.0, 1.0)


def wrong_body_part(site: FaultySite, row: Row) -> None:
    """Replace the picture by a knee and set the tag of the body part."""
    film = site.film(row)
    picture = knee(film.Rows, site.rng) * (2**film.BitsStored - 1)
    film.BodyPartExamined = "KNEE"
    put_pixels(film, picture.astype(film.pixel_array.dtype))
    dcmwrite(site.image(row), film, enforce_file_format=True)


def several_frames(site: FaultySite, row: Row) -> None:
    """Store three frames in one object."""
    film = site.film(row)
    put_pixels(film, np.stack([film.pixel_array] * 3))
    film.NumberOfFrames = 3
    dcmwrite(site.image(row), film, enforce_file_format=True)


def coloured(site: FaultySite, row: Row) -> None:
    """Store different red, green and blue values, as in a photograph or a screenshot."""
    film = site.film(row)
    grey = (film.pixel_array >> (film.BitsStored - 8)).astype(np.uint8)
    film.BitsAllocated, film.BitsStored, film.HighBit = 8, 8, 7
    put_pixels(film, grey)
    content = np.stack([grey, grey // 2, grey // 4], axis=-1).tobytes()
    film.PixelData = content + b"\0" * (len(content) % 2)
    film.SamplesPerPixel, film.PlanarConfiguration, film.PhotometricInterpretation = 3, 0, "RGB"
    dcmwrite(site.image(row), film, enforce_file_format=True)


def strip(pixels: Pixels, top: int) -> Picture:
    """Return the middle sixth of the picture's height in full width."""
    height = pixels.shape[0] // 6
    return pixels[(pixels.shape[0] - height) // 2 :][:height]


def _tiny(pixels: Pixels, top: int) -> Pixels:
    step = max(1, pixels.shape[0] // TINY_SIDE)
    return pixels[::step, ::step][:TINY_SIDE, :TINY_SIDE]


IMAGE_FAULTS: Mapping[str, Fault] = {
    "duplicate-image": duplicate_image,
    "image-in-two-splits": image_in_two_splits,
    "inverted-image": repainted(lambda pixels, top: top - pixels),
    "sideways-image": repainted(lambda pixels, top: np.rot90(pixels)),
    "upside-down-image": repainted(lambda pixels, top: np.flipud(pixels)),
    "mirrored-image": repainted(lambda pixels, top: np.fliplr(pixels)),
    "constant-image": repainted(lambda pixels, top: np.full_like(pixels, top // 2)),
    "saturated-image": repainted(saturated),
    "tiny-image": repainted(_tiny),
    "lateral-image": repainted(from_the_side),
    "wrong-body-part": planted_once(wrong_body_part),
    "several-frames": planted_once(several_frames),
    "coloured-image": planted_once(coloured),
    "strip-image": repainted(strip),
}
