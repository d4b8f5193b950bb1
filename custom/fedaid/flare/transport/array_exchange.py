"""How arrays of numpy travel between server and sites: in blocks, at the server to its disk.

FLARE decodes an answer before anything of ours sees it, and all answers of a phase may come at the same moment. It can
keep torch's tensors on disk meanwhile, but not numpy's arrays; its own hooks for arrays that go and come do that here.
They are of the process, and so of all tasks of a job.


FLARE's streams leave garbage: a message and the future of its sending refer to each other, so that both stay in memory
until Python collects such cycles. Python does so by the number of objects: after some thousand messages of a MiB each.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from numpy.typing import NDArray
from nvflare.app_common.decomposers.numpy_decomposers import NumpyArrayDecomposer
from nvflare.fuel.f3.cellnet.cell import Cell
from nvflare.fuel.f3.streaming.download_service import download_object
from nvflare.fuel.utils import fobs
from nvflare.fuel.utils.fobs.decomposers.via_downloader import ViaDownloaderDecomposer

from fedaid.flare.transport.array_blocks import ASKED, ArrayBlocks
from fedaid.flare.transport.received_arrays import ArrayFile, ArrayMemory, Assembly, Store

AT_SERVER = 2**24  # bytes between two looks for garbage; a short one, since it passes over what is there at the start
AT_SITE = 2**27  # bytes, where a look takes long: a process with all of torch
Received = tuple[str | None, Mapping[str, Any] | None]  # an error, or a message's arrays by their names there


class Arrived(dict[str, Any]):
    """A message's arrays, and under every other name a text that says why it is none: its reader refuses the message.

    FLARE would end the server's process for the job if an answer could not be decoded.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], reason: str) -> None:
        super().__init__(arrays)
        self._text = f"unreadable: {reason}"

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: object = None) -> Any:
        """The array, or the text."""
        return super().get(name, self._text)


class AskingCell:
    """A cell whose first request for arrays says that blocks of them are understood here."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def send_request(self, *, request: Any, **options: Any) -> Any:
        """The cell's own; a FLARE without blocks passes over what it does not know and sends whole arrays."""
        request.payload.setdefault("state", {ASKED: 0})
        return self._cell.send_request(request=request, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cell, name)

    def __eq__(self, other: object) -> bool:
        return bool(other == self._cell)

    def __hash__(self) -> int:
        """That of the cell, under which FLARE remembers what it did to it."""
        return hash(self._cell)


def send_and_receive(store: Callable[[], Store], *, every: int, refuse: bool = False) -> None:
    """From now on this process sends arrays in blocks to whoever asks for them, and asks for them itself.

    Args:
        store: makes the place of a message's arrays.
        every: bytes after which it looks for what FLARE's streams left.
        refuse: whether arrays that cannot be read are a message to be refused, and no failure of the download.
    """
    fobs.register(NumpyArrayDecomposer)  # does nothing where it is there already
    handler: ViaDownloaderDecomposer = fobs.get_dot_handler(NumpyArrayDecomposer().get_download_dot())

    note = StreamGarbage(every).note

    def download(*, cell: Cell, **source: Any) -> Received:
        """As FLARE's own."""
        source.pop("fobs_ctx", None)
        assembly = Assembly(store(), note)
        try:
            download_object(cell=AskingCell(cell), consumer=assembly, **source)
        except (TypeError, ValueError, AssertionError) as error:  # FLARE counts and logs what a sender made up
            assembly.refused = assembly.refused or f"{type(error).__name__}: {error}"
        return outcome(assembly, refuse=refuse)

    handler.download = download
    handler.to_downloadable = lambda items, max_chunk_size, fobs_ctx: ArrayBlocks(items, max_chunk_size, note)


def outcome(assembly: Assembly, *, refuse: bool) -> Received:
    """What a download that ended has brought."""
    reason, arrays = assembly.refused, {}
    if assembly.error and not reason:
        return assembly.error, None
    if not reason:
        try:
            arrays = assembly.arrays()
        except (ValueError, TypeError, MemoryError) as error:
            reason = str(error)
    if refuse:
        return None, Arrived(arrays, reason or "it did not arrive")
    return reason or None, arrays


def receive_on_disk(folder: Path) -> None:
    """What the server does: answers lie on its disk until it is their turn, and one that cannot be read is refused.

    Args:
        folder: of the run.
    """
    send_and_receive(lambda: ArrayFile(folder), every=AT_SERVER, refuse=True)


def receive_in_memory() -> None:
    """What a site does; its looks for garbage pass over what is there by now, nearly all of it modules of torch."""
    gc.collect()
    gc.freeze()
    send_and_receive(ArrayMemory, every=AT_SITE)


class StreamGarbage:
    """Looks for cycles each time so much was sent or received.

    Args:
        every: bytes.
    """

    def __init__(self, every: int) -> None:
        self._every, self._since, self._lock = every, 0, Lock()

    def note(self, size: int) -> None:
        """Takes note of bytes that came or went, by any thread."""
        with self._lock:
            self._since += size
            due = self._since >= self._every
            self._since = 0 if due else self._since
        if due:
            gc.collect()
