from __future__ import annotations

import io
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, RLELossless

from fedaid.data.pixels import decode_pool
from fedaid.data.pixels.decode_pool import FILES, DecodePool
from fedaid.data.pixels.decode_process import Limits, Request

WriteDicom = Callable[..., Path]
CUSTOM = Path(decode_pool.__file__).parents[3]
SMALL = Limits(seconds=30, memory=400 << 20)
HOSTILE = """
import os, signal, time
from fedaid.data.pixels import decode_worker
read = decode_worker.radiograph_picture
def hostile(path):
    if path.name == "sleeps": time.sleep(60)
    if path.name == "aborts": os.abort()
    if path.name == "faults": os.kill(os.getpid(), signal.SIGSEGV)
    if path.name == "waits":
        path.with_name("pid").write_text(str(os.getpid())); time.sleep(60)
    return read(path)
decode_worker.radiograph_picture = hostile
decode_worker.main()
"""


@pytest.fixture
def pixels(tmp_path: Path) -> Path:
    np.save(tmp_path / "pixels.npy", np.zeros((12, 8, 8), dtype=np.float16), allow_pickle=False)
    return tmp_path / "pixels.npy"


def picture(path: Path) -> Path:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)).save(path, format="PNG")
    return path


def reasons(pool: DecodePool, paths: list[Path]) -> list[str | None]:
    found = {answer.key: answer.reason for answer in pool.run(Request(n, path, n) for n, path in enumerate(paths))}
    return [found[number] for number in range(len(paths))]


@pytest.fixture
def hostile(pixels: Path) -> Iterator[DecodePool]:
    """A pool whose processes sleep, crash or wait for a signal at files of these names; a file has four seconds."""
    with DecodePool(pixels, limits=Limits(seconds=4), command=[sys.executable, "-c", HOSTILE]) as pool:
        yield pool


def test_every_picture_is_in_its_row(pixels: Path, tmp_path: Path) -> None:
    paths = [picture(tmp_path / str(number)) for number in range(12)]
    with DecodePool(pixels) as pool:
        assert reasons(pool, paths) == [None] * 12
    assert (np.load(pixels, allow_pickle=False).max(axis=(1, 2)) > 0.5).all()


def test_nothing_to_do_is_done(pixels: Path) -> None:
    with DecodePool(pixels) as pool:
        assert list(pool.run([])) == []


def test_without_pixels_identifiers_come_back(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    with DecodePool(None, workers=1) as pool:
        (answer,) = pool.run([Request(4, write_dicom(ramp))])
    assert (answer.key, answer.tags["accession"]) == (4, "SECRET-ACC")


@pytest.mark.parametrize(
    ("name", "reason"), [("sleeps", "image-timeout"), ("aborts", "image-crash"), ("faults", "image-crash")]
)
def test_a_file_that_hangs_or_crashes_costs_itself_only_and_in_silence(
    name: str, reason: str, hostile: DecodePool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    paths = [picture(tmp_path / file) for file in ("a", name, "b", "c", "d")]
    assert reasons(hostile, paths) == [None, reason, None, None, None]
    assert capfd.readouterr() == ("", "")


def damaged_jpeg(path: Path) -> Path:
    """A compressed picture whose stream makes GDCM call std::terminate."""
    grey, buffer = np.linspace(0, 255, 32 * 48).reshape(32, 48).astype(np.uint8), io.BytesIO()
    Image.fromarray(grey).save(buffer, "JPEG", quality=98)
    stream = buffer.getvalue().replace(b"\xff\xc4", b"\xba\xc4", 1)
    header = dcmread(path)
    header.file_meta.TransferSyntaxUID, header.PixelData = JPEGBaseline8Bit, encapsulate([stream])
    header.save_as(path)
    return path


def test_a_stream_that_ends_its_decoder_costs_its_file_only(
    pixels: Path, write_dicom: WriteDicom, ramp: np.ndarray, tmp_path: Path
) -> None:
    damaged = damaged_jpeg(write_dicom((ramp // 16).astype(np.uint8), name="damaged"))
    read = [
        sys.executable,
        "-c",
        "import sys, pathlib; from fedaid.data.pixels.dicom import read_dicom as r; r(pathlib.Path(sys.argv[1]))",
    ]
    alone = subprocess.run([*read, str(damaged)], env={"PYTHONPATH": str(CUSTOM)}, stderr=subprocess.DEVNULL)
    assert alone.returncode == -signal.SIGABRT
    with DecodePool(pixels, workers=1) as pool:
        assert reasons(pool, [picture(tmp_path / "a"), damaged, picture(tmp_path / "b")]) == [None, "image-crash", None]


def test_a_process_killed_in_the_middle_of_a_file_costs_that_file(hostile: DecodePool, tmp_path: Path) -> None:
    paths = [picture(tmp_path / file) for file in ("a", "waits", "b", "c")]

    def kill() -> None:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    assert reasons(hostile, paths) == [None, "image-crash", None, None]
    killer.join()


def test_a_process_killed_while_idle_costs_nothing(pixels: Path, tmp_path: Path) -> None:
    path = picture(tmp_path / "a")
    with DecodePool(pixels, workers=1) as pool:
        assert reasons(pool, [path]) == [None]
        os.kill(pool.processes[0].pid, signal.SIGKILL)
        os.waitid(os.P_PID, pool.processes[0].pid, os.WEXITED | os.WNOWAIT)
        assert reasons(pool, [path]) == [None]


def rle_bomb(path: Path) -> None:
    """RLE whose segment offset lies at 4 GiB."""
    header = dcmread(path)
    segment = struct.pack("<16L", 1, 0xFFFFFFFF, *[0] * 14) + b"\x81\0" * 8
    header.file_meta.TransferSyntaxUID, header.PixelData = RLELossless, encapsulate([segment])
    header.save_as(path)


def deflate_bomb(path: Path) -> None:
    """A deflated object of a gibibyte of zeros in a megabyte."""
    content = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    start = content.index(b"\x08\0\x16\0")
    meta = bytearray(content[:start])
    at = meta.index(b"\x02\0\x10\0")
    meta[at + 6 : at + 8] = struct.pack("<H", 22)
    meta[140:144] = struct.pack("<L", len(meta) - 144)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = squeeze.compress(content[start:]) + b"".join(squeeze.compress(bytes(1 << 24)) for _ in range(64))
    path.write_bytes(bytes(meta) + body + squeeze.flush())


def with_peak(pixels: Path, paths: list[Path]) -> tuple[list[str | None], int]:
    """The reasons, and the most memory in KiB that a child of this process held."""
    with DecodePool(pixels, limits=SMALL) as pool:
        found = reasons(pool, paths)
    return found, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def test_hostile_files_cost_themselves_and_bounded_memory(
    pixels: Path, write_dicom: WriteDicom, ramp: np.ndarray, tmp_path: Path
) -> None:
    rle, deflate = write_dicom(ramp, name="rle"), write_dicom(ramp, name="deflate")
    rle_bomb(rle)
    deflate_bomb(deflate)
    frames = write_dicom(ramp, name="frames", NumberOfFrames=10**6)
    huge = write_dicom(ramp, name="huge", Rows=65535, Columns=65535, PixelData=bytes(64))
    good = [picture(tmp_path / f"good-{number}") for number in range(3)]
    with get_context("spawn").Pool(1) as apart:  # the peak of children counts all that a process ever had
        found, peak = apart.apply(with_peak, (pixels, [rle, good[0], deflate, good[1], frames, huge, good[2]]))
    assert [found[at] for at in (1, 3, 6)] == [None] * 3
    assert found[0] == "image-unreadable"
    assert found[2] in ("image-too-large", "image-crash")
    assert found[4:6] == ["image-multiframe", "image-too-large"]
    assert peak < 1 << 20, "KiB"


def test_no_process_starts_before_there_is_a_request(pixels: Path) -> None:
    with DecodePool(pixels) as pool:
        assert list(pool.run([])) == []
        assert pool.processes == []


def test_headers_and_then_pictures_come_from_the_same_processes(tmp_path: Path) -> None:
    path, pixels = picture(tmp_path / "a"), tmp_path / "later.npy"
    with DecodePool(pixels, workers=1) as pool:
        assert [answer.reason for answer in pool.run([Request(0, path)])] == [None]
        (first,) = pool.processes
        np.save(pixels, np.zeros((2, 8, 8), dtype=np.float16), allow_pickle=False)
        assert [answer.reason for answer in pool.run([Request(0, path, 1)])] == [None]
        assert pool.processes == [first]
    assert np.load(pixels, allow_pickle=False)[1].max() > 0.5


@pytest.mark.parametrize(("files", "processes"), [(1, 1), (FILES, 1), (FILES + 1, 2), (4 * FILES, 3)])
def test_a_process_is_started_when_enough_files_pay_for_it(files: int, processes: int, tmp_path: Path) -> None:
    with DecodePool(None, workers=3) as pool:
        answers = list(pool.run(Request(key, tmp_path / "none") for key in range(files)))
        assert sorted(answer.key for answer in answers) == list(range(files))
        assert len(pool.processes) == processes


def test_all_processes_end_with_the_pool(pixels: Path, tmp_path: Path) -> None:
    with DecodePool(pixels, workers=2) as pool:
        list(pool.run(Request(key, tmp_path / "none") for key in range(FILES + 1)))
        numbers = [process.pid for process in pool.processes]
    assert len(numbers) == 2
    for number in numbers:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


def test_it_works_from_a_thread(pixels: Path, tmp_path: Path) -> None:
    found: list[list[str | None]] = []

    def work() -> None:
        with DecodePool(pixels) as pool:
            found.append(reasons(pool, [picture(tmp_path / "a")]))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert found == [[None]]


def test_a_check_ends_the_work_though_a_file_takes_its_time(pixels: Path, tmp_path: Path) -> None:
    begun = time.monotonic()

    def check() -> None:
        if (tmp_path / "pid").exists():
            raise InterruptedError

    command = [sys.executable, "-c", HOSTILE]
    with pytest.raises(InterruptedError), DecodePool(pixels, workers=1, command=command, check=check) as pool:
        reasons(pool, [picture(tmp_path / "waits")])
    assert time.monotonic() - begun < 30
    assert not Path(f"/proc/{pool.processes[0].pid}").exists()
