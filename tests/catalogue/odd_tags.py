"""Objects that are whole, and whose tags are false, odd or hostile."""

from __future__ import annotations

from pydicom.tag import Tag

from tests.catalogue.broken_files import content
from tests.catalogue.item import LONELY, Item, image
from tests.catalogue.place import Place

DEPTH = 500
UNDEFINED = b"\xff\xff\xff\xff"


def executable(place: Place, magic: bytes) -> None:
    """A sound object whose preamble would make it a program; nothing of a preamble is read, and none is copied."""
    whole = content(place.film())
    place.put(magic + bytes(128 - len(magic)) + whole[128:])


def deep_sequences(place: Place) -> None:
    """A sequence in a sequence, and so on, none with a length to skip it by; then the pixels."""
    film = place.film()
    pixels = film.PixelData
    del film.PixelData
    start = b"\x40\0\x30\xa7SQ\0\0" + UNDEFINED + b"\xfe\xff\0\xe0" + UNDEFINED
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    picture = b"\xe0\x7f\x10\0OW\0\0" + len(pixels).to_bytes(4, "little") + pixels
    place.put(content(film) + start * DEPTH + end * DEPTH + picture)


def not_a_number(place: Place) -> None:
    """A window whose centre and width are NaN, as text, which is how decimals are stored."""
    film = place.film()
    film.WindowCenter, film.WindowWidth = "1.5", "1.5"
    place.put(content(film).replace(b"1.5 ", b"NaN "))


def unknown_characters(place: Place) -> None:
    """A character set that nobody knows, and a name written in it."""
    film = place.film(SpecificCharacterSet="ISO_IR 999")
    film.add_new(Tag("PatientName"), "PN", b"M\xfcller\xa4^J\xff")
    place.save(film)


def one_instance_twice(place: Place) -> None:
    """Two files that claim to be one and the same instance, and are two pictures."""
    place.save(place.film(), "1.dcm")
    place.save(place.film(PixelData=bytes(range(256)) * 8), "2.dcm")


ODD_TAGS: tuple[Item, ...] = (
    image(
        "bits-stored-above-allocated",
        lambda place: place.save(place.film(BitsStored=17, HighBit=16)),
        note="a BitsStored that is not valid is ignored: the picture is sound",
    ),
    image(
        "photometric-unknown",
        lambda place: place.save(place.film(PhotometricInterpretation="MONOCHROME3")),
        "image-photometric",
    ),
    image("preamble-of-windows", lambda place: executable(place, b"MZ"), note="the preamble is never read nor copied"),
    image("preamble-of-linux", lambda place: executable(place, b"\x7fELF"), note="as above"),
    image("constant-image", lambda place: place.save(place.film(PixelData=bytes(2048))), "image-constant"),
    image(
        "rescale-slope-zero",
        lambda place: place.save(place.film(RescaleSlope="0", RescaleIntercept="5")),
        note="a slope that is not valid is ignored: the picture is sound",
    ),
    image("window-not-a-number", not_a_number, note="a window that is not valid is ignored: the picture is sound"),
    image("burned-in-declared", lambda place: place.save(place.film(BurnedInAnnotation="YES")), "image-burned-in"),
    image("character-set-unknown", unknown_characters, note="no text of it is kept"),
    image("one-instance-two-pictures", one_instance_twice, "image-conflict"),
    image("sequences-500-deep", deep_sequences, "image-unreadable", LONELY, note="deeper than the parser follows"),
)
"""In the order of the catalogue."""
