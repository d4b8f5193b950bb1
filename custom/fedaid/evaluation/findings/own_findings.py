"""A user's own findings: a YAML or JSON file of finding → prompts, checked line by line.

The prompts go to the sites with a job. Only the names of the findings come back, with their metrics.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from fedaid.errors import InputError, closest, require
from fedaid.evaluation.findings.prompt_set import Prompts, PromptSet, plain

SIDES, LABEL = ("positive", "negative"), "label"
FIELDS = (*SIDES, LABEL)
MOST_FINDINGS, MOST_TEXTS, LONGEST_TEXT, LONGEST_NAME = 20, 20, 200, 40
MAX_BYTES = 1 << 16
REMEDY = "docs/evaluation.md has an example."
Findings = Mapping[str, Mapping[str, Any]]  # finding → "positive" and "negative" → prompts, "label" → names in labels
Place = Callable[..., str]  # finding, field, number of an entry → where it is
NO_FINDINGS: Findings = MappingProxyType({})


def read_own_findings(file: Path) -> dict[str, dict[str, Any]]:
    """The findings of a file, sound.

    Raises:
        InputError: naming the line.
    """
    root, lines = _root(file), dict[tuple[Any, ...], int]()
    findings: dict[str, dict[str, Any]] = {}
    for finding, fields in _entries(root, file, lines, "finding", ()):
        findings[finding] = {}
        for field, node in _entries(fields, file, lines, "field", (finding,)):
            findings[finding][field] = yaml.SafeLoader("").construct_object(node, deep=True)
            entries = node.value if isinstance(node, yaml.SequenceNode) else []
            lines |= {(finding, field, n): entry.start_mark.line + 1 for n, entry in enumerate(entries)}

    def place(*at: Any) -> str:
        known = next((lines[at[:length]] for length in range(len(at), 0, -1) if at[:length] in lines), None)
        return f"{file.name}, line {known}" if known else file.name

    require_sound(findings, place)
    return findings


def require_sound(findings: Findings, place: Place) -> None:
    """Refuses findings that are too many, and one without prompts on both sides, or with a field of another form.

    Args:
        findings: as read.
        place: where something is, for the message.

    Raises:
        InputError: naming the finding and the field, never more than the first 40 characters of a text.
    """
    count, rule = len(findings), f"be 1 to {MOST_FINDINGS}"
    require(1 <= count <= MOST_FINDINGS, "own findings", rule, got=count, where=place(), remedy=REMEDY)
    for finding, fields in findings.items():
        rule = f"have a name of 1 to {LONGEST_NAME} printable characters"
        require(
            _is_line(finding, LONGEST_NAME), "finding", rule, got=_short(finding), where=place(finding), remedy=REMEDY
        )
        if not isinstance(fields, Mapping):
            raise InputError(
                finding, "have positive and negative", got=_short(fields), where=place(finding), remedy=REMEDY
            )
        for field in fields:
            where, remedy = place(finding, field), closest(field, list(FIELDS))
            require(
                field in FIELDS, f"field of {finding}", "be a known one", got=_short(field), where=where, remedy=remedy
            )
        for side in SIDES:
            given = fields.get(side)
            require(
                bool(given), finding, f"have {side} prompts", got=_short(given), where=place(finding), remedy=REMEDY
            )
        for field, texts in fields.items():
            _require_texts(finding, field, texts, place)


def extended(prompt_set: PromptSet, own: Findings) -> PromptSet:
    """The prompt set with own findings behind those of the bundle; its name then ends with a hash of them.

    Raises:
        InputError: if a name or a label of an own finding is one of another finding.
    """
    if not own:
        return prompt_set
    findings = dict(prompt_set.findings)
    owners = {plain(name): finding for finding, said in findings.items() for name in (finding, *said.also)}
    for finding, fields in own.items():
        said = Prompts(*(tuple(_texts(fields.get(field, ()))) for field in FIELDS))
        for name in dict.fromkeys(plain(name) for name in (finding, *said.also)):
            owner = owners.setdefault(name, finding)
            rule, remedy = f"be another name than those of {owner}", f"{owner} is measured without it."
            require(
                owner == finding not in prompt_set.findings,
                "label",
                rule,
                got=_short(name),
                where=f"own finding {finding}",
                remedy=remedy,
            )
        findings[finding] = said
    return PromptSet(name_with(prompt_set.name, own), MappingProxyType(findings))


def name_with(name: str, own: Findings) -> str:
    """The name of a prompt set with own findings: equal names mean equal prompts."""
    text = json.dumps({finding: dict(fields) for finding, fields in own.items()}, sort_keys=True)
    return f"{name}+{sha256(text.encode()).hexdigest()[:8]}" if own else name


def _require_texts(finding: str, field: str, texts: object, place: Place) -> None:
    """Refuses anything but a text or a list of texts in one line, without braces, which FLARE replaces in a job."""
    given = _texts(texts) if isinstance(texts, (str, list, tuple)) else []
    rule = f"be 1 to {MOST_TEXTS} texts"
    ok = 1 <= len(given) <= MOST_TEXTS
    require(ok, f"{finding}, {field}", rule, got=_short(texts), where=place(finding, field), remedy=REMEDY)
    longest = LONGEST_NAME if field == LABEL else LONGEST_TEXT
    for number, text in enumerate(given):
        rule = f"be a line of 1 to {longest} characters without braces"
        ok, where = _is_line(text, longest), place(finding, field, number)
        require(ok, f"{finding}, {field} {number + 1}", rule, got=_short(text), where=where, remedy="Put it in quotes.")


def _texts(given: Any) -> list[Any]:
    return [given] if isinstance(given, str) else list(given)


def _is_line(text: object, longest: int) -> bool:
    return (
        isinstance(text, str)
        and 0 < len(text.strip()) <= len(text) <= longest
        and text.isprintable()
        and not {*text} & {*"{}"}
    )


def _short(value: object) -> str:
    return repr(value)[:40]


def _root(file: Path) -> yaml.Node:
    """The YAML of a file, without anchors, in which a reader could miss something."""
    rule, got = "be YAML or JSON in UTF-8 of at most 64 KiB, without anchors", "another file"
    try:
        data = file.read_bytes()
        text = data.decode("utf-8-sig") if len(data) <= MAX_BYTES else ""
        anchored = any(isinstance(token, (yaml.AliasToken, yaml.AnchorToken)) for token in yaml.scan(text))
        root = None if anchored else yaml.compose(text, Loader=yaml.SafeLoader)
        line = ""
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        root, got, line = None, type(error).__name__, f", line {mark.line + 1}" if mark else ""
    if root is None:
        raise InputError("--prompts", rule, got=got, where=f"{file.name}{line}", remedy=REMEDY)
    return root


def _entries(node: yaml.Node, file: Path, lines: dict[tuple[Any, ...], int], name: str, at: tuple[str, ...]) -> Any:
    """The keys and nodes of a mapping, with the line of each; a repeated key is refused."""
    where = f"{file.name}, line {node.start_mark.line + 1}"
    if not isinstance(node, yaml.MappingNode):
        raise InputError(
            at[0] if at else "--prompts",
            f"be a mapping of each {name}",
            got=type(node).__name__,
            where=where,
            remedy=REMEDY,
        )
    for key, value in node.value:
        line, text = key.start_mark.line + 1, key.value
        once = isinstance(text, str) and (*at, text) not in lines
        where = f"{file.name}, line {line}"
        require(once, name, "be a text that is there once", got=_short(text), where=where, remedy=REMEDY)
        lines[(*at, text)] = line
        yield text, value
