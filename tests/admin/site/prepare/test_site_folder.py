from __future__ import annotations

from pathlib import Path

import pytest

from admin.site.prepare.site_folder import Line, SiteFolder
from fedaid.errors import InputError


@pytest.fixture
def site(tmp_path: Path) -> SiteFolder:
    folder = SiteFolder(tmp_path / "site", 64)
    folder.make()
    return folder


def test_a_manifest_is_in_the_order_of_its_studies(site: SiteFolder) -> None:
    lines = [Line(name, "p", row, "train") for row, name in enumerate(("s2", "s1"))]
    site.write_manifest(lines)
    header, *rows = (site.root / "manifest.csv").read_text().splitlines()
    assert header == "study_id,patient_id,image,image_row,report_path,split,labels,view,sex,age"
    assert rows == ["s1,p,images-64.npy,1,reports/s1.txt,train,,,,", "s2,p,images-64.npy,0,reports/s2.txt,train,,,,"]


def test_a_second_run_at_the_same_time_is_refused(site: SiteFolder) -> None:
    with site.alone(), pytest.raises(InputError, match="one run at a time"), site.alone():
        pass
    with site.alone():
        pass


def test_folders_are_closed_to_others(site: SiteFolder) -> None:
    assert site.private.stat().st_mode & 0o077 == 0
    assert site.reports.stat().st_mode & 0o077 == 0


def test_the_report_of_a_study_that_is_no_longer_there_goes(site: SiteFolder) -> None:
    gone, stays = "s" + "a" * 26, "s" + "b" * 26
    for name in (gone, stays, "notes"):
        (site.reports / f"{name}.txt").write_text("Clear.")
    site.write_manifest([Line(stays, "p", 0, "train")])
    assert sorted(path.stem for path in site.reports.iterdir()) == ["notes", stays]
