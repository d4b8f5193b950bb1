"""Train on three synthetic hospitals: from their exports over a federation on this machine to a model and a report.

python -m admin demo
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from admin.verbs.answer import Answer

FOLDER, ROUNDS = Path("build/demo"), 6
FILES = ("report.html", "model", "curves.png", "summary.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``demo``."""
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the results; replaced (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of training (default: %(default)s)")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Run the demo, and print its results and where they are."""
    answer.after_interrupt = "the federation is stopped"
    from rich.console import Console

    from admin.results.result_table import show_table
    from admin.study.demo import run_demo

    results, summary = run_demo(options.folder, options.rounds, Console(stderr=True))
    page = Console(file=io.StringIO(), width=100)
    show_table(results, page)
    files = {name: options.folder / name for name in FILES}
    answer.add(page.file.getvalue().rstrip(), **summary)  # type: ignore[attr-defined]
    answer.add("\n".join(f"{name:13s}{file}" for name, file in files.items()))
    answer.add(f"done in {summary['seconds']:.0f} s")
