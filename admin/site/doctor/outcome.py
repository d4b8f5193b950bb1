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
        check: what was looked for.
        fired: whether there is anything to do.
        count: how many studies or files, as it may be shown; empty if it concerns the site as a whole.
        of: of how many.
        detail: number by name, as it may be shown.
        said: a sentence, or empty.
        places: where, with names; empty for others.
        blind: whether the check had no input.
    """

    check: Check
    fired: bool
    count: str
    of: str
    detail: Mapping[str, str] = field(default_factory=dict)
    said: str = ""
    places: tuple[str, ...] = field(default=(), repr=False)
    blind: bool = False

    @property
    def amount(self) -> str:
        """How many of how many."""
        return f"{self.count} of {self.of}" if self.count else "the site as a whole"


@dataclass(frozen=True)
class Outcome:
    """The doctor's result.

    Attributes:
        private: whether it may hold names, lines and exact counts.
        least_cell: below which a count is suppressed, if it is not private.
        studies: how many rows there are.
        usable: how many have an image and a report that can be used.
        findings: of all checks, what fired first, by severity.
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
        """The findings with something to do."""
        return [finding for finding in self.findings if finding.fired]

    @property
    def passed(self) -> list[Finding]:
        """The checks that found no problem."""
        return [finding for finding in self.findings if not (finding.fired or finding.blind)]

    @property
    def blind(self) -> list[Finding]:
        """The checks without input."""
        return [finding for finding in self.findings if finding.blind and not finding.fired]

    @property
    def severities(self) -> dict[str, int]:
        """Severity → number of checks that fired."""
        counts = Counter(finding.check.severity for finding in self.fired)
        return {severity: counts[severity] for severity in SEVERITIES}


def private_outcome(evidence: Evidence, results: Sequence[Result], *, least: int) -> Outcome:
    """Return all findings with lines and names. They must not leave the site."""
    exact: Cells = lambda cells: {name: str(count) for name, count in cells.items()}  # noqa: E731
    return _outcome(evidence, results, private=True, least=least, shown=str, cells=exact)


def shareable_outcome(evidence: Evidence, results: Sequence[Result], *, least: int) -> Outcome:
    """Return the counts, as they may be shown to others, and nothing else."""
    shown, cells = partial(disclosed, least=least), partial(disclosed_cells, least=least)
    return _outcome(evidence, results, private=False, least=least, shown=shown, cells=cells)


def _outcome(
    evidence: Evidence, results: Sequence[Result], *, private: bool, least: int, shown: Shown, cells: Cells
) -> Outcome:
    told = [_finding(result.check, result.found, private=private, shown=shown, cells=cells) for result in results]
    findings = [replace(one, blind=one.check.is_blind(evidence)) for one in told]
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
    return Finding(check, found.fired, count, shown(found.of), cells(found.detail), said, places)


def _place(case: Case) -> str:
    """Where a study is: its line in the manifest, its name and its image, on one line."""
    return " ".join(f"line {case.line}: {case.name} {case.image}".split())


HIDDEN = "hidden"
"""Shown in place of two counts. At least one of them is small."""


def disclosed(count: int, *, least: int) -> str:
    """Return a count as it may be shown: "0", "<5", or a multiple of 5, for a least cell of 5.

    Args:
        count: of studies or files.
        least: the least cell that is shown; 1 shows every count as it is.
    """
    if count == 0:
        return "0"
    if count < least:
        return f"<{least}"
    return str(max(least, (2 * count + least) // (2 * least) * least))


def disclosed_cells(cells: Mapping[str, int], *, least: int) -> dict[str, str]:
    """Return a table's cells for sharing. The total may be known, so a single small count hides two cells."""
    shown = {name: disclosed(count, least=least) for name, count in cells.items()}
    by_size = sorted((count, name) for name, count in cells.items() if count)
    if sum(count < least for count, _ in by_size) == 1:
        shown |= {name: HIDDEN for _, name in by_size[:2]}
    return shown
