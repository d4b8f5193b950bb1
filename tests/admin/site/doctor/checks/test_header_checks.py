from __future__ import annotations

from typing import Any

import pytest

from tests.admin.site.doctor.evidence_of import case, fires_for, look, site


@pytest.mark.parametrize(
    ("check", "facts"),
    [("body-part", {"body_part": "KNEE"}), ("modality", {"modality": "CT"}),
     ("declared-burned-in", {"burned_in": True}),
     ("for-processing", {"intent": "FOR PROCESSING"}), ("children", {"age": 15}),
     ("missing-window", {"windowed": False}), ("photometric-mix", {"photometric": "MONOCHROME1"}),
     ("lateral-views", {"view_position": "LL"})],
)  # fmt: skip
def test_a_header_that_says_so_is_found(check: str, facts: dict[str, Any]) -> None:
    assert fires_for(check, case(2, header=facts, cells={}), sound=5) == [2]


@pytest.mark.parametrize("check", ["body-part", "modality", "declared-burned-in", "for-processing", "children"])
def test_what_the_header_does_not_say_is_nothing(check: str) -> None:
    silent = {"body_part": None, "modality": None}
    assert fires_for(check, case(2, header=silent)) == []


def test_where_no_image_states_a_window_none_is_missed() -> None:
    assert fires_for("missing-window", *(case(line, header={"windowed": False}) for line in (2, 3)), case(4)) == []


def test_one_polarity_is_no_mix() -> None:
    assert not look(
        "photometric-mix", site(*(case(line, header={"photometric": "MONOCHROME1"}) for line in (2, 3)))
    ).fired


def test_lossy_images_are_told_where_they_are_most() -> None:
    lossy = [case(line, header={"lossy": True}) for line in (2, 3)]
    assert fires_for("lossy-images", *lossy, case(4)) == [2, 3]
    assert fires_for("lossy-images", *lossy, sound=2) == []


@pytest.mark.parametrize(("cell", "tag", "contradicts"), [("PA", "LL", True), ("LL", "AP", True), ("PA", "AP", False)])
def test_manifest_and_header_may_contradict_each_other(cell: str, tag: str, contradicts: bool) -> None:
    study = case(2, cells={"view": cell}, header={"view_position": tag})
    assert fires_for("view-contradiction", study) == [2] * contradicts
