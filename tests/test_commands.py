"""Every command that a page, a message, a docstring or the Makefile names is one that `python -m admin` takes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.verbs.run_verb import parser_of
from admin.verbs.verb_table import VERBS

ROOT = Path(__file__).parents[1]
TEXTS = (".md", ".py", ".json", ".yml", ".j2", "Makefile")
COMMAND = re.compile(r"python -m admin(?![\w/])\.?[ ]?((?:[^`\"\n\\]|\\\n)*)")
ROOMS = {"twin"}  # a verb and a room have this name


def texts() -> Iterator[tuple[str, str]]:
    """Name and content of all text files of the project, but for the tests, which also give wrong commands."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if name.endswith(TEXTS) and not name.startswith("tests/") and (ROOT / name).is_file():
            yield name, (ROOT / name).read_text(encoding="utf-8")


def commands() -> list[tuple[str, str]]:
    """File, and the words behind `python -m admin` up to the end of the command."""
    return [(name, found.replace("\\\n", " ")) for name, text in texts() for found in COMMAND.findall(text)]


def test_every_command_names_a_verb_and_flags_that_it_has() -> None:
    found = commands()
    assert len(found) > 100
    wrong = []
    for name, words in found:
        verb, *rest = words.split() or ["VERB"]
        if verb == "VERB" or verb.startswith(("--version", "#", "→")) or not re.match("[a-z]", verb):
            continue
        if verb.strip(".,:;)") not in VERBS:
            wrong.append(f"{name}: python -m admin {words}")
            continue
        known = flags_of(verb.strip(".,:;)"))
        given = {re.match("--[a-z-]+", word).group() for word in rest if re.match("--[a-z]", word)}  # type: ignore[union-attr]
        wrong += [f"{name}: python -m admin {words}: {flag}" for flag in given - known]
    assert wrong == []


def test_a_package_from_a_model_names_its_sites() -> None:
    given = [words for _, words in commands() if words.startswith("package fedaid_pretrain") and "--from " in words]
    assert len(given) >= 4
    assert [words for words in given if "--sites" not in words] == []


def flags_of(verb: str) -> set[str]:
    """All flags of a verb, those of its sub-commands included."""
    help_of_subs = [parser_of(VERBS[verb]).format_help()]
    for action in parser_of(VERBS[verb])._actions:
        choices = getattr(action, "choices", None)
        if isinstance(choices, dict):
            help_of_subs += [sub.format_help() for sub in choices.values()]
    return set(re.findall("--[a-z-]+", " ".join(help_of_subs)))


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - ROOMS))
def test_no_text_calls_a_verb_a_module(verb: str) -> None:
    named = [name for name, text in texts() if re.search(rf"\badmin\.{verb}\b(?!\.)", text)]
    assert named == []


def test_nothing_else_of_admin_is_run_as_a_module() -> None:
    named = [name for name, text in texts() if re.search(r"-m\s+admin\.", text)]
    assert named == []
