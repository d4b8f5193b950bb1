"""How to see in a site's files that a study has a fault."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable

import numpy as np

from admin.twin.faults.identity_faults import CANARIES
from fedaid.data.header.pixel_tags import pixel_tags
from fedaid.data.pixels.dicom import read_dicom
from fedaid.data.report.sections import report_text
from tests.admin.twin.bad_site import BadSite, read_rows

Proof = Callable[[BadSite, str], bool]


def pixels(site: BadSite, study: str, *, before: bool = False) -> np.ndarray:
    return site.film(study, before=before).pixel_array.astype(int)


def has_a_picture_twice(site: BadSite, study: str) -> bool:
    return Counter(site.contents)[site.image(study).read_bytes()] == 2


def is_in_two_splits(site: BadSite, study: str) -> bool:
    content = site.image(study).read_bytes()
    rows = [row for row in read_rows(site.healthy) if site.image(row["study_id"], before=True).read_bytes() == content]
    return [row["split"] for row in rows] == ["train"] and site.row(study)["split"] == "test"


def is_coloured(site: BadSite, study: str) -> bool:
    found = pixels(site, study)
    return found.shape[2:] == (3,) and int(np.ptp(found, axis=2).max()) > 100


def is_turned(turn: Callable[[np.ndarray], np.ndarray]) -> Proof:
    return lambda site, study: np.array_equal(turn(pixels(site, study)), pixels(site, study, before=True))


def is_inverted(site: BadSite, study: str) -> bool:
    shown, before = read_dicom(site.image(study)), read_dicom(site.image(study, before=True))
    return bool(np.corrcoef(shown.ravel(), before.ravel())[0, 1] < -0.99)


def is_saturated(site: BadSite, study: str) -> bool:
    found = pixels(site, study)
    extremes = np.isin(found, (0, 2 ** site.film(study).BitsStored - 1)).mean()
    return bool(extremes > 0.7)


def is_unlike_a_frontal_chest(site: BadSite, study: str) -> bool:
    frontal = [read_dicom(path) for path in sorted((site.healthy / "images").iterdir())[:40]]
    mean = np.mean(frontal, axis=0)
    likeness = [np.corrcoef(mean.ravel(), image.ravel())[0, 1] for image in frontal]
    return bool(np.corrcoef(mean.ravel(), read_dicom(site.image(study)).ravel())[0, 1] < min(likeness) - 0.2)


def is_cut(site: BadSite, study: str) -> bool:
    content = site.image(study).read_bytes()
    side = site.film(study, before=True).Rows
    return content[128:132] == b"DICM" and b"MONOCHROME" in content and len(content) < 2 * side * side


def leaves_the_root(site: BadSite, study: str) -> bool:
    image = site.image(study)
    return image.is_symlink() and image.exists() and not image.resolve().is_relative_to(site.spoilt)


def has_a_sound_file(site: BadSite, study: str) -> bool:
    return site.image(study).read_bytes() == site.image(study, before=True).read_bytes()


def is_on_disk_undecodably(site: BadSite, study: str) -> bool:
    names = [os.fsencode(path.name) for path in (site.spoilt / "images").iterdir()]
    found = [name for name in names if name.startswith(study.encode())]
    return [name for name in found if b"\xff" in name] == found and not site.image(study).exists()


def is_large_and_shows_the_same(site: BadSite, study: str) -> bool:
    if site.image(study).stat().st_size <= 64 << 20:
        return False
    return np.array_equal(read_dicom(site.image(study)), read_dicom(site.image(study, before=True)))


def is_missing(site: BadSite, study: str) -> bool:
    return not (site.spoilt / site.row(study)["report_path"]).exists()


def is_stray(site: BadSite, study: str) -> bool:
    named = {row["report_path"] for row in read_rows(site.spoilt)}
    return f"reports/{study}.txt" not in named and (site.spoilt / "reports" / f"{study}.txt").is_file()


def has_a_report_of_others(site: BadSite, study: str) -> bool:
    texts = Counter(path.read_bytes() for path in (site.spoilt / "reports").iterdir())
    return texts[site.report(study)] >= 2 and site.report(study) != site.report(study, before=True)


def is_of_another(site: BadSite, study: str) -> bool:
    others = {row["study_id"]: site.report(row["study_id"], before=True) for row in read_rows(site.healthy)}
    own = others.pop(study)
    return site.report(study) in others.values() and site.report(study) != own


def is_cut_within_a_word(site: BadSite, study: str) -> bool:
    text, whole = site.report(study).decode(), site.report(study, before=True).decode()
    return whole.startswith(text) and text[-1].isalpha() and whole[len(text)].isalpha()


def has_headings_only(site: BadSite, study: str) -> bool:
    return b":" in site.report(study) and not report_text(site.report(study).decode())


def is_not_utf8(site: BadSite, study: str) -> bool:
    try:
        site.report(study).decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def has_bright_strokes_in_its_corner(site: BadSite, study: str) -> bool:
    after, before = read_dicom(site.image(study)), read_dicom(site.image(study, before=True))
    changed = np.abs(after - before) > 0.2
    return 40 < changed.sum() < 1200 and changed[30:].sum() == 0 and bool((after[changed] > 0.95).all())


def is_nested(site: BadSite, study: str) -> bool:
    outer = site.film(study).get("RequestAttributesSequence") or []
    names = [str(inner.PatientName) for item in outer for inner in item.ReferencedPatientSequence]
    return names == [CANARIES["identifiers-in-sequence"]]


PROOFS: dict[str, Proof] = {
    "huge-image": lambda site, study: site.film(study).Rows * site.film(study).Columns > 64_000_000,
    "missing-window": lambda site, study: "WindowCenter" not in site.film(study),
    "missing-photometric": lambda site, study: "PhotometricInterpretation" not in site.film(study),
    "other-modality": lambda site, study: site.film(study).Modality == "MG",
    "for-processing": lambda site, study: site.film(study).PresentationIntentType == "FOR PROCESSING",
    "child": lambda site, study: int(site.film(study).PatientAge[:3]) < 16,
    "polarity-contradiction": lambda site, study: pixel_tags(site.film(study)).contradicts_polarity,
    "decimal-comma": lambda site, study: "WindowWidth" in pixel_tags(site.film(study)).ignored,
    "oblong-pixels": lambda site, study: round(pixel_tags(site.film(study)).pixel_height, 6) == 1.5,
    "declared-lateral": lambda site, study: site.film(study).ViewPosition == site.row(study)["view"] == "LL",
    "duplicate-image": has_a_picture_twice,
    "image-in-two-splits": is_in_two_splits,
    "inverted-image": is_inverted,
    "sideways-image": is_turned(lambda image: np.rot90(image, -1)),
    "upside-down-image": is_turned(np.flipud),
    "mirrored-image": is_turned(np.fliplr),
    "constant-image": lambda site, study: int(np.ptp(pixels(site, study))) == 0,
    "saturated-image": is_saturated,
    "tiny-image": lambda site, study: max(pixels(site, study).shape) < 16,
    "lateral-image": is_unlike_a_frontal_chest,
    "wrong-body-part": lambda site, study: (
        site.film(study).BodyPartExamined != "CHEST" and is_unlike_a_frontal_chest(site, study)
    ),
    "coloured-image": is_coloured,
    "strip-image": lambda site, study: pixels(site, study).shape[1] > 5 * pixels(site, study).shape[0],
    "several-frames": lambda site, study: pixels(site, study).ndim == 3,
    "missing-image": lambda site, study: not os.path.lexists(site.image(study)),
    "truncated-pixels": is_cut,
    "large-file": is_large_and_shows_the_same,
    "text-as-image": lambda site, study: (
        site.image(study).read_bytes().isascii() and site.image(study).suffix == ".dcm"
    ),
    "empty-file": lambda site, study: site.image(study).stat().st_size == 0,
    "preamble-only": lambda site, study: site.image(study).read_bytes() == bytes(128) + b"DICM",
    "symlink-out-of-root": leaves_the_root,
    "fifo": lambda site, study: stat.S_ISFIFO(site.image(study).lstat().st_mode),
    "unreadable-file": lambda site, study: not os.access(site.image(study), os.R_OK),
    "newline-in-name": lambda site, study: "\n" in site.row(study)["image"] and has_a_sound_file(site, study),
    "undecodable-name": is_on_disk_undecodably,
    "missing-report": is_missing,
    "report-without-study": is_stray,
    "duplicate-report": has_a_report_of_others,
    "report-of-another-study": is_of_another,
    "empty-report": lambda site, study: site.report(study) == b"",
    "boilerplate-report": lambda site, study: b"FINDINGS" not in site.report(study).upper(),
    "header-only-report": has_headings_only,
    "foreign-language-report": lambda site, study: " kein " in site.report(study).decode().lower(),
    "truncated-report": is_cut_within_a_word,
    "latin1-report": lambda site, study: is_not_utf8(site, study) and "°" in site.report(study).decode("latin-1"),
    "utf16-report": lambda site, study: is_not_utf8(site, study) and "FINDINGS" in site.report(study).decode("utf-16"),
    "garbled-report": lambda site, study: "Ã©" in site.report(study).decode(),
    "short-report": lambda site, study: len(report_text(site.report(study).decode()).split()) == 1,
    "long-report": lambda site, study: len(site.report(study).split()) > 400,
    "oversized-report": lambda site, study: len(site.report(study)) > 1 << 20,
    "markup-report": lambda site, study: b"<br>" in site.report(study),
    "document-report": lambda site, study: site.report(study).startswith(b"{\\rtf"),
    "nul-bytes-report": lambda site, study: b"\0" in site.report(study),
    "declared-burned-in": lambda site, study: site.film(study).BurnedInAnnotation == "YES",
    "burned-in-text": has_bright_strokes_in_its_corner,
    "identifiers-in-report": lambda site, study: b"MRN 00482911" in site.report(study),
    "identifiers-in-private-tag": lambda site, study: any(
        element.tag.is_private and "Quillprivate" in str(element.value) for element in site.film(study)
    ),
    "identifiers-in-sequence": is_nested,
    "identifiers-in-overlay": lambda site, study: "Quilloverlay" in str(site.film(study).get((0x6000, 0x0022))),
    "identifiers-in-file-name": lambda site, study: (
        "QUILLFILE" in site.row(study)["image"]
        and site.image(study).read_bytes() == site.image(study, before=True).read_bytes()
    ),
}
"""Fault → whether a study has it; every fault but those of the manifest."""
