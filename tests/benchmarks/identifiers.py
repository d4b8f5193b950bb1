"""What becomes of the forms of identifiers, and how many real texts the scrubber changes."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from admin.site.doctor.phrases.suspicious_phrases import suspicion
from admin.site.prepare.site_reports import headed
from fedaid.data.report.scrub import scrub
from fedaid.data.report.sections import sections
from tests.field.identifier_forms import FORMS
from tests.real_data import REAL_CXR

TABLES = ("pairs.csv", "pairs_templated.csv")


@dataclass(frozen=True)
class FormNumbers:
    """How many forms there are, are gone after ``prepare``, or are left; of the last, how many the doctor flags."""

    identifier_forms: int
    gone: int
    left_and_flagged: int
    left_silent: int


def form_numbers() -> FormNumbers:
    """Scrub and cut each form as ``prepare`` does, and look at what is left as the doctor does."""
    reports = [f"FINDINGS: Clear lungs. {form}\nIMPRESSION: Stable." for form, _ in FORMS]
    kept = {n: scrub(headed(sections(scrub(text).text))).text for n, text in enumerate(reports)}
    left = {n for n, (_, words) in enumerate(FORMS) if re.search(words, kept[n])}
    flagged = left & suspicion(kept).firing().keys()
    return FormNumbers(len(FORMS), len(FORMS) - len(left), len(flagged), len(left - flagged))


@dataclass(frozen=True)
class RealNumbers:
    """The scrubber on real texts, which name dates and hospitals but nobody: texts, changed ones, and tags by class."""

    texts: int
    changed: int
    replaced: dict[str, int]


def real_numbers(folder: Path = REAL_CXR) -> RealNumbers | None:
    """Scrub the real texts; None without them. Before the forms of five languages came, 21 of 705 were changed."""
    if not all((folder / name).is_file() for name in TABLES):
        return None
    texts: list[str] = []
    for name in TABLES:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            texts += [row["text"] for row in csv.DictReader(file)]
    found = [scrub(text) for text in texts]
    replaced: Counter[str] = Counter()
    for one in found:
        replaced.update(one.counts)
    changed = sum(one.text != text for one, text in zip(found, texts, strict=True))
    return RealNumbers(len(texts), changed, dict(sorted(replaced.items())))
