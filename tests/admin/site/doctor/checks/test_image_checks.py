from __future__ import annotations

import pytest

from admin.site.doctor.checks.image_checks import IMAGE_CHECKS
from fedaid.data.unusable import REMEDIES
from tests.admin.site.doctor.evidence_of import case, facts, fires_for


@pytest.mark.parametrize(
    ("reason", "check"),
    [("image-unreadable", "image-unreadable"), ("image-crash", "image-unreadable"),
     ("image-timeout", "image-unreadable"),
     ("image-unsupported", "image-unreadable"), ("image-too-large", "image-too-large"),
     ("image-colour", "image-colour"),
     ("image-multiframe", "image-multiframe"), ("image-photometric", "image-photometric"),
     ("image-constant", "image-constant"), ("image-not-finite", "image-constant")],
)  # fmt: skip
def test_an_unusable_image_has_its_check(reason: str, check: str) -> None:
    assert reason in REMEDIES
    assert fires_for(check, case(2), case(3, image_fault=reason, picture=None)) == [3]


def test_a_tiny_image_is_found_by_its_header() -> None:
    small = [case(number, header={"rows": 63, "columns": 900}) for number in (2, 3)]
    assert fires_for("image-tiny", *small) == [2, 3]
    assert fires_for("image-tiny", case(2, header={"rows": 64, "columns": 64})) == []


def test_an_image_is_tiny_beside_much_larger_ones() -> None:
    assert fires_for("image-tiny", case(2, header={"rows": 499, "columns": 499}), sound=5) == [2]
    assert fires_for("image-tiny", case(2, header={"rows": 500, "columns": 500}), sound=5) == []


def test_without_a_header_no_image_is_tiny() -> None:
    assert fires_for("image-tiny", case(2, header={"rows": None}), sound=2) == []


def test_a_burned_out_picture_is_found() -> None:
    assert fires_for("image-clipped", case(2, picture=facts(clipped=0.16)), case(3, picture=facts(clipped=0.14))) == [2]


def test_a_strip_is_found() -> None:
    assert fires_for("image-aspect", case(2, picture=facts(aspect=2.1)), case(3, picture=None)) == [2]


def test_there_are_nine() -> None:
    assert len(IMAGE_CHECKS) == 9
