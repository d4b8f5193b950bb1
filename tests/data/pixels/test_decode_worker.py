from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fedaid.data.header.facts import header_from, read_header
from fedaid.data.pixels import decode_worker
from fedaid.data.pixels.decode_process import COMMAND
from fedaid.data.pixels.decode_worker import PixelRows, answer_to
from fedaid.data.pixels.image import read_radiograph

CUSTOM = Path(decode_worker.__file__).parents[3]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)).save(path, format="PNG")
    return path


def conversation(settings: dict[str, object], *requests: dict[str, object]) -> list[object]:
    lines = "".join(json.dumps(message) + "\n" for message in (settings, *requests))
    done = subprocess.run(COMMAND, input=lines, capture_output=True, text=True, env={"PYTHONPATH": str(CUSTOM)})
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def pixels(tmp_path: Path) -> Path:
    np.save(tmp_path / "rows.npy", np.zeros((3, 8, 8), dtype=np.float16), allow_pickle=False)
    return tmp_path / "rows.npy"


def test_a_picture_goes_into_its_row(picture: Path, pixels: Path) -> None:
    assert answer_to({"path": picture, "row": 1}, PixelRows(pixels)) == {"reason": None, "tags": {}, "header": {}}
    written = np.load(pixels, allow_pickle=False)
    np.testing.assert_array_equal(written[1], read_radiograph(picture, 8).astype(np.float16))
    assert not written[[0, 2]].any()


def test_without_a_row_a_picture_names_nobody_and_has_no_header(picture: Path) -> None:
    answer = answer_to({"path": picture, "row": None}, None)
    assert answer == {
        "reason": None,
        "tags": {"patient": "", "accession": "", "study": "", "instance": "", "kind": ""},
        "header": {},
    }


def test_a_header_survives_the_pipe_unchanged(write_dicom: Callable[..., Path], ramp: np.ndarray) -> None:
    path = write_dicom(ramp, ViewPosition="PA", PatientAge="093Y", PatientOrientation=["L", "F"], PixelSpacing=[1, 0.2])
    settings = {"pixels": None, "memory": 1 << 30, "seconds": 60}
    answer = conversation(settings, {"path": str(path), "row": None})[1]
    assert header_from(answer["header"]) == read_header(path)  # type: ignore[index]
    assert answer["tags"]["patient"] == "SECRET-ID"  # type: ignore[index]


@pytest.mark.parametrize(
    ("error", "reason"), [(MemoryError(), "image-too-large"), (RuntimeError("new"), "image-unreadable")]
)
def test_an_error_that_nobody_foresaw_costs_the_file(
    error: Exception, reason: str, picture: Path, pixels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise error

    monkeypatch.setattr(decode_worker, "radiograph_picture", fail)
    assert answer_to({"path": picture, "row": 0}, PixelRows(pixels))["reason"] == reason


def test_the_process_answers_each_line_and_ends_with_its_input(picture: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "pixels.npy", np.zeros((2, 8, 8), dtype=np.float16), allow_pickle=False)
    settings = {"pixels": str(tmp_path / "pixels.npy"), "memory": 1 << 30, "seconds": 60}
    asked = [{"path": str(picture), "row": 1}, {"path": str(tmp_path / "none"), "row": 0}]
    ready, *answers = conversation(settings, *asked)
    assert ready == "ready"
    assert answers == [
        {"reason": None, "tags": {}, "header": {}},
        {"reason": "image-missing", "tags": {}, "header": {}},
    ]
    assert np.load(tmp_path / "pixels.npy", allow_pickle=False)[1].max() > 0.5


def test_a_file_name_may_hold_any_bytes(picture: Path) -> None:
    strange = picture.with_name("new\nline \udcff é")
    picture.rename(strange)
    settings = {"pixels": None, "memory": 1 << 30, "seconds": 60}
    assert conversation(settings, {"path": str(strange), "row": None})[1]["reason"] is None  # type: ignore[index]


def test_it_starts_without_the_heavy_libraries() -> None:
    code = (
        "import sys, fedaid.data.pixels.decode_worker; print(sorted({'torch', 'monai', 'nvflare'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(CUSTOM)})
    assert done.stdout.strip() == "[]"


def test_the_memory_limit_counts_from_the_start_and_no_core_is_written() -> None:
    code = (
        "import resource, fedaid.data.pixels.decode_worker as w; w.limit_memory(100 << 20); b = bytearray(50 << 20);"
        "print(resource.getrlimit(resource.RLIMIT_CORE)[0])\n"
        "try: bytearray(200 << 20)\n"
        "except MemoryError: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(CUSTOM)})
    assert done.stdout.split() == ["0", "refused"]


@pytest.fixture
def lettered(tmp_path: Path) -> Path:
    page = Image.new("L", (300, 260), 60)
    ImageDraw.Draw(page).text((10, 10), "PELLOWICK UNA", fill=255, font_size=20)
    page.save(tmp_path / "lettered", format="PNG")
    return tmp_path / "lettered"


def test_a_process_looks_for_letters_with_or_without_a_row(lettered: Path, pixels: Path) -> None:
    settings = {"pixels": str(pixels), "memory": 4 << 30, "seconds": 60}
    asked = [
        {"path": str(lettered), "row": row, "letters": way} for row, way in ((1, "ocr"), (None, "quick"), (2, "off"))
    ]
    _, both, only, none = conversation(settings, *asked)
    assert both["letters"]["found"] is only["letters"]["found"] is True  # type: ignore[index, call-overload]
    assert "letters" not in none  # type: ignore[operator]
    written = np.load(pixels, allow_pickle=False)
    np.testing.assert_array_equal(written[1], written[2])
    assert written[1].any()


def test_a_look_that_fails_costs_nothing_but_the_look(
    picture: Path, pixels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fedaid.data.letters.look.letters_in", None)
    assert answer_to({"path": picture, "row": 0, "letters": "ocr"}, PixelRows(pixels))["reason"] is None
    assert np.load(pixels, allow_pickle=False)[0].any()
