"""The outcome as text and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from admin.site.doctor.outcome import Finding, Outcome

WIDTH = 100
HEADS = {
    True: "PRIVATE: this holds file names and lines of the manifest. It must not leave the site.",
    False: "SHAREABLE: counts only, no names, texts or pictures. A count below {least} is shown as '<{least}'; others "
    "are rounded to a multiple of {least}. 'hidden' marks two counts, at least one of them small.",
}

JUDGE = (
    "The most suspicious phrases. Which of them are names, places or numbers of people? Give their numbers, such as "
    "python -m admin doctor SITE_DIR --confirm 1,4-6, and run prepare again: it removes them from all reports."
)


def head(outcome: Outcome) -> str:
    """Return the sentence on who may see the outcome."""
    return HEADS[outcome.private].format(least=outcome.least_cell)


def as_text(outcome: Outcome) -> str:
    """Return the outcome for a terminal or a text file."""
    return "\n".join(_lines(outcome)) + "\n"


def _lines(outcome: Outcome) -> Iterator[str]:
    yield from textwrap.wrap(head(outcome), WIDTH)
    counts = ", ".join(f"{count} {severity}s" for severity, count in outcome.severities.items())
    yield f"\n{outcome.studies} studies, {outcome.usable} usable; {len(outcome.findings)} checks: {counts}"
    for finding in outcome.fired:
        yield ""
        yield from _described(finding)
    for title, cells in outcome.distributions.items():
        yield f"\n{title}: " + (", ".join(f"{name} {count}" for name, count in cells.items()) or "-")
    if outcome.passed:
        yield "\nNo problem found by:"
        yield from textwrap.wrap(", ".join(finding.check.name for finding in outcome.passed), WIDTH)
    if outcome.blind:
        yield "\nNot checked, because the data lack headers, files or pixels:"
        yield from textwrap.wrap(", ".join(finding.check.name for finding in outcome.blind), WIDTH)


def _described(finding: Finding) -> Iterator[str]:
    check = finding.check
    screen = " (screen: may be wrong, check first)" if check.screen else ""
    yield f"{check.severity.upper()} {check.name}: {check.title}: {finding.amount}{screen}"
    for sentence in (check.meaning, f"To do: {check.remedy}", finding.said):
        yield from textwrap.wrap(sentence, WIDTH, initial_indent="    ", subsequent_indent="    ")
    if finding.detail:
        yield "    " + ", ".join(f"{name} {count}" for name, count in finding.detail.items())
    if finding.phrases:
        yield from textwrap.wrap(JUDGE, WIDTH, initial_indent="    ", subsequent_indent="    ")
    for number, (phrase, reports) in enumerate(finding.phrases, start=1):
        yield f"      [ ] {number}. {phrase} (reports: {reports})"
    yield from (f"      {place}" for place in finding.places)


def as_dict(outcome: Outcome) -> dict[str, object]:
    """Return the outcome as plain JSON."""
    return {
        "note": head(outcome),
        "least_cell": outcome.least_cell,
        "studies": outcome.studies,
        "usable": outcome.usable,
        "fired": outcome.severities,
        "checks": [_as_dict(finding, private=outcome.private) for finding in outcome.findings],
        "distributions": outcome.distributions,
    }


def _as_dict(finding: Finding, *, private: bool) -> dict[str, object]:
    shown = {
        "name": finding.check.name,
        "severity": finding.check.severity,
        "screen": finding.check.screen,
        "fired": finding.fired,
        "looked": not finding.blind,
        "count": finding.count,
        "of": finding.of,
        "detail": finding.detail,
    }
    if not private:
        return shown
    phrases = [phrase for phrase, _ in finding.phrases]
    return shown | {"said": finding.said, "places": finding.places, "phrases": phrases}


def as_json(outcome: Outcome) -> str:
    """Return the outcome as a JSON text."""
    return json.dumps(as_dict(outcome), indent=1) + "\n"
