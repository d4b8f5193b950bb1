"""Groups image files into studies, and ranks the images of a study."""

from __future__ import annotations

import filecmp
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from admin.site.films.film_order import Film, film_order
from admin.site.prepare.pairing import normal, stem
from admin.site.prepare.scan import Found
from fedaid.data.pseudonym import Pseudonyms
from fedaid.data.spelling import without_zeros

TAGS = ("accession", "study")
"""Kinds of keys that an image file can state."""
ZEROS_KIND, LOOSE_KIND = "without zeros", "loose"
"""Kinds of the hashes of :class:`Near`."""


class Near(NamedTuple):
    """Hashes of one identifier of an image: as it is, without leading zeros, and in a loose form."""

    exact: str = ""
    zeros: str = ""
    loose: str = ""


UNSTATED = Near()


def near_hashes(identifier: str, loose: str, names: Pseudonyms) -> str:
    """Return the hashes of an identifier without leading zeros and of its loose form; empty without an identifier."""
    if not normal(identifier):
        return ""
    return f"{key(ZEROS_KIND, without_zeros(identifier), names)} {key(LOOSE_KIND, loose, names)}"


COUNTED: Mapping[str, str] = MappingProxyType(
    {"contradicts_polarity": "polarity_contradictory", "not_square": "pixels_not_square"}
)
"""Field of a header → the count of ``prepare`` of the studies whose image has it."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """What is stored of one image file: keyed hashes and permitted facts, no identifier. A line of a journal.

    Attributes:
        file: hash of its path.
        stamp: see :class:`Found`.
        reason: why it cannot be used, or None.
        patient: pseudonym, or empty.
        study: hash of its StudyInstanceUID, or empty.
        accession: hash of its accession number, or empty.
        instance: hash of its SOPInstanceUID, or empty.
        kind: of a file that is no radiograph, otherwise empty.
        views: by :data:`fedaid.data.header.views.SOURCES`, or () if the file states none.
        view: one of :data:`fedaid.data.header.terms.VIEWS`, or empty.
        near_accession: hashes of its accession number, see :func:`near_hashes`.
        near_patient: hashes of its PatientID.
        header: values for :func:`fedaid.data.header.facts.header_from`; empty for a PNG or JPEG.
    """

    file: str
    stamp: str
    reason: str | None
    patient: str = ""
    study: str = ""
    accession: str = ""
    view: str = ""
    header: Mapping[str, Any] = field(default_factory=dict)
    instance: str = ""
    near_accession: str = ""
    near_patient: str = ""
    kind: str = ""
    views: Sequence[str] = ()

    def brief(self) -> ImageFile:
        """Return a copy whose header holds only what is counted or written later, which saves memory."""
        known = self.header.get
        sex, age = ("" if value is None else str(value) for value in (known("sex"), known("age")))
        flags = tuple(name for name in COUNTED if known(name))
        header = _kept(sex, age, flags, tuple(known("ignored") or ()))
        return replace(self, header=header, views=_shared(tuple(self.views)))


@cache
def _kept(sex: str, age: str, flags: tuple[str, ...], ignored: tuple[str, ...]) -> Mapping[str, Any]:
    """Return a short header. Equal headers are one object, because a site has many images."""
    return MappingProxyType({"sex": sex, "age": age, "flags": flags, "ignored": ignored})


@cache
def _shared(views: tuple[str, ...]) -> tuple[str, ...]:
    """Return the views. Equal ones are one object."""
    return views


@dataclass(frozen=True, slots=True)
class ImagedStudy:
    """A study with its images, the preferred one first.

    Attributes:
        name: pseudonym of the study.
        patients: pseudonyms in its images; a valid study has exactly one.
        keys: hashes of the identifiers that a report can match.
        images: hash of each image's path.
        views: view of each image.
        paths: path of each image, relative to the folder of images.
        stated: kinds of keys that its images state: "accession", "study".
        people: of each image's header "sex" and "age" of the patient, "flags", a part of :data:`COUNTED`, and
            "ignored", the keywords of the tags that cannot be used.
        near_accession: hashes of its accession number; empty if its images state none.
        near_patient: hashes of its patient; empty if its images state none.
        level: how many of its first images only their pictures tell apart, see
            :class:`admin.site.films.film_order.FilmOrder`.
        unstated: whether the view of the first image is not stated.
        view_conflicts: how many of its images state a frontal and a lateral view.
    """

    name: str
    patients: tuple[str, ...]
    keys: tuple[str, ...]
    images: tuple[str, ...]
    views: tuple[str, ...]
    paths: tuple[str, ...] = field(repr=False)
    stated: tuple[str, ...] = ()
    people: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    near_accession: Near = UNSTATED
    near_patient: Near = UNSTATED
    level: int = 1
    unstated: bool = False
    view_conflicts: int = 0


def file_name(found: Found, names: Pseudonyms) -> str:
    """Return the hash of all bytes of a file's path."""
    return names.study(f"file:{found.relative.encode('utf-8', 'surrogateescape').hex()}")


def key(kind: str, identifier: str, names: Pseudonyms) -> str:
    """Return the hash of a normalised identifier of one kind; empty if there is no identifier."""
    plain = normal(identifier)
    return names.study(f"{kind}:{plain}") if plain else ""


def keys_of(found: Found, image: ImageFile, names: Pseudonyms) -> tuple[str, ...]:
    """Return the hashes of the identifiers of a file that a report can match; some may be empty."""
    return image.study, image.accession, key("stem", stem(found.relative), names)


def study_of(image: ImageFile) -> str:
    """Return the key of an image's study: its UID, else its accession number, else the file itself."""
    return image.study or image.accession or image.file


def imaged_studies(files: Iterable[tuple[Found, ImageFile]], names: Pseudonyms) -> list[ImagedStudy]:
    """Return the studies of the files."""
    groups: defaultdict[str, list[tuple[Found, ImageFile]]] = defaultdict(list)
    for found, image in files:
        groups[study_of(image)].append((found, image))
    return [_study(name, groups.pop(name), names) for name in list(groups)]


def _stated(image: ImageFile) -> Sequence[str]:
    """The views that an image states, by source. The view of the data set stands alone."""
    return image.views or ((image.view,) if image.view else ())


def _study(name: str, group: list[tuple[Found, ImageFile]], names: Pseudonyms) -> ImagedStudy:
    order = film_order([Film(_stated(image), image.instance, found.relative) for found, image in group])
    ordered = [group[number] for number in order.numbers]
    keys = {one for found, image in ordered for one in keys_of(found, image, names)}
    return ImagedStudy(
        name=name,
        patients=tuple({image.patient for _, image in ordered} - {""}),
        keys=tuple(keys - {""}),
        images=tuple(image.file for _, image in ordered),
        views=order.views,
        level=order.level,
        unstated=order.unstated,
        view_conflicts=order.conflicts,
        paths=tuple(found.relative for found, _ in ordered),
        stated=tuple(kind for kind in TAGS if any(getattr(image, kind) for _, image in ordered)),
        people=tuple(image.header for _, image in ordered),
        near_accession=_first_near((image.accession, image.near_accession) for _, image in ordered),
        near_patient=_first_near((image.patient, image.near_patient) for _, image in ordered),
    )


def _first_near(given: Iterable[tuple[str, str]]) -> Near:
    """Return the hashes of the first image that states the identifier."""
    return next((Near(exact, *near.split()) for exact, near in given if exact and near), UNSTATED)


def torn_studies(files: Iterable[tuple[Found, ImageFile]], images: Path) -> frozenset[str]:
    """Return the studies in which two files carry one SOPInstanceUID with different bytes.

    One of the two was modified later or belongs to another patient, and it is not known which one. Two identical
    copies of a file are allowed.

    Args:
        files: the files with their headers.
        images: the folder of the files.

    Raises:
        OSError: if a file no longer exists.
    """
    first: dict[tuple[str, str], Found] = {}
    torn: set[str] = set()
    for found, image in files:
        earlier = first.setdefault((study_of(image), image.instance), found) if image.instance else found
        if earlier is not found and not filecmp.cmp(images / earlier.relative, images / found.relative, shallow=False):
            torn.add(study_of(image))
    return frozenset(torn)
