"""Write the report of one study from its findings, in its hospital's style."""

from __future__ import annotations

from numpy.random import Generator

from admin.twin.findings import Finding, Findings
from admin.twin.writing.phrases import STYLES, Style

IMPRESSION_LENGTH = 3


def write_report(findings: Findings, rng: Generator, *, style: str, follow_up: bool) -> str:
    """Return the text of a report: every finding with its attributes, and some absent findings.

    Args:
        findings: findings of the study.
        rng: random source of the phrasing.
        style: a name in ``phrases.STYLES``.
        follow_up: whether the patient has an earlier study for comparison.
    """
    voice = STYLES[style]
    seen = [_sentence(item, voice, rng) for item in findings.items]
    absent = [_pick(rng, voice.negative[kind]) for kind in _absent_kinds(findings, voice, rng)]
    text = voice.layout.format(
        history=_pick(rng, voice.history),
        comparison="Prior radiograph" if follow_up else "None",
        findings=voice.joint.join(seen + absent),
        impression=_impression(findings, voice, rng),
    )
    return text.strip() + "\n"


def _impression(findings: Findings, voice: Style, rng: Generator) -> str:
    """Return the first findings again if the layout has an impression; a normal study always gets a normal phrase."""
    if not findings.items:
        return _pick(rng, voice.normal)
    if "IMPRESSION" not in voice.layout:
        return ""
    first = [_sentence(item, voice, rng) for item in findings.items[:IMPRESSION_LENGTH]]
    return " ".join(f"{number}. {text}" for number, text in enumerate(first, start=1))


def _sentence(item: Finding, voice: Style, rng: Generator) -> str:
    """Return one finding in words, with a capital first letter."""
    values = {name: voice.words.get(word, word) for name, word in _attributes(item)}
    text = _pick(rng, voice.positive[item.kind]).format(**values)
    return text[0].upper() + text[1:]


def _attributes(item: Finding) -> tuple[tuple[str, str], ...]:
    return ("side", item.side), ("zone", item.zone), ("extent", item.extent)


def _absent_kinds(findings: Findings, voice: Style, rng: Generator) -> list[str]:
    """Return a random choice of absent kinds that the report mentions."""
    absent = [kind for kind in voice.negative if not findings.of(kind)]
    chosen = rng.permutation(len(absent))[: voice.negatives]
    return [absent[index] for index in sorted(chosen)]


def _pick(rng: Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]
