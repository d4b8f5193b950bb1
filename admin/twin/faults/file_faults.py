"""Faults of an image's file: missing, truncated, of another type, outside the root, or not readable."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from pydicom import dcmwrite

from admin.twin.faults.faulty_site import Fault, FaultySite, Row, planted_once
from admin.twin.faults.image_faults import put_pixels

PADDING = 65 << 20
KEPT = 0.5  # remaining share of a truncated file; the header is much shorter


def missing_image(site: FaultySite, row: Row) -> None:
    """Delete the file."""
    site.image(row).unlink()


def truncated_pixels(site: FaultySite, row: Row) -> None:
    """Truncate the file within its uncompressed pixels."""
    film = site.film(row)
    put_pixels(film, film.pixel_array)
    dcmwrite(site.image(row), film, enforce_file_format=True)
    content = site.image(row).read_bytes()
    site.image(row).write_bytes(content[: round(KEPT * len(content))])


def large_file(site: FaultySite, row: Row) -> None:
    """Append 65 MiB of trailing padding, which DICOM permits; the file is sparse and needs no disk space for it."""
    film = site.film(row)
    put_pixels(film, film.pixel_array)
    dcmwrite(site.image(row), film, enforce_file_format=True)
    with site.image(row).open("ab") as file:
        file.write(struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, PADDING))
        file.truncate(file.tell() + PADDING)


def symlink_out(site: FaultySite, row: Row) -> None:
    """Replace the file by a link to a file outside the root: this module."""
    site.image(row).unlink()
    site.image(row).symlink_to(Path(__file__).resolve())


def fifo(site: FaultySite, row: Row) -> None:
    """Replace the file by a pipe; opening it blocks."""
    site.image(row).unlink()
    os.mkfifo(site.image(row))


def unreadable(site: FaultySite) -> tuple[str, ...]:
    """Remove the permission to read a file; not planted if this process can still read it, for example as root."""
    row = site.take()
    image = site.image(row)
    mode = image.stat().st_mode
    image.chmod(0)
    if os.access(image, os.R_OK):
        image.chmod(mode)
        site.sound.append(row)
        return ()
    return (row["study_id"],)


def newline_in_name(site: FaultySite, row: Row) -> None:
    """Put a line feed into the file's name and quote it correctly in the manifest; the content stays sound."""
    _rename(site, row, f"{row['study_id'][:6]}\n{row['study_id'][6:]}.dcm")


def undecodable_name(site: FaultySite, row: Row) -> None:
    """Give the file a name that is not UTF-8; the UTF-8 manifest cannot spell it."""
    image = site.image(row)
    image.rename(image.with_name(row["study_id"] + os.fsdecode(b"\xff\xe9") + ".dcm"))
    row["image"] = f"images/{row['study_id']}\ufffd\ufffd.dcm"


def _rename(site: FaultySite, row: Row, name: str) -> None:
    """Rename a study's image and update its cell in the manifest."""
    image = site.image(row)
    image.rename(image.with_name(name))
    row["image"] = f"images/{name}"


def replaced(content: bytes) -> Callable[[FaultySite, Row], None]:
    """Return a fault that replaces an image's content by these bytes."""

    def plant(site: FaultySite, row: Row) -> None:
        site.image(row).write_bytes(content)

    return plant


FILE_FAULTS: Mapping[str, Fault] = {
    "missing-image": planted_once(missing_image),
    "truncated-pixels": planted_once(truncated_pixels),
    "large-file": planted_once(large_file),
    "text-as-image": planted_once(replaced(b"Please find the radiograph in the archive.\n")),
    "empty-file": planted_once(replaced(b"")),
    "preamble-only": planted_once(replaced(b"\0" * 128 + b"DICM")),
    "symlink-out-of-root": planted_once(symlink_out),
    "fifo": planted_once(fifo),
    "unreadable-file": unreadable,
    "newline-in-name": planted_once(newline_in_name),
    "undecodable-name": planted_once(undecodable_name),
}
