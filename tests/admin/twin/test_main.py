from __future__ import annotations

from pathlib import Path

import pytest

from admin.twin.__main__ import main
from fedaid.errors import InputError


def test_the_command_writes_scaled_hospitals_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--out", str(tmp_path), "--scale", "0.02"])
    counts = [len(list((folder / "images").iterdir())) for folder in sorted(tmp_path.iterdir())]
    assert counts == [10, 6, 4]
    assert "westmoor-chest-clinic: 4 studies" in capsys.readouterr().out


def test_a_scale_of_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--scale must be above 0"):
        main(["--out", str(tmp_path), "--scale", "0"])
