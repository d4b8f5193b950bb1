from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.twin.consortia import FIVE_HOSPITALS
from admin.twin.population import write_population
from fedaid.data.manifest import read_manifest
from fedaid.data.table import Row, read_table

STUDIES = 40


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pooled")
    write_population(folder, hospitals=[replace(site, studies=STUDIES) for site in FIVE_HOSPITALS[:3]], image_size=32)
    return folder


def run(data: Path, out: Path, *options: str) -> int:
    return main(["partition", str(data / "manifest.csv"), "--out", str(out), *options])


def sites_of(out: Path) -> dict[str, tuple[Row, ...]]:
    return {
        folder.name: read_table(folder / "manifest.csv").rows for folder in sorted(out.iterdir()) if folder.is_dir()
    }


@pytest.mark.parametrize("kind", ["iid", "dirichlet", "quantity", "natural"])
def test_every_study_is_at_one_site_with_its_patient_and_can_be_read_there(
    kind: str, data: Path, tmp_path: Path
) -> None:
    assert run(data, tmp_path / "out", "--kind", kind, "--alpha", "0.5") == 0
    sites = sites_of(tmp_path / "out")
    studies = [row.cell("study_id") for rows in sites.values() for row in rows]
    homes = {(row.cell("patient_id"), site) for site, rows in sites.items() for row in rows}
    assert sorted(studies) == sorted(row.cell("study_id") for row in read_table(data / "manifest.csv").rows)
    assert len(homes) == len({patient for patient, _ in homes})
    for site, rows in sites.items():
        manifest = read_manifest(tmp_path / "out" / site)
        assert (len(manifest.studies), dict(manifest.skipped)) == (len(rows), {})


def test_a_natural_partition_follows_its_column(data: Path, tmp_path: Path) -> None:
    assert run(data, tmp_path / "out", "--kind", "natural", "--column", "site") == 0
    sites = sites_of(tmp_path / "out")
    assert set(sites) == {site.name for site in FIVE_HOSPITALS[:3]}
    assert all({row.cell("site") for row in rows} == {site} for site, rows in sites.items())


def test_a_saved_split_gives_the_same_partition(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "one", "--kind", "dirichlet", "--sites", "4", "--seed", "3")
    assert run(data, tmp_path / "two", "--restore", str(tmp_path / "one" / "split.json")) == 0
    for file in ("split.json", *(f"site-{number}/manifest.csv" for number in range(1, 5))):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_split_file_says_how_it_was_made_and_the_plot_is_there(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path / "out", "--kind", "quantity", "--alpha", "2", "--seed", "9")
    content = json.loads((tmp_path / "out" / "split.json").read_text())
    assert (content["kind"], content["alpha"], content["seed"]) == ("quantity", 2.0, 9)
    assert (tmp_path / "out" / "partition.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_says_how_large_the_sites_are(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(data, tmp_path / "out", "--kind", "natural")
    printed = capsys.readouterr().out
    assert f"harbour-general: {STUDIES} studies" in printed
    assert "label shift 0." in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sites", "90"], "have 450 patients or more for 90 sites of at least 5"),
        (["--sites", "0"], "sites must be 1 or more"),
        (["--kind", "dirichlet", "--alpha", "0"], "alpha must be a number above 0"),
        (["--seed", "-1"], "--seed must be 0 or more"),
        (["--kind", "natural", "--column", "sites"], "Did you mean site?"),
        (["--kind", "natural", "--column", "labels"], "site must be letters"),
        (["--kind", "natural", "--least-patients", "99"], "have 99 patients or more"),
        (["--restore", "nowhere.json"], "--restore: file not found: nowhere.json"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line_and_nothing_is_written(
    options: list[str], message: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, tmp_path / "out", *options) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_manifest_without_labels_can_be_divided(tmp_path: Path) -> None:
    rows = "".join(f"s{number},p{number},i{number}\n" for number in range(12))
    (tmp_path / "manifest.csv").write_text("study_id,patient_id,image\n" + rows)
    assert run(tmp_path, tmp_path / "out", "--least-patients", "4") == 0
    assert [len(held) for held in sites_of(tmp_path / "out").values()] == [4, 4, 4]


def test_a_folder_with_files_is_not_written_to(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kept").write_text("")
    assert run(data, tmp_path) == 1
    assert "--out must be absent or an empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("study_id,image\na,b\n", "have study_id, patient_id, image"),
        ("study_id,patient_id,image\na,,b\n", "patient_id must be given in every row"),
        ("study_id,patient_id,image,site\na,p,b,x\nc,p,d,y\n", "patient must be at one site, got a patient at two"),
    ],
)
def test_a_manifest_that_cannot_be_divided_is_refused(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.csv").write_text(text)
    assert run(tmp_path, tmp_path / "out", "--kind", "natural", "--least-patients", "1") == 1
    assert message in capsys.readouterr().err


def respelt(folder: Path, sites: str) -> None:
    """A manifest in which each of twelve patients is written in two ways, with a site for each spelling."""
    rows = [
        f"s{number}{place},{spelling},images\\{number}.png,x,{site}"
        for number in range(10, 22)
        for place, (spelling, site) in enumerate(zip((f"{number}", f"0{number}"), sites, strict=True))
    ]
    (folder / "images").mkdir()
    (folder / "images" / "10.png").write_bytes(b"x")
    (folder / "manifest.csv").write_text("study_id,patient_id,image,report,site\n" + "\n".join(rows))


def test_a_drawn_partition_keeps_the_spellings_of_a_patient_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    respelt(tmp_path, "ab")
    assert run(tmp_path, tmp_path / "out", "--sites", "2", "--least-patients", "2") == 0
    homes = {
        (row.cell("patient_id").lstrip("0"), site) for site, rows in sites_of(tmp_path / "out").items() for row in rows
    }
    assert len(homes) == 12
    assert "warning" not in capsys.readouterr().err
    assert len(list((tmp_path / "out").glob("*/images/10.png"))) == 1


def test_a_natural_partition_that_parts_them_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    respelt(tmp_path, "ab")
    assert run(tmp_path, tmp_path / "out", "--kind", "natural") == 0
    assert "warning: 12 patients are at several sites" in capsys.readouterr().err
