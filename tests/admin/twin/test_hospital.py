from __future__ import annotations

import re

import pytest

from admin.twin.findings import KINDS
from admin.twin.hospital import DEMO_HOSPITALS, Hospital
from admin.twin.writing.phrases import STYLES


@pytest.mark.parametrize("site", DEMO_HOSPITALS, ids=lambda site: site.name)
def test_the_dials_of_a_hospital_mean_something(site: Hospital) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", site.name)
    assert set(site.prevalence) <= set(KINDS)
    assert all(0 <= chance <= 1 for chance in site.prevalence.values())
    assert site.style in STYLES
    assert 0 < site.conspicuity <= 1


def test_no_kind_is_drawn_at_one_hospital_only() -> None:
    for kind in set(KINDS) - {"oedema", "tube"}:
        assert sum(kind in site.prevalence for site in DEMO_HOSPITALS) >= 2
