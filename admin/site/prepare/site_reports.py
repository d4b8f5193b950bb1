"""Writes a prepared site's reports, one file per study: findings and impression, without identifiers.

The whole report is scrubbed first and cut into sections afterwards. A name often stands far from the words that
announce it, and cutting could remove these words and leave the name. If the report had
an identifier, what is left is scrubbed again, on one line.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from admin.site.prepare.journal import Journal
from admin.site.prepare.records import Record
from fedaid.atomic_file import write_private
from fedaid.data.pseudonym import Pseudonyms
from fedaid.data.report.deny_list import NOTHING, DenyList
from fedaid.data.report.grammar import ENGLISH, ReportGrammar
from fedaid.data.report.scrub import RULES, Scrubbed, scrub
from fedaid.data.report.sections import Report, sections
from fedaid.data.unusable import UnusableStudy


@dataclass(frozen=True, slots=True)
class Written:
    """A line of the journal of reports: the keyed hash of a report's input, or the reason why it was refused.

    `addenda` is the number of addenda in the report.
    """

    file: str
    stamp: str
    reason: str | None
    addenda: int = 0


class SiteReports:
    """The folder of reports. A report is written again only if its input changed.

    Args:
        folder: the folder of text files.
        journal: the journal of written reports.
        names: the site's pseudonyms. Their key makes the hashes.
        grammar: grammar of the site's reports. If it, the patterns or `deny` changed, all reports are read again.
        deny: the site's own phrases to remove.
    """

    def __init__(
        self,
        folder: Path,
        journal: Journal[Written],
        *,
        names: Pseudonyms,
        grammar: ReportGrammar = ENGLISH,
        deny: DenyList = NOTHING,
    ) -> None:
        self._folder, self._journal, self._key = folder, journal, names.key
        self._grammar, self._deny = grammar, deny
        self.scrubbed: Counter[str] = Counter()
        self.addenda = 0

    def path(self, study: str) -> Path:
        """Return the path of a study's report."""
        return self._folder / f"{study}.txt"

    def write(self, study: str, record: Record) -> str | None:
        """Write a study's report. Return the code if it is unusable, otherwise None."""
        text, reason = _text(record)
        rules = (self._grammar.identity, RULES, *self._deny.phrases)
        stamp = hmac.digest(self._key, ascii((rules, text, reason)).encode(), hashlib.sha256).hex()
        done = self._journal.get(study)
        if done is not None and done.stamp == stamp and (done.reason is not None or self.path(study).exists()):
            self.addenda += done.addenda
            return done.reason
        allowed, denied = self._deny.removed(text)
        clean = scrub(allowed)
        found = sections(clean.text, self._grammar)
        kept = scrub(headed(found)) if denied or clean.counts else Scrubbed(headed(found), {})
        reason = reason or (None if kept.text else "report-empty")
        if reason is None:
            self.scrubbed.update({"DENY LIST": denied} if denied else {})
            self.scrubbed.update(clean.counts)
            self.scrubbed.update(kept.counts)
            write_private(self.path(study), kept.text + "\n")
            self.addenda += found.addenda
        self._journal.add(Written(study, stamp, reason, found.addenda if reason is None else 0))
        return reason


def _text(record: Record) -> tuple[str, str | None]:
    """Return a report's text and, if it is unusable, the code."""
    try:
        return record.report(), None
    except UnusableStudy as unusable:
        return "", unusable.reason


def headed(report: Report) -> str:
    """Return findings and impression under English headings. Without them, return the fallback text."""
    parts = (("FINDINGS", report.findings), ("IMPRESSION", report.impression))
    return "\n\n".join(f"{name}: {text}" for name, text in parts if text) or report.text
