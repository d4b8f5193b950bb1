from __future__ import annotations

from dataclasses import replace

import pytest

from admin.site.doctor.checks.likeness_checks import LIKENESS_CHECKS
from admin.site.doctor.doctor_check import WARNING
from admin.site.doctor.evidence import Case
from fedaid.data.letters.letters import Letters
from tests.admin.site.doctor.evidence_of import UPRIGHT, case, facts, fires_for


def lying(line: int = 2, **changes: float) -> Case:
    return case(line, picture=facts(pose=UPRIGHT._replace(**changes)))


@pytest.mark.parametrize(
    ("check", "way"),
    [("image-inverted", "inverted"), ("image-sideways", "sideways"), ("image-upside-down", "upside_down")],
)
def test_a_picture_that_fits_better_so_is_found(check: str, way: str) -> None:
    assert fires_for(check, lying(2, **{way: 0.2}), lying(3, **{way: 0.04}), case(4)) == [2]


def test_only_the_best_way_counts() -> None:
    picture = lying(2, inverted=0.2, sideways=0.3)
    assert fires_for("image-sideways", picture) == [2]
    assert fires_for("image-inverted", picture) == []


def test_views_from_the_side_are_not_judged() -> None:
    side = case(2, cells={"view": "LL"}, picture=facts(pose=UPRIGHT._replace(sideways=0.3, lungs=-1, mirrored=0.1)))
    for check in ("image-sideways", "image-mirrored", "unlike-chest"):
        assert fires_for(check, side, sound=5) == []


def test_a_mirrored_picture_is_found_if_it_lies_upright() -> None:
    assert fires_for("image-mirrored", lying(2, mirrored=0.02), lying(3, mirrored=0.01)) == [2]
    assert fires_for("image-mirrored", lying(2, mirrored=0.02, sideways=0.3)) == []


def test_a_picture_without_two_lungs_is_unlike_a_chest() -> None:
    assert fires_for("unlike-chest", lying(2, lungs=-0.1), *(lying(9 + n, lungs=n / 10) for n in range(9))) == [2]


def test_a_picture_far_below_what_is_usual_is_unlike_a_chest() -> None:
    usual = [lying(10 + number, upright=0.8 + number / 200) for number in range(9)]
    assert fires_for("unlike-chest", lying(2, upright=0.5), *usual) == [2]


def test_where_films_differ_much_only_a_fixed_limit_holds() -> None:
    mixed = [lying(10 + number, upright=0.2 + number / 12) for number in range(9)]
    assert fires_for("unlike-chest", lying(2, upright=0.16), lying(3, upright=0.14), *mixed) == [3]


SEEN = Letters(found=False, share=0.0, seen=True)


def test_letters_in_the_full_picture_are_found() -> None:
    studies = [case(2, letters=replace(SEEN, found=True, share=0.01)), case(3, letters=SEEN), case(4, letters=None)]
    assert fires_for("burned-in-text", *studies) == [2]


def test_where_nobody_looked_for_letters_is_a_warning() -> None:
    small, failed = replace(SEEN, seen=False), None
    named_at_once = replace(small, found=True)
    studies = [case(2, letters=small), case(3, letters=failed), case(4, letters=SEEN), case(5, letters=named_at_once)]
    assert fires_for("letters-not-looked-for", *studies) == [2, 3]
    (check,) = (one for one in LIKENESS_CHECKS if one.name == "letters-not-looked-for")
    assert check.severity == WARNING


def test_a_study_without_a_picture_has_no_letters_to_look_for() -> None:
    assert fires_for("letters-not-looked-for", case(2, letters=None, picture=None)) == []
