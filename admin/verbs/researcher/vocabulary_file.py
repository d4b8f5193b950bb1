"""Build the vocabulary that every job ships, or check that the shipped file is what its sources give.

python -m admin vocabulary --check
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``vocabulary``."""
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the file differs")
    parser.add_argument("--out", type=Path, help="the file to write or to check (default: the shipped file)")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Write or check the file."""
    from admin.model.build_vocabulary import build_vocabulary
    from fedaid.models.vocabulary import VOCABULARY_FILE

    file = options.out or VOCABULARY_FILE
    text = "\n".join(build_vocabulary()) + "\n"
    count = text.count("\n")
    if not options.check:
        file.write_text(text, encoding="utf-8")
        answer.add(f"wrote {count} tokens to {file}", tokens=count, file=file)
    elif file.is_file() and file.read_bytes() == text.encode():
        answer.add("the vocabulary is up to date", tokens=count, file=file)
    else:
        raise RuntimeError(f"the vocabulary differs: {file}. Write it: python -m admin vocabulary")
