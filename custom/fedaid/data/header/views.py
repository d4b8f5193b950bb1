"""The view of a film from all places of a header that can state it.

ViewPosition is often empty: the view then stands in a code, in the orientation or in a description. Each source is
matched to a closed list, and its text is never kept. The films of a study are judged together, because a description
that all of them share says nothing about one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from pydicom.dataset import Dataset

from fedaid.data.header.element_values import BROKEN, words
from fedaid.data.header.terms import VIEWS
from fedaid.data.header.view_words import named_view

FRONTAL_VIEWS = frozenset(("PA", "AP", "FRONTAL", "AP SUPINE", "POSTERO-ANTERIOR", "ANTERO-POSTERIOR"))
LATERAL_VIEWS = frozenset(("LL", "RL", "L", "LAT", "LATERAL", "LEFT LATERAL", "RIGHT LATERAL", "XTABLE LATERAL"))
FRONTAL, LATERAL, OTHER = "frontal", "lateral", "other"

DESCRIPTIONS = ("SeriesDescription", "ProtocolName", "AcquisitionDeviceProcessingDescription", "BodyPartExamined")
"""Elements that describe one film or its series."""
EXAMINATIONS = ("PerformedProcedureStepDescription", "RequestedProcedureDescription", "StudyDescription")
"""Elements that describe the examination; they count only if nothing describes the film."""
CODES = ("ViewCodeSequence", "PerformedProtocolCodeSequence")
SOURCES = ("ViewPosition", "code", "meaning", "PatientOrientation", *DESCRIPTIONS, "protocol code", *EXAMINATIONS)
"""The order in which sources are believed."""
_OF_THE_FILM, _STATED = len(SOURCES) - len(EXAMINATIONS), 3

VIEW_CODES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("R-10206", "399348003"), "AP"),
        **dict.fromkeys(("R-10214", "R-40888", "272479007"), "PA"),
        **dict.fromkeys(("R-10202", "399033003"), "FRONTAL"),
        **dict.fromkeys(("R-10236", "399173006"), "LL"),
        **dict.fromkeys(("R-10232", "399198007"), "RL"),
        **dict.fromkeys(("R-102CD", "399067008", "G-A145", "30730003"), "LATERAL"),
        **dict.fromkeys(("R-10208", "399312000", "R-10216", "399059000", "R-10204", "399160007"), "OBLIQUE"),
        **dict.fromkeys(("R-10210", "399038007", "R-10212", "399006002", "R-40985", "399356000"), "OBLIQUE"),
        **dict.fromkeys(("R-10220", "399135007", "R-10234", "399236003", "R-10238", "399184004"), "OBLIQUE"),
        **dict.fromkeys(("R-102C1", "399182000"), "OBLIQUE"),
    }
)
"""SNOMED code of a view, as SRT and as SCT → view (PS3.16, CID 4010)."""


class FilmView(NamedTuple):
    """The view of a film, empty if it is not stated, and whether its header states a frontal and a lateral one."""

    view: str = ""
    conflict: bool = False


def side_of(view: str) -> str:
    """Return "frontal", "lateral" or "other" for a view, and an empty text for none."""
    if view in FRONTAL_VIEWS:
        return FRONTAL
    return LATERAL if view in LATERAL_VIEWS else OTHER if view else ""


def stated_views(header: Dataset) -> tuple[str, ...]:
    """Return the view that each of :data:`SOURCES` states, empty where it states none; () if none does.

    Args:
        header: the elements of the sources, as far as the object has them.
    """
    position = " ".join(words(header, "ViewPosition"))
    code, meaning, protocol = _coded(header)
    found = (
        position if position in VIEWS else named_view(position),
        *(code, meaning, _oriented(words(header, "PatientOrientation"))),
        *(named_view(_text(header, keyword)) for keyword in DESCRIPTIONS),
        protocol,
        *(named_view(_text(header, keyword)) for keyword in EXAMINATIONS),
    )
    return found if any(found) else ()


def _coded(header: Dataset) -> tuple[str, str, str]:
    """The views by code and by meaning of the view's code, and by meaning of the protocol's codes."""
    views, protocols = (_items(header, keyword) for keyword in CODES)
    codes = {VIEW_CODES[code] for item in views for code in words(item, "CodeValue") if code in VIEW_CODES}
    meanings, protocol = (
        named_view(" ".join(_text(item, "CodeMeaning") for item in items)) for items in (views, protocols)
    )
    return (codes.pop() if len(codes) == 1 else ""), meanings, protocol


def _text(header: Dataset, keyword: str) -> str:
    """The text of an element in its character set; as bytes if the character set is broken."""
    try:
        return str(header.get(keyword) or "")
    except BROKEN:
        return " ".join(words(header, keyword))


def _items(header: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty if it is broken."""
    try:
        return [item for item in header.get(keyword) or () if isinstance(item, Dataset)]
    except BROKEN:
        return []


def _oriented(directions: Sequence[str]) -> str:
    """The view by the directions of rows and columns: a film without the direction front to back is frontal."""
    axes = {axis for word in directions for axis in ("LR", "AP", "HF") if word[:1] and word[0] in axis}
    if len(directions) != 2 or len(axes) != 2 or "HF" not in axes:
        return ""
    return "FRONTAL" if "LR" in axes else "LATERAL"


def film_views(films: Sequence[Sequence[str]]) -> list[FilmView]:
    """Return the view of each film of a study.

    ViewPosition and the view's code are believed. Another source that states one view for all of several films is left
    out. A frontal and a lateral statement about one film are a conflict, and then its view is not stated.

    Args:
        films: of each film, the views by :data:`SOURCES`; () for a film that states none.
    """
    shared = [n for n in range(_STATED, len(SOURCES)) if len(films) > 1 and len({_at(film, n) for film in films}) == 1]
    return [_view_of({n: view for n, view in enumerate(film) if view and n not in shared}) for film in films]


def _at(film: Sequence[str], number: int) -> str:
    return film[number] if number < len(film) else ""


def _view_of(said: Mapping[int, str]) -> FilmView:
    """The view by its sources: the first one, and a later one where it is more exact."""
    own = [view for number, view in said.items() if number < _OF_THE_FILM]
    sides = set(map(side_of, own))
    if {FRONTAL, LATERAL} <= sides:
        return FilmView(conflict=True)
    views = own or list(said.values())[:1]
    return FilmView(_exact(views))


def _exact(views: Iterable[str]) -> str:
    """The first view that is more than "frontal" or "lateral", else the first; empty if there is none."""
    views = list(views)
    return next((view for view in views if view not in ("FRONTAL", "LATERAL")), views[0] if views else "")
