from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from admin.site.prepare.presets.openi import openi
from fedaid.errors import InputError
from tests.field.export import chest

Import = Callable[..., dict[str, Any]]
DOCUMENT = """<?xml version="1.0" encoding="utf-8"?>
<eCitation><uId id="CXR{n}"/>
  <MedlineCitation><Article><Abstract>
    <AbstractText Label="COMPARISON">None.</AbstractText><AbstractText Label="INDICATION">Cough.</AbstractText>
    <AbstractText Label="FINDINGS">Lungs of {n} are clear &amp; <i>dry</i>.</AbstractText>
    <AbstractText Label="IMPRESSION">{n} is normal.</AbstractText>
  </Abstract></Article></MedlineCitation>
  <MeSH><major>Cardiomegaly/mild</major><major>Cardiomegaly/borderline</major><automatic>x</automatic></MeSH>
  <parentImage id="CXR{n}_IM-0001-3001"><caption>Xray Chest PA</caption></parentImage>
  <parentImage id="CXR{n}_IM-0001-4001"/>
</eCitation>"""


@pytest.fixture
def documents(tmp_path: Path, write_picture: Callable[[str], Path]) -> Path:
    """``ecgen-radiology`` of three studies, and their images in a folder of a folder."""
    folder = tmp_path / "ecgen-radiology"
    folder.mkdir()
    for number in range(1, 4):
        (folder / f"{number}.xml").write_text(DOCUMENT.format(n=number))
        for image in (3001, 4001):
            path = write_picture(f"png/below/CXR{number}_IM-0001-{image}.png")
            Image.fromarray(np.uint8(255 * chest(number, lateral=image == 3001))).save(path)
    return folder


@pytest.fixture
def tables(tmp_path: Path, write_picture: Callable[[str], Path]) -> Path:
    folder = tmp_path / "kaggle"
    folder.mkdir()
    (folder / "indiana_reports.csv").write_text(
        "uid,MeSH,Problems,image,indication,comparison,findings,impression\n"
        '1,normal,normal,"Xray Chest PA, lateral",Cough,None.,Clear one.,Normal.\n'
        "2,Cardiomegaly/borderline;x,Cardiomegaly;Pulmonary Artery,Chest,,,,Impression two.\n"
    )
    (folder / "indiana_projections.csv").write_text(
        "uid,filename,projection\n1,1_IM-1-4001.dcm.png,Frontal\n1,1_IM-1-3001.dcm.png,Lateral\n2,2_IM-1.dcm.png,Frontal\n"
    )
    for name in ("1_IM-1-4001", "1_IM-1-3001", "2_IM-1"):
        write_picture(f"kaggle/images/images_normalized/{name}.dcm.png")
    return folder


def test_documents_become_studies_each_its_own_patient(documents: Path, imported: Import) -> None:
    result = imported("openi", "png", "ecgen-radiology")
    texts = sorted(row["text"] for row in result["rows"])
    assert texts[0] == "FINDINGS: Lungs of 1 are clear & dry.\n\nIMPRESSION: 1 is normal.\n"
    assert {row["labels"] for row in result["rows"]} == {"Cardiomegaly"}
    assert (len({row["patient_id"] for row in result["rows"]}), result["patients_unknown"]) == (3, 3)
    assert result["quarantined"] == {}


def test_the_two_tables_become_studies_frontal_first(tables: Path, imported: Import) -> None:
    result = imported("openi", "kaggle")
    assert sorted((row["text"], row["labels"], row["view"]) for row in result["rows"]) == [
        ("FINDINGS: Clear one.\n\nIMPRESSION: Normal.\n", "normal", "FRONTAL"),
        ("IMPRESSION: Impression two.\n", "Cardiomegaly|Pulmonary Artery", "FRONTAL"),
    ]
    (first,) = [record for record in openi(tables, tables) if len(record.images) == 2]
    assert [view for _, view in first.images] == ["FRONTAL", "LATERAL"]


def test_an_image_that_is_not_there_is_counted_once(documents: Path, imported: Import, tmp_path: Path) -> None:
    for image in (3001, 4001):
        (tmp_path / "png" / "below" / f"CXR2_IM-0001-{image}.png").unlink()
    result = imported("openi", "png", "ecgen-radiology", "--max-bad-share", "0.5")
    assert (result["quarantined"], result["studies"]) == ({"image-missing": 2}, 2)


@pytest.mark.parametrize(
    "document",
    [
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "SECRET">]><eCitation>&a;</eCitation>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        "<eCitation>",
        "SECRET",
        "<x>" * 5000,
        "<x>" + "a" * (1 << 20) + "</x>",
    ],
)
def test_xml_with_a_document_type_or_broken_is_refused(document: str, documents: Path, tmp_path: Path) -> None:
    (documents / "2.xml").write_text(document)
    with pytest.raises(InputError, match="XML file 2 of 3") as caught:
        list(openi(tmp_path / "png", documents))
    assert "SECRET" not in str(caught.value)


def test_xml_in_an_encoding_that_would_hide_a_document_type_is_refused(documents: Path, tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    (documents / "1.xml").write_bytes(text.encode("utf-16"))
    with pytest.raises(InputError, match="XML file 1 of 3"):
        list(openi(tmp_path / "png", documents))


def test_a_folder_without_either_layout_is_refused_by_what_it_lacks(tables: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--reports must hold ecgen-radiology/\*\.xml or indiana_reports\.csv"):
        list(openi(tmp_path / "kaggle", tmp_path / "kaggle" / "images"))
    (tables / "indiana_projections.csv").unlink()
    with pytest.raises(InputError, match=r"--reports must hold indiana_projections\.csv"):
        list(openi(tables, tables / "indiana_reports.csv"))


def test_two_copies_of_an_image_are_refused(
    documents: Path, write_picture: Callable[[str], Path], tmp_path: Path
) -> None:
    write_picture("png/CXR1_IM-0001-3001.png")
    with pytest.raises(InputError, match="hold each image once"):
        list(openi(tmp_path / "png", documents))
