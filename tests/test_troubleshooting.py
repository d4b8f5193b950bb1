"""docs/troubleshooting.md quotes messages as the code words them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "troubleshooting.md"
ROWS = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
QUOTED = [span for row in ROWS for span in re.findall(r"`([^`]+)`", row.split(" | ")[0]) if " " in span]
FLARES_OWN = {"nvflare job submit", "nvflare poc stop", "nvflare poc clean"}
PARTS = re.compile(r" must |…")


def texts_of_the_code() -> str:
    """Every constant text of our code, those of f-strings included, in one string."""
    files = [path for room in ("custom", "admin") for path in (ROOT / room).rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    nodes = (node for tree in trees for node in ast.walk(tree))
    return "\n".join(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


@pytest.fixture(scope="module")
def code() -> str:
    return texts_of_the_code()


def test_messages_are_quoted() -> None:
    assert len(QUOTED) > 40


@pytest.mark.parametrize("message", sorted(set(QUOTED) - FLARES_OWN))
def test_a_quoted_message_is_in_the_code(message: str, code: str) -> None:
    parts = [part.strip() for part in PARTS.split(message) if part and part.strip()]
    assert parts
    assert [part for part in parts if part not in code] == []


def test_a_message_that_nobody_writes_is_not_in_the_code(code: str) -> None:
    assert "be a message that nobody writes" not in code
