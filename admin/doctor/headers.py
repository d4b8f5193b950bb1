"""The headers of a site's images, as far as they may be kept: read in other processes, or from what was prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from admin.doctor.pictures import Track
from admin.prepare.prepared_site import study_headers
from fedaid.data.decode_pool import WORKERS, DecodePool
from fedaid.data.decode_process import Request
from fedaid.data.header import Header, header_from
from fedaid.errors import InputError

Key = TypeVar("Key", int, str)


def read_headers(files: Sequence[tuple[int, Path]], *, track: Track) -> dict[int, Header]:
    """Return the header of each DICOM file that has one which can be read.

    Args:
        files: key and path of each.
        track: shows progress.
    """
    if not files:
        return {}
    found: dict[int, Header] = {}
    with DecodePool(None, workers=min(WORKERS, len(files))) as pool:
        requests = [Request(number, path) for number, (_, path) in enumerate(files)]
        for answer in track(pool.run(requests), len(requests), "reading headers"):
            found[files[answer.key][0]] = header_from(answer.header)
    return stated(found)


def prepared_headers(root: Path) -> dict[str, Header]:
    """Return the headers of a prepared site by study, of those that state anything; none if its journals are gone or
    another version's."""
    try:
        return stated(study_headers(root))
    except (InputError, OSError, ValueError):  # the last: another version wrote the journal
        return {}


def stated(headers: Mapping[Key, Header]) -> dict[Key, Header]:
    """Return the headers that state anything: a PNG or JPEG has none."""
    return {key: header for key, header in headers.items() if header != Header()}
