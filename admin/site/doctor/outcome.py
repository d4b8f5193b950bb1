"""The doctor's result, in a private and a shareable form. Page, text and JSON show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from admin.site.doctor.distribution import distributions
from admin.site.doctor.doctor_check import SEVERITIES, Check, Found
from admin.site.doctor.evidence import Case, Evidence
from admin.site.doctor.examination import Result

Shown = Callable[[int], str]
Cells = Callable[[Mapping[str, int]], Mapping[str, str]]


@dataclass(frozen=True)
class Finding:
    """A check with its result in words.

    Attributes:
        check: the check.
        fired: whether the check found a problem.
        count: number of studies or files, as it may be shown; empty if the check concerns the site as a whole.
        of: number of all studies, as it may be shown.
        detail: name → number, as it may be shown.
        said: a sentence about the finding, or empty.
        places: lines, names and images of the studies; empty in the shareable outcome.
        blind: whether the check had no input.
        phrases: words that a person should judge, each with its number of reports; empty for others.
    """

    check: Check
    fired: bool
    count: str
    of: str
    detail: Mapping[str, str] = field(default_factory=dict)
    said: str = ""
    places: tuple[str, ...] = field(default=(), repr=False)
    blind: bool = False
    phrases: tuple[tuple[str, int], ...] = field(default=(), repr=False)

    @property
    def amount(self) -> str:
        """The count and the number of all studies, in words."""
        return f"{self.count} of {self.of}" if self.count else "the site as a whole"


@dataclass(frozen=True)
class Outcome:
    """The doctor's result.

    Attributes:
        private: whether the outcome may hold names, lines and exact counts.
        least_cell: smallest count that a shareable outcome shows.
        studies: number of rows.
        usable: number of rows with a usable image and a usable report.
        findings: of all checks, by severity; those that fired come first.
        distributions: title → class → number of studies.
    """

    private: bool
    least_cell: int
    studies: str
    usable: str
    findings: Sequence[Finding]
    distributions: Mapping[str, Mapping[str, str]]

    @property
    def fired(self) -> list[Finding]:
        """The findings of checks that found a problem."""
        return [finding for finding in self.findings if finding.fired]

    @property
    def passed(self) -> list[Finding]:
        """The findings of checks that found no problem."""
        return [finding for finding in self.findings if not (finding.fired or finding.blind)]

    @property
    def blind(self) -> list[Finding]:
        """The findings of checks without input."""
        return [finding for finding in self.findings if finding.blind and not finding.fired]

    @property
    def severities(self) -> dict[str, int]:
        """Severity → number of checks that fired."""
        counts = Counter(finding.check.severity for finding in self.fired)
        return {severity: counts[severity] for severity in SEVERITIES}


def private_outcome(evidence: Evidence, results: Sequence[Result], *, least: int) -> Outcome:
    """Return all findings with lines and names, which must not leave the site."""
    exact: Cells = lambda cells: {name: str(count) for name, count in cells.items()}  # noqa: E731
    return _outcome(evidence, results, private=True, least=least, shown=str, cells=exact)


def shareable_outcome(evidence: Evidence, results: Sequence[Result], *, least: int) -> Outcome:
    """Return all findings as counts that others may see."""
    shown, cells = partial(disclosed, least=least), partial(disclosed_cells, least=least)
    return _outcome(evidence, results, private=False, least=least, shown=shown, cells=cells)


def _outcome(
    evidence: Evidence, results: Sequence[Result], *, private: bool, least: int, shown: Shown, cells: Cells
) -> Outcome:
    found = [_finding(result.check, result.found, private=private, shown=shown, cells=cells) for result in results]
    findings = [replace(one, blind=one.check.is_blind(evidence)) for one in found]
    rank = {severity: number for number, severity in enumerate(SEVERITIES)}
    tables = distributions(evidence).items()
    return Outcome(
        private=private,
        least_cell=least,
        studies=shown(len(evidence.cases)),
        usable=shown(sum(case.usable for case in evidence.cases)),
        findings=sorted(findings, key=lambda one: (not one.fired, rank[one.check.severity])),
        distributions={title: cells(counts) for title, counts in tables},
    )


def _finding(check: Check, found: Found, *, private: bool, shown: Shown, cells: Cells) -> Finding:
    places = (*map(_place, found.cases), *found.files) if private else ()
    said = found.said if private else ""
    count = "" if found.whole else shown(found.count)
    told = Finding(check, found.fired, count, shown(found.of), cells(found.detail), said, places)
    return replace(told, phrases=found.phrases) if private else told


def _place(case: Case) -> str:
    """Return a study's line in the manifest, its name and its image, on one line."""
    return " ".join(f"line {case.line}: {case.name} {case.image}".split())


HIDDEN = "hidden"
"""Shown in place of two counts, at least one of which is small."""


def disclosed(count: int, *, least: int) -> str:
    """Return a count as it may be shown. With a least cell of 5: "0", "<5", or a multiple of 5.

    Args:
        count: number of studies or files.
        least: smallest count that is shown; 1 shows every count unchanged.
    """
    if count == 0:
        return "0"
    if count < least:
        return f"<{least}"
    return str(max(least, (2 * count + least) // (2 * least) * least))


def disclosed_cells(cells: Mapping[str, int], *, least: int) -> dict[str, str]:
    """Return a table's cells for sharing. Because the total may be known, a single small count hides two cells."""
    shown = {name: disclosed(count, least=least) for name, count in cells.items()}
    by_size = sorted((count, name) for name, count in cells.items() if count)
    if sum(count < least for count, _ in by_size) == 1:
        shown |= {name: HIDDEN for _, name in by_size[:2]}
    return shown
