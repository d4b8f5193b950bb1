from __future__ import annotations

import pytest

from tests.admin.site.doctor.evidence_of import REPORT, case, fires_for, look, site


def test_identifiers_in_a_report_are_counted_by_class() -> None:
    found = look("identifiers-in-report", site(case(2, report=REPORT + " MRN 00482911, born 03/05/1942."), case(3)))
    assert [one.line for one in found.cases] == [2]
    assert found.fired
    assert sum(found.detail.values()) >= 2


@pytest.mark.parametrize(
    "path", ["images/JANE_19420305.dcm", "2020-01-31/a.dcm", "images/DOE^JANE.dcm", "images/patient-2/a.dcm"]
)
def test_a_path_with_an_identifier_is_found(path: str) -> None:
    assert fires_for("identifiers-in-file-name", case(2, cells={"image": path}), case(3)) == [2]


@pytest.mark.parametrize(
    "path", ["images/TWIN-S00001.dcm", "1.2.840.99991234.1.dcm", "images/20209999.dcm", "a/12.png"]
)
def test_other_numbers_are_no_identifiers(path: str) -> None:
    assert fires_for("identifiers-in-file-name", case(2, cells={"image": path})) == []


@pytest.mark.parametrize("name", ["a\nb.dcm", "a\ufffd.dcm", "a" * 201])
def test_an_odd_name_is_found(name: str) -> None:
    assert fires_for("odd-file-name", case(2, cells={"image": f"images/{name}"}), case(3)) == [2]
