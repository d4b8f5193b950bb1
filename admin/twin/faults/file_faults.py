"""Faults of a file as a file: gone, cut, not what it says, not where it should be, not openable."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from pydicom import dcmwrite

from admin.twin.faults.faulty_site import Fault, FaultySite, Row, planted_once
from admin.twin.faults.image_faults import put_pixels

PADDING = 65 << 20
KEPT = 0.5  # share of a cut file that is left; its header is much shorter


def missing_image(site: FaultySite, row: Row) -> None:
    """The file is gone."""
    site.image(row).unlink()


def truncated_pixels(site: FaultySite, row: Row) -> None:
    """The file ends within its pixels, which are not compressed."""
    film = site.film(row)
    put_pixels(film, film.pixel_array)
    dcmwrite(site.image(row), film, enforce_file_format=True)
    content = site.image(row).read_bytes()
    site.image(row).write_bytes(content[: round(KEPT * len(content))])


def large_file(site: FaultySite, row: Row) -> None:
    """A file of 65 MiB of trailing padding, as the standard permits; as a hole it takes no room on the disk."""
    film = site.film(row)
    put_pixels(film, film.pixel_array)
    dcmwrite(site.image(row), film, enforce_file_format=True)
    with site.image(row).open("ab") as file:
        file.write(struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, PADDING))
        file.truncate(file.tell() + PADDING)


def symlink_out(site: FaultySite, row: Row) -> None:
    """A link to an existing file elsewhere; this module's stands for one."""
    site.image(row).unlink()
    site.image(row).symlink_to(Path(__file__).resolve())


def fifo(site: FaultySite, row: Row) -> None:
    """A pipe, which blocks whoever opens it."""
    site.image(row).unlink()
    os.mkfifo(site.image(row))


def unreadable(site: FaultySite) -> tuple[str, ...]:
    """A file without permission to read it; it is not planted by a process that reads it all the same, as root's do."""
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
    """A name over two lines, correctly quoted in the manifest; the file is sound."""
    _rename(site, row, f"{row['study_id'][:6]}\n{row['study_id'][6:]}.dcm")


def undecodable_name(site: FaultySite, row: Row) -> None:
    """A name that is not UTF-8; the manifest, which is, can only misspell it."""
    image = site.image(row)
    image.rename(image.with_name(row["study_id"] + os.fsdecode(b"\xff\xe9") + ".dcm"))
    row["image"] = f"images/{row['study_id']}\ufffd\ufffd.dcm"


def _rename(site: FaultySite, row: Row, name: str) -> None:
    """Rename a study's image, and its cell with it."""
    image = site.image(row)
    image.rename(image.with_name(name))
    row["image"] = f"images/{name}"


def replaced(content: bytes) -> Callable[[FaultySite, Row], None]:
    """A fault that puts these bytes in place of an image."""

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
