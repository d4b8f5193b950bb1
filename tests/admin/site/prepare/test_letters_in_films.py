"""When ``prepare`` looks for letters, and what it keeps of what it saw."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from admin.site.prepare.pixels import Looked
from admin.site.prepare.prepared_site import study_letters
from admin.site.prepare.site_dataset import Export, prepare
from fedaid.data.pixels.decode_pool import DecodePool
from fedaid.data.pixels.decode_process import Answer, Request
from fedaid.errors import InputError
from tests.admin.site.prepare.conftest import write_image
from tests.benchmarks.letter_films import stamp

NAME = "PELLOWICK UNA"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Three studies; the film of number 1 has a name in its pixels."""
    for number in range(3):
        path = write_image(
            tmp_path / "images" / str(number),
            seed=number,
            patient=f"p{number}",
            accession=f"A{number}",
            study=f"1.{number}",
        )
        header = dcmread(path)
        grey = np.tile(np.linspace(0.1, 0.4, 300), (260, 1))
        if number == 1:
            ink = stamp(NAME, "DejaVuSans.ttf", 16)
            grey[8 : 8 + ink.shape[0], 8 : 8 + ink.shape[1]] += 0.6 * ink
        header.Rows, header.Columns = grey.shape
        header.PixelData = np.rint(255 * grey).astype(np.uint8).tobytes()
        header.save_as(path)
        report = tmp_path / "reports" / f"A{number}.txt"
        report.parent.mkdir(exist_ok=True)
        report.write_text(f"FINDINGS: Clear lungs.\nIMPRESSION: Study {number}.")
    return tmp_path


def run(export: Path, **settings: Any) -> dict[str, Any]:
    export_of = Export(export / "images", export / "site", export / "reports", image_size=16, workers=1, **settings)
    return prepare(export_of)


def journal(export: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (export / "site" / "private" / "letters.jsonl").read_text().splitlines()]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """All requests to the decode processes that concern pictures."""
    requests: list[Request] = []
    hand_over = DecodePool.run

    def spy(pool: DecodePool, given: Iterable[Request]) -> Iterator[Answer]:
        listed = list(given)
        requests.extend(one for one in listed if one.row is not None or one.letters != "off")
        return hand_over(pool, listed)

    monkeypatch.setattr(DecodePool, "run", spy)
    return requests


def test_a_film_with_a_name_is_counted_and_no_word_of_it_is_kept(export: Path) -> None:
    result = run(export)
    assert (result["studies"], result["letters_found"], result["letters_not_looked_for"]) == (3, 1, 0)
    assert [set(line) for line in journal(export)] == [set(Looked.__dataclass_fields__)] * 3
    assert sorted(line["found"] for line in journal(export)) == [False, False, True]
    written = b"".join(path.read_bytes() for path in (export / "site").rglob("*") if path.is_file())
    assert not any(word.encode() in written for word in NAME.split())


def test_letters_off_looks_at_nothing(export: Path, asked: list[Request]) -> None:
    result = run(export, letters="off")
    assert (result["letters_found"], result["letters_not_looked_for"]) == (0, 3)
    assert {request.letters for request in asked} == {"off"}
    assert journal(export) == []


def test_a_second_run_looks_where_nobody_looked_and_decodes_nothing(export: Path, asked: list[Request]) -> None:
    run(export, letters="off")
    asked.clear()
    result = run(export)
    assert (result["images_decoded"], result["letters_found"]) == (0, 1)
    assert [(request.row, request.letters) for request in asked] == [(None, "ocr")] * 3
    asked.clear()
    assert run(export)["letters_found"] == 1
    assert run(export, letters="off")["letters_found"] == 1
    assert run(export, letters="quick")["letters_found"] == 1  # reading is better than the screen
    assert asked == []


def test_another_size_needs_no_second_look(export: Path, asked: list[Request]) -> None:
    run(export)
    asked.clear()
    result = prepare(Export(export / "images", export / "site", export / "reports", image_size=24, workers=1))
    assert (result["images_decoded"], result["letters_found"]) == (3, 1)
    assert {request.letters for request in asked} == {"off"}


def test_what_the_screen_saw_is_read_on_request(export: Path, asked: list[Request]) -> None:
    run(export, letters="quick")
    asked.clear()
    run(export, letters="ocr")
    assert [request.letters for request in asked] == ["ocr"] * 3


def test_a_changed_film_is_looked_at_again(export: Path, asked: list[Request]) -> None:
    run(export)
    asked.clear()
    header = dcmread(export / "images" / "1")
    header.PixelData = dcmread(export / "images" / "0").PixelData
    header.save_as(export / "images" / "1")
    assert run(export)["letters_found"] == 0
    assert [request.letters for request in asked] == ["ocr"]


def test_films_with_letters_are_left_out_on_request_and_do_not_stop_the_run(export: Path) -> None:
    result = run(export, quarantine_letters=True, max_bad_share=0.0)
    assert "error" not in result
    assert (result["studies"], result["letters_found"]) == (2, 1)
    assert result["quarantined"] == {"image-letters": 1}
    assert run(export)["studies"] == 3


def test_a_study_keeps_its_other_film_if_one_has_letters(export: Path) -> None:
    plain = dcmread(export / "images" / "1")
    plain.SOPInstanceUID, plain.ViewPosition, plain.PixelData = (
        "1.2.3.99",
        "AP",
        dcmread(export / "images" / "0").PixelData,
    )
    plain.save_as(export / "images" / "other")
    result = run(export, quarantine_letters=True)
    assert (result["studies"], result["quarantined"]) == (3, {"image-letters": 1})


@pytest.mark.parametrize("reason", ["image-crash", "image-timeout"])
def test_a_look_that_ends_its_process_does_not_cost_the_film(
    reason: str, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = DecodePool.run

    def fragile(pool: DecodePool, requests: Iterable[Request]) -> Iterator[Answer]:
        for request in requests:
            yield Answer(request.key, reason) if request.letters == "ocr" else next(work(pool, [request]))

    monkeypatch.setattr(DecodePool, "run", fragile)
    result = run(export)
    assert (result["studies"], result["images_decoded"], result["letters_not_looked_for"]) == (3, 3, 3)
    assert result["quarantined"] == {}


def test_the_doctor_reads_what_was_seen_of_the_film_as_it_is(export: Path) -> None:
    run(export)
    seen = study_letters(export / "site")
    assert sorted(letters.found for letters in seen.values()) == [False, False, True]
    lines = (export / "site" / "private" / "letters.jsonl").read_text()
    (export / "site" / "private" / "letters.jsonl").write_text(lines.replace('"stamp": "', '"stamp": "1'))
    assert study_letters(export / "site") == {}
    (export / "site" / "private" / "letters.jsonl").unlink()
    assert study_letters(export / "site") == {}


def test_ways_that_cannot_be_followed_are_refused(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"^--letters must be one of off, quick, ocr, got guess"):
        run(export, letters="guess")
    with pytest.raises(InputError, match=r"^--quarantine-letters must come with a look, got --letters off"):
        run(export, letters="off", quarantine_letters=True)
    monkeypatch.setattr("admin.site.prepare.site_dataset.find_spec", lambda name: None)
    with pytest.raises(InputError, match="give --letters quick"):
        run(export)
    assert run(export, letters="quick")["letters_found"] == 1
