"""A disk that is full at each write: the rounds before stay, the error says what to do, and the same bits follow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import admin  # noqa: F401 - makes custom/fedaid importable
from fedaid.data.cache import new_pixels
from fedaid.flare.server.run_store import RunStore
from fedaid.flare.server.update_store import UpdateStore
from fedaid.flare.site.kept_rounds import KeptRounds
from fedaid.flare.site.work.fault import fault_of
from fedaid.flare.store.hash_chain import HEAD, HashChain, broken_links
from fedaid.flare.transport.array_blocks import Block
from fedaid.flare.transport.received_arrays import ArrayFile
from fedaid.flare.wire.tasks import RunStamp
from tests.chaos.files.damaged_files import site_context
from tests.chaos.files.injury import files_in
from tests.chaos.outcome import Outcome

SIZE, STEP = 4 << 20, 16 << 10  # bytes of the disk, and by how much the room grows from fault to fault
Write = Callable[[Path], str]  # writes to a folder; the error's text, or empty
TENSORS = {"matrix": np.arange(30_000, dtype=np.float32).reshape(100, 300), "vector": np.ones(9, np.float32)}


def full_disk(folder: Path, *, step: int = STEP) -> Outcome:
    """Runs in a name space of its own with a disk of 4 MB in memory; needs no right of the administrator."""
    disk = folder / "disk"
    disk.mkdir()
    inner = f"mount -t tmpfs -o size={SIZE} tmpfs {disk} && exec {sys.executable} -m {__name__} {disk} {step}"
    command = ["unshare", "--user", "--mount", "--map-root-user", "sh", "-c", inner]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return Outcome(**found | {"failures": tuple(found["failures"])})


def room(disk: Path, bytes_left: int | None) -> None:
    """Leaves so much room on the disk; all of it for None."""
    ballast = disk / "ballast"
    ballast.unlink(missing_ok=True)
    if bytes_left is not None:
        status = os.statvfs(disk)
        ballast.write_bytes(bytes(max(status.f_bavail * status.f_frsize - bytes_left, 0)))


def commit(folder: Path, number: int) -> None:
    """Commits a round with optimizer and best model."""
    store = RunStore(folder, configuration={}, vocabulary_hash="")
    store.commit(TENSORS, {"round": number}, optimizer={"moment": TENSORS["matrix"] * number})


def faults_of_store(disk: Path, step: int) -> Iterator[str]:
    """A commit with less and less room: what is wrong, or nothing, for each fault."""
    for left in range(0, 4 * TENSORS["matrix"].nbytes, step):
        folder = disk / "store"
        commit(folder, 1)
        before = contents(folder)
        room(disk, left)
        try:
            commit(folder, 2)
            room(disk, None)
            clear(folder)
            return
        except OSError as error:
            text = str(error)
        room(disk, None)
        kept = {name: content for name, content in contents(folder).items() if name.startswith("round-00001/")}
        clear_ok = kept == before and RunStore(folder, configuration={}, vocabulary_hash="").newest is not None
        commit(folder, 2)
        whole = contents(folder / "round-00002")
        clear(folder)
        commit(folder, 2)
        same = whole == contents(folder / "round-00002")
        clear(folder)
        said = "No space left" in text and "Free space" in text and "\n" not in text
        yield "" if clear_ok and same and said else f"store with {left} bytes left: {clear_ok}, {same}, {text}"


def faults_of_delivery(disk: Path, step: int) -> Iterator[str]:
    """The end of a run with less and less room: the round stays, and the next job puts the same files."""
    target, results = disk / "job", {"round": 1}
    commit(disk / "store", 1)
    before = contents(disk / "store")

    def end(at: Path) -> None:
        store.finish(results)
        store.deliver(target, results)

    store = RunStore(disk / "store", configuration={}, vocabulary_hash="")
    end(disk)
    whole = contents(target)
    for left in range(0, TENSORS["matrix"].nbytes, step):
        clear(target)
        clear(disk / "store" / "finished")
        room(disk, left)
        error = raised(end, disk)
        room(disk, None)
        kept = {name: content for name, content in contents(disk / "store").items() if name in before} == before
        again = raised(end, disk)
        same = contents(target) == whole and store.results == results
        yield "" if error and kept and not again and same else f"delivery with {left} bytes left: {error!r}, {again!r}"
    clear(target)
    clear(disk / "store")


def faults_of_ledger(disk: Path, step: int) -> Iterator[str]:
    """Lines that the disk did not take come with the next ones, and the chain holds."""
    file = disk / "ledger.jsonl"
    chain, text = HashChain(file), ""
    for number in range(3):
        room(disk, 0)
        try:
            chain.add({"kind": "x" * 5000, "number": number}, durable=True)
        except OSError as error:
            text = str(error)
        room(disk, None)
        chain.add({"kind": "after"}, durable=True)
        said = "Free space" in text and "ledger.jsonl" in text
        yield "" if not broken_links(file, chain.head) and said else f"ledger: {broken_links(file)}, {text}"
    file.unlink()
    file.with_suffix(HEAD).unlink()


def faults_of_site(disk: Path, step: int) -> Iterator[str]:
    """What a site keeps: the round goes on, and the round before stays."""
    context, run, rounds = site_context(disk / "kit"), RunStamp("chaos", 1), KeptRounds("state")
    rounds.keep(run, 1, TENSORS, description={}, fl_ctx=context)
    for left in range(0, TENSORS["matrix"].nbytes, step):
        room(disk, left)
        rounds.keep(run, 2, TENSORS, description={}, fl_ctx=context)
        room(disk, None)
        found = rounds.before(3, run, context)
        yield "" if found is not None and found.round_number == 1 else f"kept rounds with {left} bytes left"
    rounds.keep(run, 2, TENSORS, description={}, fl_ctx=context)
    found = rounds.before(3, run, context)
    yield "" if found is not None and found.round_number == 2 else "kept rounds after space returned"
    clear(disk / "kit")


def faults_of_spools(disk: Path, step: int) -> Iterator[str]:
    """Received arrays and accepted updates: an error, and no part of the message is used."""
    flat = np.ascontiguousarray(TENSORS["matrix"]).reshape(-1)
    for left in range(0, flat.nbytes, step):
        for name, write in (("received arrays", receive), ("accepted updates", accept)):
            room(disk, left)
            error = raised(write, disk)
            room(disk, None)
            there = raised(write, disk)
            yield "" if error and not there else f"{name} with {left} bytes left: {error!r}, then {there!r}"


def receive(disk: Path) -> None:
    """Receives one array into a file."""
    array = TENSORS["matrix"]
    file = ArrayFile(disk)
    block = Block("matrix", array.dtype, array.shape, 0, memoryview(array.reshape(-1).view(np.uint8)))
    file.begin(block)
    file.write(block)
    if file.arrays()["matrix"].tobytes() != array.tobytes():
        raise ValueError("other bits")


def accept(disk: Path) -> None:
    """Writes an accepted update to the server's disk."""
    store = UpdateStore(disk / "updates")
    store.put("site-a", TENSORS)
    same = store.tensor("matrix")["site-a"]["matrix"].tobytes() == TENSORS["matrix"].tobytes()
    store.clear()
    if not same:
        raise ValueError("other bits")


def faults_of_cache(disk: Path, step: int) -> Iterator[str]:
    """The cache of decoded images is not made without room, and the operator learns the reason."""
    for left in range(0, 3 * 64 * 64 * 2 * 10, step):
        room(disk, left)
        error = raised(lambda at: new_pixels(at / "images.npy", 30, 64), disk)
        room(disk, None)
        text = fault_of(error).text if error else ""
        yield "" if "Free space" in text else f"cache with {left} bytes left: {error!r}"
        (disk / "images.npy").unlink(missing_ok=True)


def raised(write: Callable[[Path], Any], disk: Path) -> Exception | None:
    """The error of a write, if there is one."""
    try:
        write(disk)
    except Exception as error:
        return error
    return None


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files_in(folder)}


def clear(folder: Path) -> None:
    """Removes a folder."""
    shutil.rmtree(folder)


PLACES = (faults_of_store, faults_of_delivery, faults_of_ledger, faults_of_site, faults_of_spools, faults_of_cache)


def main() -> None:
    """In the name space: prints the outcome as JSON."""
    disk, step = Path(sys.argv[1]), int(sys.argv[2])
    found = [fault for place in PLACES for fault in place(disk, step)]
    failures = tuple(fault for fault in found if fault)
    print(
        json.dumps(
            asdict(
                Outcome(
                    place="in-process",
                    injected=len(found),
                    survived=len(found) - len(failures),
                    rounds_lost=0,
                    failures=failures,
                )
            )
        )
    )


if __name__ == "__main__":
    main()
