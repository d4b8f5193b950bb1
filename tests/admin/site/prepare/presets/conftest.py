"""Pictures of the spot, and a run of ``prepare`` on a data set of some layout."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from admin.__main__ import main

WritePicture = Callable[[str], Path]
Import = Callable[..., dict[str, Any]]


@pytest.fixture
def write_picture(tmp_path: Path) -> WritePicture:
    """A function of a path below ``tmp_path`` that writes a picture of its own there."""

    def write(relative: str) -> Path:
        path = tmp_path / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        grey = np.random.default_rng(len(relative) + sum(relative.encode())).integers(0, 256, (12, 12), dtype=np.uint8)
        Image.fromarray(grey).save(path)
        return path

    return write


@pytest.fixture
def imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Import:
    """A function of preset, images and reports that imports them into ``site``: the result with the manifest's rows."""

    def run(preset: str, images: str, reports: str | None = None, *more: str) -> dict[str, Any]:
        named = ["--reports", str(tmp_path / reports)] if reports else []
        folders = ["--images", str(tmp_path / images), *named, "--out", str(tmp_path / "site")]
        main(
            ["prepare", "--preset", preset, *folders, "--image-size", "8", "--workers", "1", "--format", "json", *more]
        )
        answer = json.loads(capsys.readouterr().out)
        result: dict[str, Any] = answer["data"] | ({"error": answer["message"]} if "message" in answer else {})
        manifest = tmp_path / "site" / "manifest.csv"
        if "error" not in result:
            with manifest.open(newline="") as file:
                result["rows"] = list(csv.DictReader(file))
            for row in result["rows"]:
                row["text"] = (tmp_path / "site" / row["report_path"]).read_text()
        return result

    return run
