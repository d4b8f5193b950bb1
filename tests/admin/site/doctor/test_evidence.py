from __future__ import annotations

import pytest

from tests.admin.site.doctor.evidence_of import case


@pytest.mark.parametrize(("cell", "tag", "view"), [("pa", "LL", "PA"), ("", "LL", "LL"), ("", None, "")])
def test_the_manifest_names_the_view_before_the_header(cell: str, tag: str | None, view: str) -> None:
    assert case(cells={"view": cell}, header={"view_position": tag}).view == view


def test_a_study_is_frontal_unless_somebody_says_lateral() -> None:
    assert case(cells={}, header={}).frontal
    assert not case(cells={"view": "LL"}).frontal


def test_a_study_without_a_report_is_not_usable() -> None:
    assert case().usable
    assert not case(report=None).usable
    assert not case(image_fault="image-missing").usable


def test_what_identifies_is_not_in_the_printed_form() -> None:
    shown = repr(case(name="quill-1", patient="quill-2", report="FINDINGS: quill-3."))
    assert "quill" not in shown
