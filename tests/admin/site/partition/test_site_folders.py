from __future__ import annotations

import os
from pathlib import Path

import pytest

from admin.site.partition import site_folders
from admin.site.partition.site_folders import write_site
from fedaid.data.table import read_table

HEADER = "study_id,patient_id,image,report_path,extra\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "images").mkdir(parents=True)
    for name in ("images/a.dcm", "images/b.dcm", "a.txt"):
        (tmp_path / "root" / name).write_text(name)
    (tmp_path / "secret.dcm").write_text("outside")
    return tmp_path / "root"


def written(root: Path, rows: str, *, keep: int | None = None) -> Path:
    (root / "manifest.csv").write_text(HEADER + rows)
    table = read_table(root / "manifest.csv")
    write_site(root.parent / "site", table.rows[:keep], table=table, root=root)
    return root.parent / "site"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_a_site_has_its_rows_and_their_files_under_the_same_paths(root: Path) -> None:
    site = written(root, 's1,p,images/a.dcm,a.txt,"x,y"\ns2,q,images/b.dcm,a.txt,\n', keep=1)
    assert (site / "manifest.csv").read_text() == HEADER + 's1,p,images/a.dcm,a.txt,"x,y"\n'
    assert files(site) == {"manifest.csv", "images/a.dcm", "a.txt"}
    assert (site / "images/a.dcm").read_text() == "images/a.dcm"


def test_files_are_linked_and_take_no_space(root: Path) -> None:
    site = written(root, "s1,p,images/a.dcm,a.txt,\n")
    assert (site / "images/a.dcm").samefile(root / "images/a.dcm")


def test_where_links_are_not_possible_files_are_copied(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(site_folders.os, "link", refuse)
    site = written(root, "s1,p,images/a.dcm,a.txt,\n")
    assert (site / "images/a.dcm").read_text() == "images/a.dcm"
    assert not (site / "images/a.dcm").samefile(root / "images/a.dcm")


def test_a_file_of_two_rows_is_brought_once(root: Path) -> None:
    assert files(written(root, "s1,p,images/a.dcm,a.txt,\ns2,p,images/a.dcm,a.txt,\n")) >= {"images/a.dcm", "a.txt"}


@pytest.mark.parametrize("path", ["../secret.dcm", "images/link.dcm", "images/gone.dcm", "images/pipe", "images", ""])
def test_what_is_not_a_regular_file_of_the_root_is_left_out_and_its_row_stays(root: Path, path: str) -> None:
    (root / "images/link.dcm").symlink_to(root.parent / "secret.dcm")
    os.mkfifo(root / "images/pipe")
    site = written(root, f"s1,p,{path},a.txt,\n")
    assert files(site) == {"manifest.csv", "a.txt"}
    assert path in (site / "manifest.csv").read_text()


def test_an_absolute_path_is_left_out(root: Path) -> None:
    assert files(written(root, f"s1,p,{root / 'images/a.dcm'},a.txt,\n")) == {"manifest.csv", "a.txt"}
