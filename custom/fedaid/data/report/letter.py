"""The parts of a letter around a report: letterhead, salutation and signature, in five languages.

A signature crosses empty lines, because there is room for a pen. After a valediction ("Kind regards,") everything goes
up to a heading or a sentence. After other words of a signature ("Dictated by:") only the lines that look like names go.
All patterns are for one line of text with single blanks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_VALEDICTION = re.compile(
    r"(?:with )?(?:(?:many thanks and )?(?:kind|best|warm)(?:est)? (?:regards|wishes)|yours (?:sincerely"
    r"|faithfully|truly)"
    r"|sincerely|regards|end of (?:the )?(?:report|document|dictation)\b"
    r"|(?:mit )?(?:freundlichen|freundlichem|kollegialen|kollegialem|besten|herzlichen"
    r"|vielen) (?:kollegialen )?(?:grüßen|grüssen|gruß|gruss"
    r"|empfehlungen|grüße)|freundliche grüße|beste grüße|mfg|mkg|hochachtungsvoll|ende des (?:befundes|berichts)"
    r"|befundende"
    r"|(?:bien |très )?(?:confraternellement|cordialement|sincèrement|amicalement)|(?:avec |recevez,? |veuillez "
    r"|je vous prie )[^.]{0,80}"
    r"(?:salutations|sentiments|considération)[^.]{0,40}|(?:meilleures |mes )?salutations"
    r"|fin du (?:compte[- ]rendu|rapport)"
    r"|(?:\w+ ){0,2}(?:grüße|grüsse|gruß|gruss|groet(?:en|jes)?)"
    r"|atentamente|(?:reciba |le envía |con )?(?:un |mis? )?(?:cordial(?:es)? |atent[oa]s? "
    r"|afectuos[oa] )?(?:saludos?|abrazo)(?: cordial(?:es)?)?"
    r"|cordialmente|fin (?:del|de) informe"
    r"|(?:met |hartelijke? )?(?:vriendelijke|collegiale|hartelijke|beste) groet(?:en)?|hoogachtend|mvg"
    r"|einde (?:van het )?(?:verslag|rapport)"
    r")\b[^:]{0,60}$",
    re.IGNORECASE,
)
_SIGNED = re.compile(
    r"(?:this (?:report|document) (?:was|has been) |dieser? (?:befund|bericht|dokument) wurde "
    r"|ce (?:compte[- ]rendu|document) a été"
    r" |este informe ha sido |dit verslag is )?(?:electronically |digitally |elektronisch |électroniquement "
    r"|electrónicamente |digitaal )?"
    r"(?:signed|e-signed|approved|verified|dictated|transcribed|authenticated|finali[sz]ed|typed|validated|read"
    r"|reviewed|interpreted|reported"
    r"|signiert|freigegeben|validiert|vidiert|unterschrieben|unterzeichnet|diktiert|befundet|geschrieben|gez\."
    r"|i\. ?[av]\.|ppa\."
    r"|signée?|validée?|dictée?|rédigée?|interprétée?|relue?|firmado|fdo\.?|validado|dictado|informado"
    r"|transcrito|elaborado|revisado"
    r"|ondertekend|geautoriseerd|gedicteerd|verslagen|gefiatteerd|w\.g\.)"
    r"(?: (?:electronically|digitally|elektronisch|digital|électroniquement|electrónicamente|digitalmente))?"
    r"(?: (?:and|und|et|y|en) \w{1,15})? ?(?:$|by\b|:|durch\b|von\b|par\b|por\b|door\b|le\b|am\b|op\b|on\b|\[)"
    r"|(?:cc|copy to|copies to|kopie an|nachrichtlich an?|copie à|copia a|kopie aan|verteiler)\b ?:?"
    r"|(?:this )?(?:report|document|study|examination) (?:verified|signed|approved|dictated|interpreted"
    r"|finali[sz]ed|read|reported) by\b"
    r"|(?:signature|unterschrift|firma|handtekening|befunder(?:in)?|untersucher|radiologist|attending|author|supervis\w{2,5}"
    r"|rédact\w{3,5}|erstellt|verslaglegger|radiólog[oa] que informa)\s?(?::|$)",
    re.IGNORECASE,
)
_SALUTATION = re.compile(
    r"(?:dear\b|to whom it may concern|sehr (?:geehrte|verehrte)|liebe[rs]? (?:frau|herr|kolleg|dr\b)|verehrte"
    r"|geschätzte|werte[r]? "
    r"|ch(?:er|ère)s?\b|très cher|(?:madame|monsieur)\b[, ]|estimad[oa]s?\b|apreciad[oa]s?\b|distinguid[oa]s?\b"
    r"|querid[oa]s?\b|muy señor|lieber? (?=\w+[ ,!])|hallo\b|hello\b|hi\b|bonjour\b|(?:mon|ma) ch(?:er|ère)\b"
    r"|hola\b|guten tag\b"
    r"|buenos días\b|goedendag\b|good (?:morning|afternoon|day)\b"
    r"|geachte\b|beste (?:collega|dokter|heer|mevrouw|dr\b|\[)|waarde\b|hooggeachte)[^.:]{0,90}[,:!]?$",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:(?:many )?thanks?(?: you)?|we thank|vielen dank|herzlichen dank|wir (?:danken|berichten"
    r"|bedanken)|ich berichte|merci"
    r"|(?:je|nous) vous remerci|gracias|(?:le |les )?agrade|hartelijk dank|dank voor|bedankt|wij danken)\b",
    re.IGNORECASE,
)
_ADDENDUM = re.compile(
    r"(?:addend|amend|nachtrag|ergänz|complément|additif|adend|adición|aanvulling|correction|korrektur)", re.IGNORECASE
)
_MARKED = re.compile(r"\[(?:NAME|ADDRESS|INSTITUTION|PHONE|EMAIL|URL|ZIP)\]")
_ROLE = re.compile(
    r"\b(?:m\.?d\.?|d\.?o\.?|frcr|ph\.?d\.?|mbbs|mrcp|facr|r\.?n\.?|consultant|radiologist|radiographer"
    r"|registrar|resident|fellow|attending"
    r"|physician|staff|transcriptionist|dr|prof|chefarzt|chefärztin|oberarzt|oberärztin|assistenzarzt"
    r"|assistenzärztin|facharzt|fachärztin"
    r"|arzt|ärztin|radiologe|radiologin|med|radiologue|médecin|praticien|interne|docteur|radiólog[oa]|médico"
    r"|médica|facultativ[oa]|col"
    r"|radioloog|arts|longarts)\b",
    re.IGNORECASE,
)
_NAME_WORD = re.compile(
    r"\(?(?:\[[A-Z]+\]|[^\W\d_a-z][\w'’.-]*|van|von|der|den|de|la|le|del|du|dos|y|e|zu|für|of|and|und|et|en|in"
    r"|the|at|med\.?|univ\.?"
    r"|hospitalier|universitaire|radiologist|consultant|radiologue|radioloog|arts|ter|ten|['’]t|[\d./:-]+|[-–"
    r"|/&])[,;.)]*"
)
_REPORT_WORDS = re.compile(
    r"\b(?:no|normal|clear|lungs?|heart|effusions?|pneumothorax|chest|thorax|stable|unchanged|acute|disease"
    r"|pneumonia|edema|atelectasis|opacity"
    r"|nodule|mass|fracture|kein|keine|erguss|herz|lunge|unauffällig\w*|befund|regelrecht\w*|infiltrat\w*"
    r"|fraktur\w*|pas|sans|poumons?"
    r"|cœur|épanchement|normale?|sin|derrame|corazón|pulmones|geen|longen|hart|normaal|left|right|links|rechts"
    r"|gauche|droite?|izquierd[oa]"
    r"|derech[oa]|bilateral\w*)\b",
    re.IGNORECASE,
)
_ATTESTED = re.compile(
    r"(?:i (?:have )?(?:personally )?(?:reviewed|interpreted|supervised|was present)|gelesen und|vu et approuvé)\b",
    re.IGNORECASE,
)
_ROLE_ONLY = re.compile(r"(?:(?:[^\W\d_][\w.]*|[-/&]) ){0,2}[^\W\d_][\w.]*:?")
_DRAWN = re.compile(r"[_.=*~–—-]{3,}")
_MOST_HEAD, _MOST_WORDS, _MOST_CLOSING = 30, 10, 6


def body(text: str, heading: re.Pattern[str]) -> str:
    """Return a report without letterhead, salutation and signature.

    Args:
        text: with single blanks, and at most one empty line in a row.
        heading: the pattern of a heading, see :class:`fedaid.data.report.grammar.ReportGrammar`.
    """
    below = _without_head(text.split("\n"), heading)
    return "\n".join(_without_foot(_without_last_name(below, heading), heading)).strip("\n")


def _without_last_name(lines: Sequence[str], heading: re.Pattern[str]) -> Sequence[str]:
    """The lines without names at the end, if they stand below a line that closes a letter, or around a role."""
    start = len(lines)
    while start and not _is_heading(lines[start - 1], heading) and (not lines[start - 1] or _is_name(lines[start - 1])):
        start -= 1
    named = any(lines[start:])
    places = (place for place in range(max(start - 1, 0), len(lines)) if named and _closes(lines, place, heading))
    return lines[: next(places, len(lines))]


def _closes(lines: Sequence[str], place: int, heading: re.Pattern[str]) -> bool:
    """Whether a line closes a letter: thanks, a role, a drawn line, or a greeting between empty lines.

    A greeting is a few words and a comma. A line drawn below a heading closes nothing.
    """
    line, below = lines[place], lines[place + 1 :]
    last = next(filter(None, reversed(lines[:place])), "")
    if not line or _REPORT_WORDS.search(line):
        return False
    if _DRAWN.fullmatch(line):
        found = heading.match(last)
        return found is None or found.end() < len(last)
    alone = place > 0 and not lines[place - 1] and last.endswith((".", "!", "?")) and len(below) > 1 and not below[0]
    greeting = alone and line.endswith((",", "!")) and len(line.split()) <= _MOST_CLOSING
    return greeting or _is_role(line) or any(kind.match(line) for kind in (_THANKS, _ATTESTED))


def _is_role(line: str) -> bool:
    """Whether a line has nothing but a role, such as "Consultant Radiologist"."""
    return _ROLE_ONLY.fullmatch(line) is not None and _ROLE.search(line) is not None


def _without_head(lines: Sequence[str], heading: re.Pattern[str]) -> Sequence[str]:
    """The lines below the salutation; without one, below the paragraphs of addresses at the top."""
    for number, line in enumerate(lines[:_MOST_HEAD]):
        if _SALUTATION.match(line):
            below = lines[number + 1 :]
            return [line for line in below if not _THANKS.match(line)]
        if _is_kept(line, heading) or _is_sentence(line):
            break
    start = 0
    while (end := _paragraph_end(lines, start)) < len(lines) and _is_address(lines[start:end], heading):
        start = end + 1
    return lines[start:]


def _is_kept(line: str, heading: re.Pattern[str]) -> bool:
    """Whether a line opens a section that is kept."""
    found = heading.match(line)
    return found is not None and found["dropped"] is None and (found["bare"] is None or line[:1].isupper())


def _is_heading(line: str, heading: re.Pattern[str]) -> bool:
    """Whether a line opens a section, or an addendum."""
    found = heading.match(line)
    opens = found is not None and (found["bare"] is None or line[:1].isupper())
    return opens or _ADDENDUM.match(line) is not None


def _paragraph_end(lines: Sequence[str], start: int) -> int:
    return next((number for number in range(start, len(lines)) if not lines[number]), len(lines))


def _is_address(paragraph: Sequence[str], heading: re.Pattern[str]) -> bool:
    """Whether a paragraph is short lines without a sentence and a heading, and the scrubber found an address in it."""
    short = all(len(line.split()) <= 10 and not _is_sentence(line) for line in paragraph)
    headed = any(_is_heading(line, heading) for line in paragraph)
    return short and not headed and any(map(_MARKED.search, paragraph))


def _without_foot(lines: Sequence[str], heading: re.Pattern[str]) -> list[str]:
    """The lines without signatures."""
    kept: list[str] = []
    closed = signed = False
    for line in lines:
        if _is_heading(line, heading) and not _SIGNED.match(line):
            closed = signed = False
        elif _VALEDICTION.match(line):
            closed = True
        elif closed and _is_sentence(line) and not _MARKED.search(line) and not _SIGNED.match(line):
            closed = False
        elif _SIGNED.match(line) and not _is_sentence(line):
            signed = True
            continue
        elif signed and line:
            signed = _is_name(line)
        if not (closed or (signed and line)):
            kept.append(line)
    while kept and (not kept[-1] or _is_signature(kept[-1], heading)):
        kept.pop()
    return kept


def _is_name(line: str) -> bool:
    """Whether a line has nothing but names, titles, tags and numbers."""
    words = line.split(maxsplit=_MOST_WORDS)
    return len(words) <= _MOST_WORDS and all(map(_NAME_WORD.fullmatch, words)) and not _REPORT_WORDS.search(line)


def _is_sentence(line: str) -> bool:
    """Whether a line has at least five words and ends as a sentence does."""
    return line.endswith((".", "!", "?")) and len(line.split(maxsplit=5)) >= 5


def _is_signature(line: str, heading: re.Pattern[str]) -> bool:
    """Whether the last line of a report is the name of who signed it: like a name, and with a tag or a role."""
    marked = _MARKED.search(line) is not None or _ROLE.search(line) is not None
    return marked and _is_name(line) and not _is_heading(line, heading)
