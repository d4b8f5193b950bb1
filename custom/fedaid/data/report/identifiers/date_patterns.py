"""Dates in the text of a report. A year alone stays, as Safe Harbor allows, unless it is a year of birth."""

from __future__ import annotations

from fedaid.data.report.identifiers.calendar_words import (
    DAY_WORDS,
    ENGLISH_MONTHS,
    FULL_MONTHS,
    HOLIDAYS,
    SHORT_MONTHS,
    UPPER_MONTHS,
    WEEKDAYS,
)
from fedaid.data.report.identifiers.rule import NO_MEASURE, rules

_DAY, _MONTH = r"(?:3[01]|[12]\d|0?[1-9])", r"(?:1[0-2]|0?[1-9])"
_YEAR, _ANY_YEAR = r"(?:19|20)\d{2}", r"(?:(?:19|20)\d{2}|['’]?\d{2})"
_NAMED = rf"(?:(?i:{FULL_MONTHS})(?![^\W\d_])|(?:{SHORT_MONTHS}|{UPPER_MONTHS})(?![^\W\d_])\.?)"
_NAMED_ANY_CASE = rf"(?:(?i:{FULL_MONTHS})(?![^\W\d_])|(?i:{SHORT_MONTHS})(?![^\W\d_])\.?)"
_ORDINAL = r"(?:st|nd|rd|th|er|\.|º)?"
_NOT_IN_NUMBER = r"(?<![\w.,])(?<!\d[-/])"
_CUE = (
    r"(?i:\b(?:on|dated?|dd|d\.d\.|from|since|until|till|through|as of|prior|previous|comparison|comparison (?:to|with)"
    r"|compared (?:to|with)|versus|vs\.?|(?:exam(?:ination)?|study|film|radiographs?|x-?ray|cxr|ct)(?: of)?"
    r"|am|vom|seit|le|du|el|del|op)[: ]{1,2})"
)
_NO_PART = r"(?!\s?(?:of|views?|images?|series|slices?|ribs?|zones?|lobes?|thirds?|lungs?|quadrants?)\b)"
_DATES = (
    rf"{_NOT_IN_NUMBER}{_YEAR}(?P<s>[-/.]){_MONTH}(?P=s){_DAY}(?!\d)(?:T[\d:.]{{4,15}}Z?)?",
    rf"{_NOT_IN_NUMBER}{_DAY}(?P<s> ?[-/.] ?){_DAY}(?P=s){_ANY_YEAR}(?![\w/-])(?:\b|(?<=\d)){NO_MEASURE}",
    rf"(?<!\d){_YEAR}(?:1[0-2]|0[1-9])(?:3[01]|[12]\d|0[1-9])(?!\d)",
    rf"(?<![\w.]){_DAY}{_ORDINAL}[ /-]{{0,2}}(?:of |de )?{_NAMED_ANY_CASE}[ ,/-]{{0,2}}(?:of |de )?{_ANY_YEAR}(?!\w)",
    rf"(?<![\w.]){_DAY}{_ORDINAL}[ /-]{{0,2}}(?:of |de )?{_NAMED}(?!\w)",
    rf"(?<!\w){_NAMED_ANY_CASE}[ -]?{_DAY}(?:st|nd|rd|th)?,?[ -]{_YEAR}(?!\w)",
    rf"(?<!\w){_NAMED}[ -]?{_DAY}(?:st|nd|rd|th)?(?:, ?['’]?\d{{2}})?(?!\w|:\d){NO_MEASURE}",
    rf"(?<!\w){_NAMED_ANY_CASE},?[ /-]{{0,2}}(?:of |de )?(?:{_YEAR}|['’]\d{{2}})(?!\w)",
    rf"(?i:\b(?:in|since|from|last|until|dated|early|late|mid|by|end of"
    rf"|beginning of)[ -])(?P<x>{ENGLISH_MONTHS})(?!\w)",
    rf"(?<!\w)(?P<x>{_NAMED_ANY_CASE}),?[ -](?=\[DATE\])",
    rf"(?<=\[DATE\][ -])(?P<x>{_NAMED})(?!\w)",
    rf"{_NOT_IN_NUMBER}{_MONTH}[/-]{_YEAR}(?![\w/-]){NO_MEASURE}",
    rf"{_NOT_IN_NUMBER}(?:0[1-9]|1[0-2])\.{_YEAR}(?!\w){NO_MEASURE}",
    rf"{_CUE}(?P<x>{_MONTH}/{_DAY}|{_DAY}/{_MONTH})(?![\w/]){NO_MEASURE}{_NO_PART}",
    rf"(?i:\b(?:am|vom|seit|zum|bis|dem|und|u\.|op|d\.d\.|van|aus)[ ])(?P<x>{_DAY}\. ?{_MONTH}\.)(?! ?\d)",
    r"(?<![\w.,:/-])(?<!\n)(?P<x>(?:3[01]|[12]\d|0[1-9])\.(?:1[0-2]|0[1-9])\.)(?! ?\w)",
    r"(?i:\b(?:aus|von|vom|seit|im|in|from|of|dated|since|prior|en|de|du|depuis|desde|del|uit|van|sinds)[ ])"
    rf"(?P<x>0[1-9]/\d\d|1[0-2]/(?:1[3-9]|[02-9]\d)|[1-9]/(?:1[3-9]|[2-9]\d))(?![\w/]){NO_MEASURE}{_NO_PART}",
    rf"(?i:\b(?:KW|calendar week|week|semaine|semana) ?)(?P<x>\d{{1,2}}[ /]{_ANY_YEAR})(?!\w)",
)
_OTHER = (
    r"(?<![\w.-])(?:3[01]|[12]\d|0?[1-9])\. ?[/-] ?(?:3[01]|[12]\d|0?[1-9])\.(?:1[0-2]|0?[1-9])\.(?!\d)",
    r"(?<![\w.,/-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?![\w-]|[.,]\d)",
    r"(?i:\b\d{1,2}(?:st|nd|rd|th) (?:inst|ult)\b\.?)",
)
_SMALL_MONTHS = (
    rf"(?:{_CUE}|(?i:\b(?:van|uit|aus) ))(?P<x>(?i:{SHORT_MONTHS}) {_DAY}|{_DAY} (?i:{SHORT_MONTHS}))(?![\w/]"
    rf"|[.,]\d){NO_MEASURE}{_NO_PART}",
)
_WORDS = (
    rf"(?<![\w.]){_DAY}[-/](?i:{SHORT_MONTHS})(?:[-/]{_ANY_YEAR})?(?![\w])",
    rf"(?i:\b(?P<x>(?:{DAY_WORDS})[ -](?:of |de |d['’])?(?:{FULL_MONTHS}|may|mai)(?:,? (?:of |de )?{_YEAR})?))(?!\w)",
    rf"(?i:(?<!\w)(?:{FULL_MONTHS}|may) (?:the )?(?:{DAY_WORDS})(?:,? {_YEAR})?)(?!\w)",
    r"(?i:\b(?:im|seit|bis|ab|anfang|ende|mitte|en|depuis|fin|début|depuis le mois de|au mois de|desde|sinds|eind|begin"
    rf"|half|in|vorigen|letzten)[ ])(?P<x>{FULL_MONTHS}|Mai)(?!\w)",
)
_DAYS = (
    rf"(?i:\b(?:{WEEKDAYS})\b(?:,? (?:the |den |dem |le |el |de )?(?:\d{{1,2}}(?:st|nd|rd|th|\.|er|º)?|(?:{DAY_WORDS}))"
    r"(?![\w.,]?\d|\w))?)",
    rf"\b(?:{HOLIDAYS})(?!\w)(?: {_YEAR})?",
    r"(?i:\b(?:on|of|since|from) )(?P<x>the \d{1,2}(?:st|nd|rd|th))(?=[.,;)]|$| (?:of|at|and|he|she)\b)",
)
_BIRTH_YEARS = (
    r"(?i:\b(?:born(?: in| about)?|birth(?: year|date)?(?: in)?|year of birth|yob|dob|née?(?:\(e\))? en|naissance"
    r"|geboren(?: in)?|geb\.|geb\.-?jahr|geburtsjahr|jahrgang|nacid[oa] en|nacimiento|geboortejaar|bouwjaar)"
    r"\s?[:.]?\s?)(?P<x>(?:1[89]|20)\d\d)(?![\w/-]|\.\d)",
)

_FEASTS = (
    "shrove|ash|maundy|palm|hogman|advent|remem|christ|new|easter|boxing|thanks|whit|indepe|memori|lab|vetera|columb|bank|mother|valent|saint|st|good"
    "|hallow|pente|hanukk"
    "|passov|yom|ramada|eid|diwali|junete|heilig|silves|weihna|neujah|oster|karfre|gründo|pfings|fronle|allerh|rosenm"
    "|ascher|nikola|dreikö|tag|noël|pâques|la|l|jour|fête|noche|navida|semana|doming|lunes|vierne|año|día|eerste|tweede"
    "|kerst|paas|pinkst|pasen|hemelv|koning|oud|nieuwj|sinter|bevrij|goede"
)
_MONTHS = f"{FULL_MONTHS}|{SHORT_MONTHS}|{UPPER_MONTHS}"
DATES = (
    *rules("DATE", *_DATES[:3]),
    *rules("DATE", *_WORDS, *_DATES[3:11], starts=_MONTHS),
    *rules("DATE", *_OTHER),
    *rules("DATE", *_SMALL_MONTHS, starts=SHORT_MONTHS.lower()),
    *rules("DATE", *_DATES[11:13], *_DATES[14:16]),
    *rules("DATE", _DATES[13], _DATES[16], hints="/"),
    *rules("DATE", _DATES[17], starts="kw|calendar|week|semaine|semana"),
    *rules("DATE", _DAYS[1], starts=_FEASTS),
    *rules("DATE", _DAYS[0], starts=WEEKDAYS),
    *rules("DATE", _DAYS[2], hints="the "),
    *rules("DATE", *_BIRTH_YEARS, hints="born|birth|yob|dob|né|naiss|geb|jahrgang|nac|geboorte|bouwjaar"),
)
"""The rules of dates."""
