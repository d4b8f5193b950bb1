"""Says when no report of a site has a heading that is known, and which example of a grammar to start from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from admin.site.doctor.language import LABELS, language_of_site

_HEADED = ("FINDINGS: ", "IMPRESSION: ")
_SAMPLE = 50


def heading_advice(reports: Iterable[Path]) -> str:
    """Return what to do if none of the written reports has findings or an impression under a heading, else "".

    Reading stops at the first report with a heading.
    """
    sample: list[str] = []
    for path in reports:
        with path.open(encoding="utf-8") as file:
            text = file.read() if len(sample) < _SAMPLE else file.read(len(max(_HEADED, key=len)))
        if text.startswith(_HEADED):
            return ""
        sample += [text] if len(sample) < _SAMPLE else []
    return _advice(language_of_site("\n".join(sample))) if sample else ""


def _advice(language: str) -> str:
    known = language in LABELS
    start = f"docs/report-grammars/{language.lower()}.yml" if known else "one of the examples in docs/report-grammars"
    guess = f"Most of them seem to be {language}. " if language else ""
    return (
        "no report has a heading that I know. The whole text of each report is used, and it may hold a "
        f"letterhead, a history or a signature. {guess}Copy {start} to report_grammar.yml in the folder of the "
        "manifest, name your headings in it, and run prepare again."
    )
