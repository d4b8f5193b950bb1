"""Reads a site's report grammar: the file ``report_grammar.yml`` beside its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from fedaid.data.report.grammar import ENGLISH, FALLBACKS, ReportGrammar, of_words, plain
from fedaid.errors import InputError, closest, require

FILE_NAME = "report_grammar.yml"
MAX_BYTES = 1 << 16
MAX_WORDS, MAX_LENGTH = 200, 80

HEADINGS = ("findings", "impression", "joint", "dropped", "addendum")
LINES = ("boilerplate", "signatures")
_KEYS = (*HEADINGS, *LINES, "fallback")
_REMEDY = f"Compare {FILE_NAME} with the examples in docs/report-grammars."


def site_grammar(root: Path) -> ReportGrammar:
    """Return the grammar beside a site's manifest, or the English one if there is none."""
    file = root / FILE_NAME
    return read_grammar(file) if file.is_file() else ENGLISH


def read_grammar(file: Path) -> ReportGrammar:
    """Return the grammar of a YAML file.

    Its keys are those of :func:`fedaid.data.report.grammar.of_words`: seven lists of words, and `fallback`.

    Raises:
        InputError: if the file is not readable YAML of at most 64 KiB, has an unknown key or fallback, a list that is
            too long or holds anything but words of 1 to 80 characters with a letter, one heading for two sections, or
            no heading of findings or impression.
    """
    content = _content(file)
    for key in content:
        known = key in _KEYS
        require(known, "key", "be a known one", got=key, where=file.name, remedy=closest(key, list(_KEYS)))
    words = {key: _words(content.get(key), key, where=file.name) for key in (*HEADINGS, *LINES)}
    _require_one_section_each(words, where=file.name)
    kept = words["findings"] or words["impression"] or words["joint"]
    rule = "name a heading of findings, impression or joint"
    require(bool(kept), "grammar", rule, got="none", where=file.name, remedy=_REMEDY)
    fallback = content.get("fallback", FALLBACKS[0])
    if fallback not in FALLBACKS:
        rule = f"be one of {', '.join(FALLBACKS)}"
        raise InputError("fallback", rule, got=repr(fallback)[:40], where=file.name, remedy=_REMEDY)
    return of_words(**words, fallback=str(fallback))


def _content(file: Path) -> Mapping[str, object]:
    """The mapping in a file. Anchors and repeated keys are errors, because a reader could miss their effect."""
    rule, where = "be a mapping in YAML, UTF-8, without anchors and repeated keys", file.name
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        got = f"more than {MAX_BYTES} bytes"
        require(len(data) <= MAX_BYTES, "grammar", "be small", got=got, where=where, remedy=_REMEDY)
        text = data.decode("utf-8-sig")
        plain_yaml = not any(isinstance(token, (yaml.AliasToken, yaml.AnchorToken)) for token in yaml.scan(text))
        root = yaml.compose(text, Loader=yaml.SafeLoader) if plain_yaml else None
        content = yaml.safe_load(text) if isinstance(root, yaml.MappingNode) else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("grammar", rule, got=type(error).__name__, where=where, remedy=_REMEDY) from None
    if not isinstance(root, yaml.MappingNode) or not isinstance(content, dict) or len(content) < len(root.value):
        raise InputError("grammar", rule, got="something else", where=where, remedy=_REMEDY)
    return {str(key)[:MAX_LENGTH]: value for key, value in content.items()}


def _words(given: object, key: str, *, where: str) -> tuple[str, ...]:
    """The words of one list."""
    if given is None:
        return ()
    rule = f"be a list of at most {MAX_WORDS} words"
    if not isinstance(given, list) or len(given) > MAX_WORDS:
        raise InputError(key, rule, got=f"a {type(given).__name__}", where=where, remedy=_REMEDY)
    for number, entry in enumerate(given, start=1):
        if not isinstance(entry, str) or len(entry) > MAX_LENGTH or not any(map(str.isalpha, entry)) or "\n" in entry:
            rule = f"hold words of at most {MAX_LENGTH} characters on one line"
            remedy = "Put it in quotes, without a colon at its end." if not isinstance(entry, str) else "Shorten it."
            raise InputError(f"{key}, entry {number},", rule, got="something else", where=where, remedy=remedy)
    return tuple(" ".join(entry.split()).removesuffix(":").rstrip() for entry in given)


def _require_one_section_each(words: Mapping[str, tuple[str, ...]], *, where: str) -> None:
    """Raise if one heading opens two sections."""
    owners = {"findings": "findings", "impression": "impression"}
    for kind in HEADINGS:
        for heading in words[kind]:
            owner = owners.setdefault(plain(heading), kind)
            got = f"{heading!r} under {owner} and {kind}"
            require(owner == kind, "heading", "open one section", got=got, where=where, remedy="Drop one of them.")
