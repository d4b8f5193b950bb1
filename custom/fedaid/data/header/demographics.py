"""The groups of a study for the evaluation: view, sex and a band of age; empty if not stated or not known.

A model may serve one group worse than another. Only the group of a person is stored.
"""

from __future__ import annotations

import re

from fedaid.data.header.terms import OLDEST

_VIEWS = {
    **dict.fromkeys(("PA", "POSTERO-ANTERIOR", "PA LLD", "PA RLD"), "PA"),
    **dict.fromkeys(("AP", "ANTERO-POSTERIOR", "AP SUPINE", "AP LLD", "AP RLD"), "AP"),
    **dict.fromkeys(("LL", "RL", "L", "LAT", "LATERAL", "LEFT LATERAL", "RIGHT LATERAL", "XTABLE LATERAL"), "lateral"),
}
_SEXES = {
    **dict.fromkeys(("F", "FEMALE"), "F"),
    **dict.fromkeys(("M", "MALE"), "M"),
    **dict.fromkeys(("O", "OTHER"), "O"),
}
_AGE = re.compile(r"0*(\d{1,3})(?:\.0+)?(?:Y|\+)?", re.ASCII)
OLDEST_STATED = 120


def view_group(cell: str) -> str:
    """Return "PA", "AP" or "lateral" for the name of a view in any case, and an empty text for another view."""
    return _VIEWS.get(" ".join(cell.upper().split()), "")


def sex_of(cell: str) -> str:
    """Return "F", "M" or "O" for one of DICOM's letters or an English word, in any case."""
    return _SEXES.get(cell.strip().upper(), "")


def age_of(cell: str) -> str:
    """Return whole years from "57", "57.0", "057Y" or "90+", with all ages above 89 as 90; empty for another text."""
    match = _AGE.fullmatch(cell.strip().upper())
    return str(min(int(match[1]), OLDEST)) if match and int(match[1]) <= OLDEST_STATED else ""


def age_band(cell: str) -> str:
    """Return "<40", "40-64", "65-79" or "80+" for an age that :func:`age_of` reads."""
    age = age_of(cell)
    if not age:
        return ""
    return next((band for above, band in ((40, "<40"), (65, "40-64"), (80, "65-79")) if int(age) < above), "80+")
