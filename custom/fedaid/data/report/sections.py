"""The parts of a radiology report that describe the image."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from fedaid.data.report.addenda import without_addenda
from fedaid.data.report.empty_words import says_nothing
from fedaid.data.report.examination_title import first_organ, titles
from fedaid.data.report.grammar import ENGLISH, ReportGrammar
from fedaid.data.report.heading_spelling import corrected, plainly_headed
from fedaid.data.report.letter import body
from fedaid.data.report.scrub import CLASSES

_LETTER = re.compile(r"[^\W\d_]")
_RULED = re.compile(r"^[_=*~#–-]{5,}$", re.MULTILINE)
_ENDS = (".", "!", "?")
_FEWEST_WORDS = 3  # of a paragraph without a heading that becomes the findings

Bodies = dict[str, list[str]]


@dataclass(frozen=True)
class Report:
    """The two sections of a report, each on one line and possibly empty, and the text that training uses.

    `addenda` is the number of addenda that the impression, or the findings, took in.
    """

    findings: str = field(repr=False)
    impression: str = field(repr=False)
    text: str = field(repr=False)
    addenda: int = 0


def sections(report: str, grammar: ReportGrammar = ENGLISH) -> Report:
    """Return the findings and the impression of a report, and both as one text.

    History, indication, comparison, technique, names and signatures are dropped: they do not describe the image, and
    they hold most identifiers. Text under an unknown heading belongs to the section before it. An addendum joins the
    impression. A section that says nothing ("nan", "None.", "See report") is empty. Without findings, the text under
    the name of the examination is the findings, else the last paragraph of prose above the impression.

    Args:
        report: free text; headings in any case, on a separate line or before their text.
        grammar: the layout of the site's reports.

    Returns:
        A :class:`Report`. Its `text` is the findings and then the impression. If both are empty, it is the grammar's
        fallback; by default that is the whole text of a report without headings, else the last paragraph of prose. It
        is empty if no letter is left.
    """
    tidy = corrected(plainly_headed(_tidy(report), grammar.heading, but=CLASSES), grammar.spellings)
    rest, added = without_addenda(tidy, grammar.addendum, others=lambda text: _starts(text, grammar))
    addenda = [grammar.frame.sub("", body(one, grammar.heading)) for one in added]
    count = sum(not one.strip() or not says_nothing(one) for one in addenda)  # a blank one has headings below
    plain = _RULED.sub("", grammar.frame.sub("", _titled(body(rest, grammar.heading), grammar))).strip()
    headings = _headings(plain, grammar)
    bodies = _bodies(plain, headings)
    findings, impression = (_joined(bodies[kind]) for kind in ("findings", "impression"))
    if impression and not findings:
        findings = _unheaded(plain, headings, grammar)
    text = _joined([findings, impression]) or _body(_fallback(plain, grammar))
    if _joined(addenda):  # the fallback is what the addendum adds to
        findings = findings or ("" if impression else text)
        impression = _joined([impression, *addenda])
        text = _joined([findings, impression])
    return Report(findings=findings, impression=impression, text=text, addenda=count)


def report_text(report: str, grammar: ReportGrammar = ENGLISH) -> str:
    """Return the `text` of :func:`sections`, on one line."""
    return sections(report, grammar).text


def _tidy(report: str) -> str:
    """The text with single blanks, no blanks at the ends of lines, and at most one empty line in a row."""
    lines = (" ".join(line.split()) for line in report.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _headings(plain: str, grammar: ReportGrammar) -> list[re.Match[str]]:
    """The headings of a text, in order. A heading that runs into its text counts where no other heading is."""
    found = [match for match in grammar.heading.finditer(plain) if _is_heading(match)]
    taken = [(match.start(), match.end()) for match in found]
    for match in grammar.run_in.finditer(plain):
        free = all(end <= match.start() or match.end() <= start for start, end in taken)
        if free and _is_run_in(match):
            found.append(match)
    return sorted(found, key=re.Match.start)


def _starts(text: str, grammar: ReportGrammar) -> list[int]:
    """Where the headings of a text begin."""
    return [match.start() for match in _headings(text, grammar)]


def _is_heading(match: re.Match[str]) -> bool:
    """Whether a match is a heading. Inside a line it needs capitals; without a colon, its own line and a capital."""
    if match["of"] is not None and not _begins_line(match):
        return False
    if match["inline"] is not None or match["glued"] is not None:
        return match["name"].isupper() and match["bare"] is None
    return match["bare"] is None or not match["name"][0].islower()


def _begins_line(match: re.Match[str]) -> bool:
    return match.start() == 0 or match.string[match.start() - 1] == "\n"


def _is_run_in(match: re.Match[str]) -> bool:
    """Whether a match is a heading that runs into its text. It needs capitals, or a capital and a stop."""
    if match["name"].isupper():
        return match["inline"] is None or _kind(match) != "dropped"
    return match["inline"] is None and match["run"] == "." and match["name"][0].isupper()


def _kind(match: re.Match[str]) -> str:
    """The section that a heading opens; a joint section of findings and impression is findings."""
    if match["dropped"] is not None:
        return "dropped"
    return "impression" if match["impression"] is not None else "findings"


def _bodies(plain: str, headings: list[re.Match[str]]) -> Bodies:
    """The texts of each section."""
    ends = [match.start() for match in headings[1:]] + [len(plain)]
    bodies: Bodies = {"findings": [], "impression": [], "dropped": []}
    for match, end in zip(headings, ends, strict=False):
        bodies[_kind(match)].append(plain[match.end() : end])
    return bodies


def _titled(text: str, grammar: ReportGrammar) -> str:
    """The text with a heading of findings at the name of the examination, if it has no findings of its own.

    Without such a name the first heading of an organ ("Lungs:") begins the findings. Within the impression, or directly
    below a heading without text, neither is a heading.
    """
    named, organ = titles(text), first_organ(text)
    headings = _headings(text, grammar) if named or organ is not None else []
    if (not named and organ is None) or _joined(_bodies(text, headings)["findings"]):
        return text
    places = [(title.start(), title.end()) for title in named if _may_open(title.start(), text, headings)]
    if not places and organ is not None and _may_open(organ, text, headings):
        places = [(organ, organ)]
    pieces, place = [], 0
    for start, end in places:
        pieces += [text[place:start], "\nFINDINGS: "]
        place = end
    return "".join([*pieces, text[place:]])


def _may_open(place: int, text: str, headings: list[re.Match[str]]) -> bool:
    """Whether findings may begin at a place: not within a heading, the impression, or below a heading without text."""
    above = [match for match in headings if match.start() < place]
    if not above:
        return True
    last = above[-1]
    return last.end() <= place and _kind(last) != "impression" and bool(_LETTER.search(text[last.end() : place]))


def _unheaded(plain: str, headings: list[re.Match[str]], grammar: ReportGrammar) -> str:
    """The prose above the impression of a report without findings: its last paragraph that has no heading.

    It counts below a section to drop, or if nothing else is above the headings: a letter has more than that there.
    """
    first = next(match.start() for match in headings if _kind(match) == "impression")
    above = plain[:first].strip()
    paragraphs = [paragraph for paragraph in above.split("\n\n") if paragraph.strip()]
    if grammar.fallback == "none" or not (len(paragraphs) == 1 or headings[0].start() < first):
        return ""
    start = headings[0].start() if headings[0].start() < first and len(paragraphs) > 1 else 0
    prose = _body(_free(plain[start:first], grammar, all_of_it=grammar.fallback == "whole text"))
    return prose if len(prose.split()) >= _FEWEST_WORDS and prose.endswith(_ENDS) else ""


def _fallback(plain: str, grammar: ReportGrammar) -> str:
    """The text of a report without findings and impression: all of it, or prose among its paragraphs."""
    if grammar.fallback == "none":
        return ""
    if not _headings(plain, grammar):
        return _one_line(plain)
    return _free(plain, grammar, all_of_it=grammar.fallback == "whole text")


def _free(plain: str, grammar: ReportGrammar, *, all_of_it: bool) -> str:
    """The paragraphs, or the last paragraph, that belong to no heading."""
    free: list[str] = []
    for paragraph in plain.split("\n\n"):
        headings = _headings(paragraph, grammar)
        before = paragraph[: headings[0].start()] if headings else paragraph
        if not headings or before.endswith(_ENDS):  # otherwise it is a title
            free.append(_one_line(before))
    kept = [prose for prose in free if prose]
    return " ".join(kept if all_of_it else kept[-1:])


def _body(text: str) -> str:
    """A section on one line, empty if it says nothing."""
    return "" if says_nothing(text) else _one_line(text)


def _joined(texts: Iterable[str]) -> str:
    """The texts that say something, on one line."""
    return " ".join(filter(None, map(_body, texts)))


def _one_line(text: str) -> str:
    """The text on one line, without leading punctuation; empty if it has no letter."""
    line = " ".join(text.split()).lstrip(".:;, ")
    return line if _LETTER.search(line) else ""
