from __future__ import annotations

from pathlib import Path

import pytest

from admin.__main__ import main
from admin.model.export import formats
from admin.model.export.formats import FORMATS
from admin.model.export.source import Source
from tests.admin.model.export.trained_models import trained, write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(trained(), tmp_path / "model")


@pytest.mark.slow
def test_all_formats_are_written_each_into_a_folder_of_its_own(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(model), "--out", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FORMATS)
    assert "licence: unknown" in capsys.readouterr().out


def test_one_format_is_written_alone_with_its_licence(model: Path, tmp_path: Path) -> None:
    assert main(["export", str(model), "--to", "monai", "--licence", "cc-by-4.0", "--out", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["monai"]
    assert "license: cc-by-4.0" in (tmp_path / "out" / "monai" / "docs" / "README.md").read_text()


def test_a_format_that_is_there_is_not_written_over(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "out" / "monai" / "mine.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")
    assert main(["export", str(model), "--to", "monai", "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("error: --out must not hold this format yet")
    assert kept.read_text() == "mine"


def test_an_export_that_fails_leaves_nothing_behind(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(source: Source, folder: Path) -> None:
        (folder / "half.bin").write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(formats, "FORMATS", {"monai": full})
    assert main(["export", str(model), "--to", "monai", "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == "error: No space left on device\n"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("licence", ["Apache 2.0", "", "mit\nlicense: gpl"])
def test_a_licence_that_no_model_hub_would_read_is_refused(
    licence: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(model), "--licence", licence, "--out", str(tmp_path / "out")]) == 1
    assert "--licence must be a licence as model hubs write it" in capsys.readouterr().err


def test_a_folder_without_a_model_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: MODEL_FOLDER must be a model that a run left")
    assert error.count("\n") == 1
