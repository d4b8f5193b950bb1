"""Every link, path, module and command that a page names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.__main__ import main

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page for pattern in ("*.md", "docs/*.md", "poc_workspace/*.md", "jobs/*/*.md") for page in ROOT.glob(pattern)
)
SOURCES = {path.name for room in ("custom", "admin", "tests") for path in (ROOT / room).rglob("*.py")}
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")
FOLDERS = r"(?:custom|admin|docs|tests|jobs|poc_workspace)"
PATH = re.compile(rf"(?<![\w/.<-]){FOLDERS}/[\w./*-]*[\w*/]")
MODULE = re.compile(r"(?<![\w/.$-])(?:admin|fedaid|tests)(?:\.\w+)+")
SOURCE = re.compile(r"`(\w+\.py)`")
VERB = re.compile(r"python -m admin ([a-z]+)")
GENERATED = "poc_workspace/run"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """The page without its blocks of code, in which brackets are no links."""
    return re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), flags=re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    for target, anchor in LINK.findall(prose_of(page)):
        file = (page.parent / target) if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield target + anchor


def missing_paths(page: Path) -> Iterator[str]:
    for path in PATH.findall(text_of(page)):
        if not path.startswith(GENERATED) and not any(ROOT.glob(path)):
            yield path


def is_module(parts: list[str]) -> bool:
    base = ROOT.joinpath("custom", *parts) if parts[0] == "fedaid" else ROOT.joinpath(*parts)
    return base.is_dir() or base.with_suffix(".py").is_file()


def missing_modules(page: Path) -> Iterator[str]:
    """Dotted names that are neither a module nor an attribute of one."""
    for name in MODULE.findall(text_of(page)):
        parts = name.split(".")
        if not is_module(parts) and not (len(parts) > 2 and is_module(parts[:-1])):
            yield name


def test_the_pages_are_there() -> None:
    assert len(PAGES) > 20
    assert sum(len(LINK.findall(prose_of(page))) for page in PAGES) > 80
    assert sum(len(PATH.findall(text_of(page))) for page in PAGES) > 40


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


@each_page
def test_every_path_exists(page: Path) -> None:
    assert list(missing_paths(page)) == []


@each_page
def test_every_module_exists(page: Path) -> None:
    unknown = [name for name in SOURCE.findall(text_of(page)) if name not in SOURCES]
    assert [*missing_modules(page), *unknown] == []


@each_page
def test_every_command_is_one_of_the_front_door(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    verbs = set(re.findall(r"[a-z]+", capsys.readouterr().out))
    assert [verb for verb in VERB.findall(text_of(page)) if verb not in verbs] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[a](gone.md)", "gone.md"),
        ("[a](page.md#gone)", "page.md#gone"),
        ("`admin/gone/file.py`", "admin/gone/file.py"),
        ("`admin.jobs.gone.thing`", "admin.jobs.gone.thing"),
    ],
)
def test_what_does_not_exist_is_found(text: str, found: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\nA [link](#page), https://host/admin/gone, build/jobs/x, {text}\n")
    assert [*broken_links(page), *missing_paths(page), *missing_modules(page)] == [found]


def test_readme_fits_on_three_screens() -> None:
    text = text_of(ROOT / "README.md")
    assert len(text.splitlines()) <= 125
    assert len(text.split()) < 1000
