from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.site.doctor.phrases.confirmation import confirm
from fedaid.errors import InputError


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for folder in ("private", "doctor/private"):
        (tmp_path / folder).mkdir(parents=True)
    check = {"name": "identifiers-in-report", "phrases": ["Orlinda", "Cedar Brook", "effusion", "QK8813"]}
    (tmp_path / "doctor" / "private" / "doctor.json").write_text(json.dumps({"checks": [{"name": "other"}, check]}))
    return tmp_path


def test_confirmed_phrases_are_added_once_and_the_file_is_private(site: Path) -> None:
    assert confirm(site, site / "doctor", "1-2, 4") == 3
    assert confirm(site, site / "doctor", "2") == 0
    file = site / "private" / "deny_list.txt"
    lines = file.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["Orlinda", "Cedar Brook", "QK8813"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_lines_that_a_person_wrote_stay(site: Path) -> None:
    (site / "private" / "deny_list.txt").write_text("# mine\nKwisthout", encoding="utf-8")
    confirm(site, site / "doctor", "1")
    assert (site / "private" / "deny_list.txt").read_text(encoding="utf-8") == "# mine\nKwisthout\nOrlinda\n"


@pytest.mark.parametrize("numbers", ["0", "5", "3-1", "x", "", "1;2", "1-9"])
def test_a_number_that_is_not_on_the_page_is_refused(site: Path, numbers: str) -> None:
    with pytest.raises(InputError, match="--confirm"):
        confirm(site, site / "doctor", numbers)
    assert not (site / "private" / "deny_list.txt").exists()


def test_without_an_examination_or_a_prepared_site_nothing_is_confirmed(site: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="follow an examination"):
        confirm(site, site / "elsewhere", "1")
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="be a prepared site"):
        confirm(tmp_path / "bare", site / "doctor", "1")
