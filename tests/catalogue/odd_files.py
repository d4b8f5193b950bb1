"""Things in the folder of images that are no plain readable file, or have a name that programs stumble over."""

from __future__ import annotations

import os

from tests.catalogue.item import LONELY, Item, image
from tests.catalogue.place import IMAGE, REPORT, Place


def link_out(place: Place) -> None:
    """A link to a sound image of this study that lies outside the export."""
    outside = place.export / "outside"
    path = place.save(place.film())
    outside.mkdir(exist_ok=True)
    path.rename(outside / f"{place.accession}.dcm")
    path.symlink_to(outside / f"{place.accession}.dcm")


def link_to_nothing(place: Place) -> None:
    """A link to a file that is gone."""
    place.images.mkdir(parents=True)
    (place.images / IMAGE).symlink_to(place.images / "gone.dcm")


def pipe(place: Place) -> None:
    """A pipe, which blocks whoever opens it."""
    place.images.mkdir(parents=True)
    os.mkfifo(place.images / IMAGE)


def unreadable(place: Place) -> None:
    """A file without permission to read it."""
    place.save(place.film()).chmod(0)
    place.report(REPORT)


def folder_named_as_a_file(place: Place) -> None:
    """A folder ``x.dcm`` with the sound image in it."""
    (place.images / "x.dcm").mkdir(parents=True)
    place.save(place.film(), "x.dcm/1")


def name_of_bytes(place: Place) -> None:
    """A name that is not UTF-8."""
    place.save(place.film(), os.fsdecode(b"r\xf6ntgen \xff.dcm"))


ODD_FILES: tuple[Item, ...] = (
    image("symlink-out", link_out, "image-outside-root", LONELY),
    image("symlink-dangling", link_to_nothing, "image-missing", LONELY),
    image("fifo", pipe, "image-missing", LONELY, note="not opened"),
    Item("unreadable", unreadable, ("image-unreadable", LONELY), needs_permissions=True),
    image("folder-named-x.dcm", folder_named_as_a_file, note="names say nothing"),
    image("name-with-newline", lambda place: place.save(place.film(), "a\nb.dcm"), note="the file is sound"),
    image("name-not-utf-8", name_of_bytes, note="the file is sound"),
)
"""In the order of the catalogue."""
