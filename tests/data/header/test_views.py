from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from fedaid.data.header.terms import VIEWS
from fedaid.data.header.view_words import named_view
from fedaid.data.header.views import (
    FRONTAL_VIEWS,
    LATERAL_VIEWS,
    SOURCES,
    VIEW_CODES,
    FilmView,
    film_views,
    side_of,
    stated_views,
)


def header(**tags: Any) -> Dataset:
    made = Dataset()
    for keyword, value in tags.items():
        setattr(made, keyword, value)
    return made


def coded(value: str, meaning: str = "") -> Sequence:
    return Sequence([header(CodeValue=value, CodingSchemeDesignator="SCT", CodeMeaning=meaning)])


def view_of(**tags: Any) -> FilmView:
    return film_views([stated_views(header(**tags))])[0]


@pytest.mark.parametrize(
    ("tags", "view"),
    [
        *[({"ViewPosition": "PA"}, "PA"), ({"ViewPosition": "LL"}, "LL"), ({"ViewPosition": "W Lateral"}, "LATERAL")],
        *[({"ViewCodeSequence": coded("R-10214")}, "PA"), ({"ViewCodeSequence": coded("399173006")}, "LL")],
        *[({"ViewCodeSequence": coded("99", "Lateral projection")}, "LATERAL")],
        *[({"PatientOrientation": ["A", "F"]}, "LATERAL"), ({"PatientOrientation": ["P", "FR"]}, "LATERAL")],
        *[({"PatientOrientation": ["L", "F"]}, "FRONTAL"), ({"PatientOrientation": ["F", "RP"]}, "FRONTAL")],
        *[({"PatientOrientation": ["L", "P"]}, ""), ({"PatientOrientation": ["L"]}, ""), ({}, "")],
        *[({"SeriesDescription": "Thorax p.a."}, "PA"), ({"ProtocolName": "W034 Chest LAT"}, "LATERAL")],
        *[({"AcquisitionDeviceProcessingDescription": "CHEST LATERAL"}, "LATERAL")],
        *[({"BodyPartExamined": "CHEST LAT"}, "LATERAL"), ({"StudyDescription": "Thorax seitlich"}, "LATERAL")],
        *[({"PerformedProtocolCodeSequence": coded("1", "Chest PA")}, "PA")],
        *[({"StudyDescription": "2 views PA and lateral"}, "")],
        *[({"PatientOrientation": ["L", "F"], "SeriesDescription": "Thorax a.p."}, "AP")],
        *[({"ViewPosition": "PA", "SeriesDescription": "Thorax a.p."}, "PA")],
        *[({"ViewPosition": "LL", "StudyDescription": "Thorax p.a."}, "LL")],
    ],
)
def test_the_view_is_read_from_any_place_of_a_header(tags: dict[str, Any], view: str) -> None:
    assert view_of(**tags) == FilmView(view)


@pytest.mark.parametrize(
    "tags",
    [
        {"ViewPosition": "PA", "ViewCodeSequence": coded("R-10236")},
        {"ViewPosition": "LL", "SeriesDescription": "Thorax p.a."},
        {"ViewPosition": "PA", "PatientOrientation": ["A", "F"]},
        {"ViewCodeSequence": coded("R-10214", "left lateral")},
    ],
)
def test_a_contradiction_is_told_and_not_guessed(tags: dict[str, Any]) -> None:
    assert view_of(**tags) == FilmView("", conflict=True)


def test_what_all_films_of_a_study_share_says_nothing_about_one_of_them() -> None:
    both = {"SeriesDescription": "Thorax p.a.", "PatientOrientation": ["L", "F"]}
    films = [stated_views(header(**both, ProtocolName=name)) for name in ("Chest PA", "Chest LAT")]
    assert film_views(films) == [FilmView("PA"), FilmView("LATERAL")]
    assert film_views([stated_views(header(**both))] * 2) == [FilmView(), FilmView()]
    assert film_views([stated_views(header(ViewPosition="PA"))] * 2) == [FilmView("PA"), FilmView("PA")]


def test_no_text_of_a_description_is_returned() -> None:
    said = stated_views(header(SeriesDescription="DOE^JANE PA 1957", StudyDescription="Dr. Doe"))
    assert len(said) == len(SOURCES)
    assert set(said) == {"", "PA"}
    assert stated_views(header(SeriesDescription="DOE^JANE")) == ()


def test_every_view_is_a_term_with_a_side() -> None:
    assert VIEWS | {"L"} >= FRONTAL_VIEWS | LATERAL_VIEWS | set(VIEW_CODES.values())
    assert [side_of(view) for view in ("PA", "FRONTAL", "LL", "OBLIQUE", "")] == [
        "frontal",
        "frontal",
        "lateral",
        "other",
        "",
    ]


def test_codes_are_those_of_the_standard() -> None:
    names = cid_concepts[4010]["SCT"]
    known = {code: meaning for name in names for code, (meaning, _) in concepts["SCT"][name].items()}
    named = [(code, view) for code, view in VIEW_CODES.items() if code in known and view != "OBLIQUE"]
    assert len(named) == 7
    for code, view in named:
        assert side_of(named_view(known[code])) in (side_of(view), ""), code
        assert VIEW_CODES[mapping["SCT"][code]] == view
