from __future__ import annotations

from typing import Any

import pytest

from tests.admin.site.doctor.evidence_of import case, fires_for, look, site


@pytest.mark.parametrize(
    ("check", "facts"),
    [
        ("tags-ignored", {"ignored": ("WindowCenter",)}),
        ("polarity-contradiction", {"contradicts_polarity": True}),
        ("pixels-not-square", {"not_square": True}),
    ],
)
def test_a_header_that_says_so_is_found(check: str, facts: dict[str, Any]) -> None:
    assert fires_for(check, case(2, header=facts), sound=5) == [2]


def test_the_ignored_tags_are_named_with_their_numbers() -> None:
    cases = [case(2, header={"ignored": ("BitsStored", "WindowWidth")}), case(3, header={"ignored": ("WindowWidth",)})]
    assert look("tags-ignored", site(*cases)).said == "BitsStored in 1; WindowWidth in 2"
