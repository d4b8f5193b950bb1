from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from admin.federation.kits.validity import VALID_DAYS, valid_days
from admin.federation.project_file import as_project
from fedaid.errors import InputError

CONTENT = yaml.safe_load(Path("admin/project.yml").read_text())


def days(**changes: Any) -> int:
    return valid_days(as_project({**CONTENT, **changes}, where="project.yml"))


def test_the_projects_own_file_says_two_years() -> None:
    assert days() == 730


def test_a_file_that_says_nothing_gets_two_years_or_what_the_authority_has() -> None:
    without = {key: value for key, value in CONTENT.items() if key != VALID_DAYS}
    assert valid_days(as_project(without, where="project.yml")) == 730
    short = [{"path": "nvflare.lighter.impl.cert.CertBuilder"}]
    assert valid_days(as_project({**without, "builders": short}, where="project.yml")) == 360


@pytest.mark.parametrize("value", [0, -1, 1.5, "730", True, None])
def test_what_is_not_a_number_of_days_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="certificate_valid_days must be a whole number of days"):
        days(certificate_valid_days=value)


def test_a_kit_does_not_outlast_its_authority() -> None:
    assert days(certificate_valid_days=1825) == 1825
    with pytest.raises(InputError, match="be at most root_valid_days, which is 1825, got 1826"):
        days(certificate_valid_days=1826)
