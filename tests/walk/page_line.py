"""The commands that a page prints: those of its blocks, of its tables and sentences, and of FLARE's console."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nvflare.apis.fl_constant import AdminCommandNames

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", flags=re.DOTALL | re.MULTILINE)
QUOTED = re.compile(r"`([^`\n]+)`")
PROGRAMS = (
    "bash|cd|chmod|cp|curl|docker|echo|export|git|helm|journalctl|kill|kubectl|ln|make|mkdir|mv|nvflare|openssl|pip"
    "|python|python3|rm|scp|sed|ssh|systemctl|tail|tar"
)
COMMAND = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:{PROGRAMS}|\.{{0,2}}/\S+) \S.*")
CONSOLE = {value for name, value in vars(AdminCommandNames).items() if name.isupper() and "_" in str(value)} | {
    "shutdown"
}
EXPRESSION = re.compile(r"(?:recipe\.\w+|FedAIDRecipe|add_experiment_tracking|set_per_site_config)\(.+\)")
SHELL, PYTHON, ASIDE = "bash", "python", ("json",)


@dataclass(frozen=True)
class PageLine:
    """One command as the page prints it, without its comment; ``number`` is its line in the page."""

    page: str
    text: str
    number: int


def page_lines(page: str) -> list[PageLine]:
    """All commands of ``docs/<page>.md`` in the page's order. A block in Python is one command.

    Raises:
        ValueError: a block in a language that nobody runs here.
    """
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return [PageLine(page, command, text.count("\n", 0, at) + 1) for at, command in sorted(found_in(text))]


def found_in(text: str) -> list[tuple[int, str]]:
    """Each command of a page's text, and where it starts."""
    found: list[tuple[int, str]] = []
    for block in BLOCK.finditer(text):
        language, start = block[1], block.start(2)
        if language == SHELL:
            for line in re.finditer(r"(?:.*\\\n)*.+\n", block[2]):
                if command := without_comment(line[0]):
                    found.append((start + line.start(), command))
        elif language == PYTHON:
            found.append((start, block[2].strip()))
        elif language not in ASIDE:
            raise ValueError(f"a block in {language or 'no language'}: say what it is, so that it is run")
    blank = BLOCK.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), text)
    for quoted in QUOTED.finditer(blank):
        in_table = blank[blank.rfind("\n", 0, quoted.start()) + 1] == "|"
        if (
            COMMAND.fullmatch(quoted[1])
            or EXPRESSION.fullmatch(quoted[1])
            or (in_table and quoted[1].split()[0] in CONSOLE)
        ):
            found.append((quoted.start(), quoted[1]))
    return found


def without_comment(line: str) -> str:
    """A line of a block without the comment behind it, its spaces and its continuations."""
    return re.sub(r"\s+#\s.*", "", line.replace("\\\n", " ").rstrip()).strip() if not line.startswith("#") else ""
