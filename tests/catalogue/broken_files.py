"""Files that are no sound object: empty, cut, too long, lying about their size; and objects that are no image."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG2MPML, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless

from tests.catalogue.item import LONELY, Item, image
from tests.catalogue.place import Place

BOMB = 5 << 30
"""Bytes that the deflated file claims to be: more than the four GiB that a decoding process may take."""
CHUNK = 64 << 20


def content(film: Dataset) -> bytes:
    """The bytes of an object's file."""
    file = BytesIO()
    dcmwrite(file, film, enforce_file_format=True)
    return file.getvalue()


def cut_in_header(place: Place) -> None:
    """The file ends before it says whose it is."""
    whole = content(place.film())
    place.put(whole[: whole.index(place.accession.encode()) - 4])


def cut_after_identity(place: Place) -> None:
    """The file ends between its identifiers and its pixels."""
    whole = content(place.film())
    place.put(whole[: whole.index(b"MONOCHROME2") + 6])


def stored(place: Place, data: bytes, **tags: object) -> None:
    """Pixel data of these bytes, with their true length."""
    place.save(place.film(PixelData=data, **tags))


def rle(place: Place) -> Dataset:
    """The sound radiograph, run-length encoded."""
    film = place.film()
    film.compress(RLELossless)
    return film


def rle_of_four_gib(place: Place) -> None:
    """A run-length header whose segments begin four GiB away."""
    film = place.film()
    film.file_meta.TransferSyntaxUID = RLELossless
    header = struct.pack("<16L", 2, 64, 0xFFFFFFFE, *[0] * 13)
    film.PixelData = encapsulate([header + bytes(64)])
    place.save(film)


def deflate_bomb(place: Place) -> None:
    """A deflated object of five GiB of zeros in as many MiB: whole blocks of deflate may be repeated."""
    film = place.film()
    film.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    whole = content(film)
    meta = whole[: 132 + 12 + struct.unpack("<L", whole[140:144])[0]]
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    plain = content(film)
    start = 132 + 12 + struct.unpack("<L", plain[140:144])[0]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = packer.compress(plain[start:]) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = packer.compress(bytes(CHUNK)) + packer.flush(zlib.Z_FULL_FLUSH)
    place.put(meta + head + zeros * (BOMB // CHUNK) + packer.flush())


def without_codec(place: Place) -> None:
    """A film strip in MPEG-2, which nothing here decodes."""
    film = place.film()
    film.file_meta.TransferSyntaxUID, film.PixelData = MPEG2MPML, encapsulate([bytes(64)])
    place.save(film)


def directory(place: Place) -> None:
    """A DICOMDIR beside a film, whose record leads out of the folder; it is an index, and nothing follows it."""
    index, record = Dataset(), Dataset()
    record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", ["..", "..", "..", "ETC", "PASSWD"]
    index.file_meta = place.film().file_meta
    index.SOPClassUID, index.SOPInstanceUID = "1.2.840.10008.1.3.10", "1.9.0.1"
    index.FileSetID, index.DirectoryRecordSequence = "CATALOGUE", [record]
    place.save(index, "DICOMDIR")
    place.save(place.film())


def document(place: Place, sop_class: str) -> None:
    """An object of this study that is no image."""
    film = place.film(SOPClassUID=sop_class, PixelData=None, Rows=None, Columns=None)
    film.Modality = "SR"
    place.save(film)


PIXELS = 32 * 32 * 2
BROKEN_FILES: tuple[Item, ...] = (
    image("empty-file", lambda place: place.put(b""), "image-unsupported", LONELY),
    image("text-renamed", lambda place: place.put(b"See the archive.\n" * 20), "image-unsupported", LONELY),
    image("preamble-only", lambda place: place.put(bytes(128) + b"DICM"), "image-unsupported", LONELY),
    image("header-cut-before-identity", cut_in_header, "image-unreadable", LONELY),
    image("header-cut-after-identity", cut_after_identity, "image-unreadable"),
    image("pixels-short-by-a-byte", lambda place: place.put(content(place.film())[:-1]), "image-unreadable"),
    image("pixels-ten-times-too-long", lambda place: stored(place, bytes(range(256)) * 80), "image-unreadable"),
    image("rows-zero", lambda place: place.save(place.film(Rows=0)), "image-size-tags"),
    image("rows-missing", lambda place: place.save(place.film(Rows=None)), "image-unreadable"),
    image(
        "65535-square-of-64-bytes",
        lambda place: stored(place, bytes(64), Rows=65535, Columns=65535),
        "image-too-large",
    ),
    image("rle-of-4-gib", rle_of_four_gib, "image-unreadable"),
    image("rle-cut", lambda place: place.put(content(rle(place))[:-1500]), "image-unreadable"),
    image("deflate-bomb", deflate_bomb, "image-too-large", LONELY),
    image("a-million-frames", lambda place: place.save(place.film(NumberOfFrames="1000000")), "image-multiframe"),
    image(
        "minus-one-frame",
        lambda place: place.save(place.film(NumberOfFrames="-1")),
        note="a number of frames that is not valid is ignored: there is room for one",
    ),
    image("codec-missing", without_codec, "image-codec-video"),
    image("dicomdir-with-parents", directory, note="an index; nothing in it is followed"),
    image("structured-report", lambda place: document(place, "1.2.840.10008.5.1.4.1.1.88.11"), LONELY),
    image("encapsulated-pdf", lambda place: document(place, "1.2.840.10008.5.1.4.1.1.104.1"), LONELY),
    image("key-objects", lambda place: document(place, "1.2.840.10008.5.1.4.1.1.88.59"), LONELY),
)
"""In the order of the catalogue, apart from what concerns tags (:mod:`tests.catalogue.odd_tags`)."""
