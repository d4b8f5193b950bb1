from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from tests.admin.study.compare.test_summary_plot import METHODS
from tests.benchmarks.quality.plot import main


def test_a_file_of_the_benchmark_becomes_a_picture(tmp_path: Path) -> None:
    source, target = tmp_path / "quality.json", tmp_path / "quality.png"
    source.write_text(json.dumps({"sets": {"twin": METHODS, "noisy": METHODS}}))
    main([str(source), str(target)])
    with Image.open(target) as picture:
        assert len(picture.convert("RGB").getcolors(10**6) or []) > 10
