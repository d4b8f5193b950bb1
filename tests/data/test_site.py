from __future__ import annotations

import json
from pathlib import Path

import pytest

from fedaid.data.site import data_root
from fedaid.errors import InputError


def written(folder: Path, settings: object) -> Path:
    (folder / "fedaid_site.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def test_the_file_says_where(tmp_path: Path) -> None:
    assert data_root("site-1", written(tmp_path, {"data_root": "/srv/cxr"}), {}) == Path("/srv/cxr")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    folder = written(tmp_path, {"data_root": "/srv/cxr"})
    assert data_root("site-1", folder, {"FEDAID_DATA": "/mnt/other"}) == Path("/mnt/other")


def test_the_placeholder_becomes_the_site(tmp_path: Path) -> None:
    assert data_root("site-1", tmp_path, {"FEDAID_DATA": "/mnt/{site}/cxr"}) == Path("/mnt/site-1/cxr")


def test_an_empty_variable_counts_as_none(tmp_path: Path) -> None:
    assert data_root("site-1", written(tmp_path, {"data_root": "/srv"}), {"FEDAID_DATA": " "}) == Path("/srv")


def test_neither_names_both_ways_and_the_site(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        data_root("site-7", tmp_path, {})
    assert all(part in str(caught.value) for part in ("FEDAID_DATA", "fedaid_site.json", "site-7"))


@pytest.mark.parametrize("setting", ["data", "./data", "~/data", "../data"])
def test_a_relative_path_is_refused(setting: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="be an absolute path"):
        data_root("site-1", tmp_path, {"FEDAID_DATA": setting})
    with pytest.raises(InputError, match="be an absolute path"):
        data_root("site-1", written(tmp_path, {"data_root": setting}), {})


@pytest.mark.parametrize("site", ["..", ".", "", "a/../..", "a\\b", "a\0"])
def test_a_site_name_that_leads_elsewhere_is_refused(site: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="single folder's name"):
        data_root(site, tmp_path, {"FEDAID_DATA": "/mnt/{site}"})


def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Did you mean data_root\?"):
        data_root("site-1", written(tmp_path, {"dataroot": "/srv"}), {})


@pytest.mark.parametrize("settings", [[], "text", None, {}, {"data_root": 3}, {"data_root": ""}, {"data_root": None}])
def test_a_file_without_a_path_is_refused(settings: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"fedaid_site\.json"):
        data_root("site-1", written(tmp_path, settings), {})


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b""])
def test_a_file_that_is_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "fedaid_site.json").write_bytes(content)
    with pytest.raises(InputError, match="readable JSON"):
        data_root("site-1", tmp_path, {})
