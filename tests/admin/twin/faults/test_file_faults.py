from __future__ import annotations

import os
import stat
from collections.abc import Callable

import numpy as np
import pytest

from admin.twin.faults.file_faults import FILE_FAULTS
from fedaid.data.pixels.dicom import read_dicom
from tests.admin.twin.bad_site import BadSite

Check = Callable[[BadSite, str], bool]


def is_cut(site: BadSite, study: str) -> bool:
    content = site.image(study).read_bytes()
    side = site.film(study, before=True).Rows
    return content[128:132] == b"DICM" and b"MONOCHROME" in content and len(content) < 2 * side * side


def leaves_the_root(site: BadSite, study: str) -> bool:
    image = site.image(study)
    return image.is_symlink() and image.exists() and not image.resolve().is_relative_to(site.spoilt)


def has_a_sound_file(site: BadSite, study: str) -> bool:
    return site.image(study).read_bytes() == site.image(study, before=True).read_bytes()


def is_on_disk_undecodably(site: BadSite, study: str) -> bool:
    names = [os.fsencode(path.name) for path in (site.spoilt / "images").iterdir()]
    found = [name for name in names if name.startswith(study.encode())]
    return [name for name in found if b"\xff" in name] == found and not site.image(study).exists()


def is_large_and_shows_the_same(site: BadSite, study: str) -> bool:
    if site.image(study).stat().st_size <= 64 << 20:
        return False
    return np.array_equal(read_dicom(site.image(study)), read_dicom(site.image(study, before=True)))


CHECKS: dict[str, Check] = {
    "missing-image": lambda site, study: not os.path.lexists(site.image(study)),
    "truncated-pixels": is_cut,
    "large-file": is_large_and_shows_the_same,
    "text-as-image": lambda site, study: (
        site.image(study).read_bytes().isascii() and site.image(study).suffix == ".dcm"
    ),
    "empty-file": lambda site, study: site.image(study).stat().st_size == 0,
    "preamble-only": lambda site, study: site.image(study).read_bytes() == bytes(128) + b"DICM",
    "symlink-out-of-root": leaves_the_root,
    "fifo": lambda site, study: stat.S_ISFIFO(site.image(study).lstat().st_mode),
    "unreadable-file": lambda site, study: not os.access(site.image(study), os.R_OK),
    "newline-in-name": lambda site, study: "\n" in site.row(study)["image"] and has_a_sound_file(site, study),
    "undecodable-name": is_on_disk_undecodably,
}


@pytest.mark.parametrize("fault", FILE_FAULTS)
def test_the_fault_is_really_there(bad_site: BadSite, fault: str) -> None:
    studies = bad_site.planted[fault]
    assert studies or (fault == "unreadable-file" and os.geteuid() == 0)
    assert all(CHECKS[fault](bad_site, study) for study in studies)


@pytest.mark.parametrize("fault", CHECKS)
def test_the_check_does_not_fire_on_sound_studies(bad_site: BadSite, fault: str) -> None:
    assert not any(CHECKS[fault](bad_site, study) for study in bad_site.sound[:8])


@pytest.mark.parametrize("fault", FILE_FAULTS)
def test_the_report_of_the_study_is_as_it_was(bad_site: BadSite, fault: str) -> None:
    for study in bad_site.planted[fault]:
        assert bad_site.report(study) == bad_site.report(study, before=True)
