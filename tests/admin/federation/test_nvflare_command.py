from __future__ import annotations

from pathlib import Path

import pytest

from admin.federation.nvflare_command import run_nvflare


def test_a_refusal_by_flare_is_an_error_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"nvflare poc prepare failed \(\d+\): .*no_such_project.yml"):
        run_nvflare(
            ["poc", "prepare", "-i", str(tmp_path / "no_such_project.yml")],
            home=tmp_path / "home",
            extra={"NVFLARE_POC_WORKSPACE": str(tmp_path / "kits")},
        )


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admin.federation.nvflare_command.SECONDS", 0.01)
    with pytest.raises(RuntimeError, match="took more than 0 s"):
        run_nvflare(["--help"], home=tmp_path)
