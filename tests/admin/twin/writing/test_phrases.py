from __future__ import annotations

import string

import pytest

from admin.twin.findings import KINDS
from admin.twin.writing.phrases import STYLES


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("style", STYLES)
def test_a_phrase_has_a_place_for_just_the_attributes_of_its_kind(style: str) -> None:
    for name, phrases in STYLES[style].positive.items():
        kind = KINDS[name]
        options = {"side": kind.sides, "zone": kind.zones, "extent": kind.extents}
        expected = {attribute for attribute, values in options.items() if values != ("",)}
        assert all(places(phrase) == expected for phrase in phrases)


def test_no_two_styles_share_a_phrase() -> None:
    phrases = [phrase for style in STYLES.values() for ways in style.positive.values() for phrase in ways]
    assert len(set(phrases)) == len(phrases) > 80
