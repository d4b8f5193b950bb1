"""``python -m tests.benchmarks.quality.plot QUALITY.json OUT.png``: each method's mean and worst site as a picture."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from admin.study.compare.summary_plot import draw_summaries

TITLES = {"twin": "twin: five unlike hospitals", "noisy": "the same, one with wrong reports", "real": "real pairs"}
TITLES |= {"liar": "one that lies", "pretrained": "pretrained towers, skewed findings", "films": "real films"}


def main(arguments: Sequence[str]) -> None:
    """Draw a file of ``bench-quality``."""
    source, target = map(Path, arguments)
    sets = json.loads(source.read_text(encoding="utf-8"))["sets"]
    draw_summaries({TITLES.get(name, name): methods for name, methods in sets.items()}).savefig(target, dpi=130)


if __name__ == "__main__":
    main(sys.argv[1:])
