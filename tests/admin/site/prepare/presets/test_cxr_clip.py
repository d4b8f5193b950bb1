from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admin.site.prepare.presets.cxr_clip import cxr_clip
from fedaid.errors import InputError
from tests.real_data import REAL_CXR, present

Import = Callable[..., dict[str, Any]]


def test_lists_of_images_and_texts_become_studies(
    tmp_path: Path, write_picture: Callable[[str], Path], imported: Import
) -> None:
    for name in "abcd":
        write_picture(f"images/{name}.jpg")
    (tmp_path / "train.csv").write_text(
        ",image,view,AP,PA,Lateral,text,text_augment\n"
        "0,\"['a.jpg', 'b.jpg']\",\"['Lateral', 'PA']\",[],['b.jpg'],['a.jpg'],"
        "\"['Clear lungs.', 'Normal.']\",\"['x', 'y']\"\n"
        f"1,['{tmp_path / 'images' / 'c.jpg'}'],['AP'],['c.jpg'],[],[],['One text.'],\n"
        "2,d.jpg,AP,,,,Plain text.,\n"
    )
    result = imported("cxr-clip", "images", "train.csv")
    assert sorted((row["text"], row["view"]) for row in result["rows"]) == [
        ("FINDINGS: Clear lungs.\n\nIMPRESSION: Normal.\n", "PA"), ("One text.\n", "AP"), ("Plain text.\n", "AP"),
    ]  # fmt: skip
    assert (result["patients_unknown"], result["quarantined"]) == (3, {})


def test_optional_columns_are_taken_over(
    tmp_path: Path, write_picture: Callable[[str], Path], imported: Import
) -> None:
    for name in "abc":
        write_picture(f"images/{name}.jpg")
    (tmp_path / "t.csv").write_text(
        "image,findings,impression,patient_id,split,Edema,Pleural Effusion,sex,age\n"
        "a.jpg,Wet.,,p1,train,1,0,M,30\nb.jpg,,Wetter.,p1,,1.0,1,M,31\nc.jpg,Dry.,,p2,val,0,,,\n"
    )
    result = imported("cxr-clip", "images", "t.csv")
    assert sorted((row["text"].split()[1], row["labels"], row["split"]) for row in result["rows"]) == [
        ("Dry.", "", "valid"), ("Wet.", "Edema", "train"), ("Wetter.", "Edema|Pleural Effusion", "train"),
    ]  # fmt: skip
    assert sorted((row["sex"], row["age"]) for row in result["rows"]) == [("", ""), ("M", "30"), ("M", "31")]
    assert result["patients_unknown"] == 0


def test_an_image_of_two_rows_is_paired_with_neither(
    tmp_path: Path, write_picture: Callable[[str], Path], imported: Import
) -> None:
    for name in "abc":
        write_picture(f"images/{name}.jpg")
    (tmp_path / "t.csv").write_text("image,text\n\"['a.jpg', 'b.jpg']\",One.\n\"['c.jpg', 'b.jpg']\",Two.\n")
    result = imported("cxr-clip", "images", "t.csv")
    assert result["studies"] == 0
    assert result["quarantined"] == {"pair-ambiguous": 4}


@pytest.mark.parametrize("cell", ["['a.jpg'", "[1, 2]", "[open('x')]", "[" * 5000])
def test_a_list_that_is_none_is_refused_by_its_row(cell: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f'image,text\n"{cell}",SECRET\n')
    with pytest.raises(InputError, match=r"t\.csv, row 2") as caught:
        list(cxr_clip(tmp_path, tmp_path / "t.csv"))
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(("header", "named"), [("path,text", "column image"), ("image,words", "column text, findings")])
def test_a_column_that_is_not_there_is_named(header: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(header + "\na,b\n")
    with pytest.raises(InputError, match=named):
        list(cxr_clip(tmp_path, tmp_path / "t.csv"))
    with pytest.raises(InputError, match=r"a \.csv with the columns image and text"):
        list(cxr_clip(tmp_path, tmp_path / "none.csv"))


@pytest.fixture
def real_pairs() -> Path:
    """The folder of real radiographs with their texts; a test that needs it is skipped where it is absent."""
    return present(REAL_CXR)


@pytest.mark.slow
def test_real_radiographs_with_their_texts_are_all_imported(real_pairs: Path, imported: Import) -> None:
    result = imported("cxr-clip", str(real_pairs), str(real_pairs / "pairs.csv"))
    assert (result["studies"], result["patients_unknown"], result["quarantined"]) == (462, 0, {})
    sides = {(row["patient_id"], row["split"]) for row in result["rows"]}
    assert len(sides) == len({patient for patient, _ in sides}), "no patient on two sides"
