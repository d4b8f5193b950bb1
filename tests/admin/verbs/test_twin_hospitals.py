from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from admin.__main__ import main


def test_the_command_writes_scaled_hospitals_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["twin", "--out", str(tmp_path), "--scale", "0.02"])
    counts = [len(list((folder / "images").iterdir())) for folder in sorted(tmp_path.iterdir())]
    assert counts == [10, 6, 4]
    assert "westmoor-chest-clinic: 4 studies" in capsys.readouterr().out


def test_a_refusal_is_one_line_on_standard_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "admin", "twin", "--out", str(tmp_path), "--scale", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: --scale must be above 0")
    assert len(done.stderr.splitlines()) == 1


def test_hospitals_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text("- {name: oak, studies: 9, style: prose, prevalence: {}}")
    main(["twin", "--out", str(tmp_path / "out"), "--hospitals", str(file)])
    assert len(list((tmp_path / "out" / "oak" / "images").iterdir())) == 9


def test_a_preset_is_pooled_in_one_manifest(tmp_path: Path) -> None:
    main(["twin", "--out", str(tmp_path), "--preset", "five", "--pooled", "--scale", "0.02"])
    lines = (tmp_path / "manifest.csv").read_text().splitlines()
    assert len(lines) == 1 + 16 + 8 + 5 + 3 + 2
    assert lines[0].endswith(",site")


def test_faults_are_planted_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yml"
    file.write_text("- {name: oak, studies: 90, like: harbour-general}")
    main(["twin", "--out", str(tmp_path / "out"), "--hospitals", str(file), "--faults"])
    assert "faults of 68 kinds" in capsys.readouterr().out


def test_an_export_has_no_manifest(tmp_path: Path) -> None:
    main(["twin", "--out", str(tmp_path), "--export", "--scale", "0.02"])
    handed_over = [sorted(path.name for path in folder.iterdir()) for folder in sorted(tmp_path.iterdir())]
    assert handed_over == [["images", "reports.csv"], ["images", "reports"], ["images", "reports.jsonl"]]
