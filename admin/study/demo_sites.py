"""The hospitals of the demo: turn exports of the twin into site datasets like ``python -m admin prepare``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.site.prepare.display import untracked
from admin.site.prepare.site_dataset import Export, prepare
from admin.twin.export import export_consortium
from admin.twin.hospital import Hospital
from fedaid.atomic_file import write_private
from fedaid.errors import InputError

AT_ONCE = 2  # hospitals; each has a process that decodes
Preparing = Mapping[str, "Future[PreparedSite]"]


@dataclass(frozen=True)
class PreparedSite:
    """A hospital's dataset, and the number of studies and of quarantined files that ``prepare`` found."""

    name: str
    root: Path
    studies: int
    quarantined: int


@contextmanager
def prepared_beside(hospitals: Sequence[Hospital], folder: Path, *, image_size: int) -> Iterator[Preparing]:
    """Export and prepare the hospitals while the caller goes on, and yield hospital → its dataset to be.

    Args:
        hospitals: of the twin.
        folder: gets ``exports/<name>`` and ``sites/<name>``; the latter exist at once.
        image_size: S of the job's model, in pixels.
    """
    for hospital in hospitals:
        (folder / "sites" / hospital.name).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            yield {one.name: pool.submit(export_and_prepare, one, folder, image_size=image_size) for one in hospitals}
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def export_and_prepare(hospital: Hospital, folder: Path, *, image_size: int) -> PreparedSite:
    """Write a hospital's export and make its dataset; see :func:`prepared_beside`.

    Raises:
        RuntimeError: the export cannot be prepared; the message names the site.
    """
    reports = export_consortium(folder / "exports", hospitals=[hospital])[hospital.name]
    columns = ("split=split",) if hospital.states_splits else ()
    root = folder / "sites" / hospital.name
    return prepare_site(hospital.name, reports, root, image_size=image_size, columns=columns)


def prepare_site(
    name: str, reports: Path, root: Path, *, image_size: int, columns: tuple[str, ...] = ()
) -> PreparedSite:
    """Prepare one hospital's export; its images are in the folder ``images`` beside the reports.

    ``columns`` are those of :class:`Export`: ``prepare`` uses a column of splits only if it is named.
    """
    key = write_key(root / "private", name)
    try:
        export = Export(
            reports.parent / "images",
            root,
            reports=reports,
            key=key,
            image_size=image_size,
            workers=1,
            columns=columns,
        )
        result: dict[str, Any] = prepare(export, track=untracked)
    except InputError as error:
        result = {"error": error}
    if "error" in result:
        raise RuntimeError(f"{name} could not be prepared: {result['error']}")
    return PreparedSite(name, root, result["studies"], sum(result["quarantined"].values()))


def write_key(folder: Path, name: str, *, seed: int = 0) -> Path:
    """Write a demo hospital's pseudonym key and return its file.

    A real hospital lets ``prepare`` draw a secret key. The twin's patients are synthetic, so the demo derives the key
    from a seed. The key determines the pseudonyms, so every run of the demo is the same, bit for bit.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder / "key", hashlib.sha256(f"fedaid demo {seed} {name}".encode()).hexdigest() + "\n")
    return folder / "key"
