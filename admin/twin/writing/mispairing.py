"""Report faults of a whole site: many reports with one text, and reports of other studies."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from numpy.random import Generator

from admin.twin.writing.phrases import STYLES

TRUTH = "pairing.csv"


def repeat_normals(folder: Path, normal: Sequence[str], *, style: str, share: float, rng: Generator) -> None:
    """Give a share of the normal studies the same report.

    Args:
        folder: the hospital's folder.
        normal: identifiers of the studies without a finding.
        style: a name in ``phrases.STYLES``.
        share: share of the normal studies, in [0, 1].
        rng: random source of the choice.
    """
    chosen = rng.permutation(len(normal))[: round(share * len(normal))]
    for index in chosen.tolist():
        _report(folder, normal[index]).write_text(normal_report(style), encoding="utf-8")


def normal_report(style: str) -> str:
    """Return the standard text of this style for normal studies."""
    voice = STYLES[style]
    text = voice.layout.format(
        history=voice.history[0],
        comparison="None",
        findings=voice.joint.join(options[0] for options in voice.negative.values()),
        impression=voice.normal[0],
    )
    return text.strip() + "\n"


def shuffle_reports(folder: Path, studies: Sequence[str], *, share: float, rng: Generator) -> None:
    """Exchange the reports of a share of the studies, and write the new pairs to ``pairing.csv``.

    The reports move in a circle, so every chosen study gets the report of another one. A share of 0 writes no file.

    Args:
        folder: the hospital's folder.
        studies: identifiers of all its studies.
        share: share of all studies, in [0, 1]; above 0 it changes at least two studies.
        rng: random source of choice and order.
    """
    if share <= 0 or len(studies) < 2:
        return
    count = max(2, round(share * len(studies)))
    chosen = [studies[index] for index in rng.permutation(len(studies))[:count].tolist()]
    givers = [*chosen[1:], chosen[0]]
    texts = [_report(folder, study).read_bytes() for study in givers]
    for study, text in zip(chosen, texts, strict=True):
        _report(folder, study).write_bytes(text)
    with (folder / TRUTH).open("w", newline="", encoding="utf-8") as file:
        pairs = sorted(zip(chosen, givers, strict=True))
        csv.writer(file, lineterminator="\n").writerows([("study_id", "report_of"), *pairs])


def _report(folder: Path, study: str) -> Path:
    return folder / "reports" / f"{study}.txt"
