"""Exchanges numpy arrays in blocks between server and sites; both receive them on their disk.

FLARE decodes an answer before our code sees it, and all answers of a phase can arrive at the same time. FLARE 2.9.0 can
keep torch tensors on disk until then, but not numpy arrays. This module replaces FLARE's hooks for both directions.
The hooks belong to the process, so all tasks of a job use them.

FLARE's streams leave garbage: a message and the future of its sending refer to each other, so both stay in memory until
Python collects such cycles. Python starts a collection by the number of objects, which means after some thousand
messages of a MiB each. So this module starts one by the number of bytes. At a site it starts one after each message,
too, because the site trains next.
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
from nvflare.private.fed.server.server_runner import ServerRunner

from fedaid.flare.transport.array_blocks import ArrayBlocks
from fedaid.flare.transport.asking_cell import AskingCell
from fedaid.flare.transport.lasting_streams import outlast_cuts
from fedaid.flare.transport.received_arrays import ArrayFile, ArrayMemory, ArraysAtSite, Assembly, Store
from fedaid.training.heap import give_back_free_memory
from fedaid.training.processes.array_file import say_memory_is_used

AT_SERVER = 2**24  # bytes between two collections; each is short, since objects of the start are exempt
AT_SITE = 2**27  # bytes; a collection takes longer in a process with torch
Received = tuple[str | None, Mapping[str, Any] | None]  # an error, or the arrays of a message by name


class Arrived(dict[str, Any]):
    """A message's arrays; every other name returns a text that says why there is no array, so the message is refused.

    If decoding failed instead, FLARE would end the server's process of the job.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], reason: str) -> None:
        super().__init__(arrays)
        self._text = f"unreadable: {reason}"

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: object = None) -> Any:
        """The array, or the text."""
        return super().get(name, self._text)


def send_and_receive(store: Callable[[], Store], garbage: StreamGarbage, *, refuse: bool = False) -> None:
    """Makes this process send arrays in blocks and request blocks.

    Args:
        store: makes a store for the arrays of one message.
        garbage: counts the bytes that are sent and received.
        refuse: whether unreadable arrays become a message that its reader refuses, not a failed download.
    """
    outlast_cuts()
    fobs.register(NumpyArrayDecomposer)  # no effect if it is registered already
    handler: ViaDownloaderDecomposer = fobs.get_dot_handler(NumpyArrayDecomposer().get_download_dot())

    def download(*, cell: Cell, **source: Any) -> Received:
        """Replaces FLARE's ``download``; same arguments and result."""
        source.pop("fobs_ctx", None)
        try:
            assembly = Assembly(store(), garbage.note)
        except OSError as error:
            return unreadable(f"no room on the disk ({type(error).__name__})", refuse=refuse)
        try:
            download_object(cell=AskingCell(cell), consumer=assembly, **source)
        except Exception as error:  # from what the sender sent, or from this disk; FLARE logs it
            assembly.refused = assembly.refused or f"{type(error).__name__}: {error}"
        garbage.received()
        return outcome(assembly, refuse=refuse)

    handler.download = download
    handler.to_downloadable = lambda items, max_chunk_size, fobs_ctx: ArrayBlocks(items, max_chunk_size, garbage.note)


def outcome(assembly: Assembly, *, refuse: bool) -> Received:
    """The result of a download that has ended."""
    reason = assembly.refused or assembly.error
    if reason:
        return unreadable(str(reason), refuse=refuse)
    try:
        arrays = assembly.arrays()
    except (ValueError, TypeError, MemoryError, OSError) as error:
        return unreadable(str(error), refuse=refuse)
    return None, Arrived(arrays, "it did not arrive") if refuse else arrays


def unreadable(reason: str, *, refuse: bool) -> Received:
    """The result of a download that failed: an error, or a message that its reader refuses."""
    return (None, Arrived({}, reason)) if refuse else (reason, None)


def receive_on_disk(folder: Path) -> None:
    """Sets up the server: answers wait on its disk, and an answer that cannot be read is refused.

    FLARE 2.9.0 ends the job when one site answers TASK_UNKNOWN, UNSAFE_JOB or RUN_MISMATCH. Here the controller gets
    such an answer as any other error of that site.

    Args:
        folder: of the run.
    """
    send_and_receive(lambda: ArrayFile(folder), StreamGarbage(AT_SERVER), refuse=True)
    ServerRunner.ABORT_RETURN_CODES = []


def receive_at_site(folder: Path) -> None:
    """Sets up a site; objects that exist now, mostly modules of torch, are exempt from later collections.

    Args:
        folder: of the run, for what it receives.
    """
    gc.collect()
    gc.freeze()
    send_and_receive(lambda: store_in(folder), StreamGarbage(AT_SITE, after_messages=True))


def store_in(folder: Path) -> Store:
    """A store on the disk, or in memory if the disk takes no file."""
    try:
        return ArraysAtSite(folder)
    except OSError:
        say_memory_is_used()
        return ArrayMemory()


class StreamGarbage:
    """Collects garbage after a number of bytes.

    Args:
        every: bytes between two collections.
        after_messages: whether it also collects after a received message, and returns what is free to the machine.
    """

    def __init__(self, every: int, *, after_messages: bool = False) -> None:
        self._every, self._since, self._lock = every, 0, Lock()
        self._after_messages = after_messages

    def note(self, size: int) -> None:
        """Counts bytes that were sent or received; any thread may call it."""
        with self._lock:
            self._since += size
            due = self._since >= self._every
            self._since = 0 if due else self._since
        if due:
            gc.collect()

    def received(self) -> None:
        """A message has arrived."""
        if self._after_messages:
            gc.collect()
            give_back_free_memory()
