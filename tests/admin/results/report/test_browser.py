"""The page in a real browser, without a network."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from admin.results.report.report_files import write_report
from tests.admin.results.report.card_folder import STORE
from tests.admin.results.report.test_card_page import SECTIONS, Page
from tests.ci import IN_CI

CHROMIUM = shutil.which("chromium")
NOWHERE = "127.0.0.1:9"  # the discard port: nothing listens there
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None and not IN_CI, reason="chromium is not installed (Debian: apt-get install chromium)"
    ),
]


def opened(page: Path, profile: Path, *options: str) -> tuple[str, list[str]]:
    """The page as the browser understood it, and what it wrote to its console."""
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", *QUIET, f"--proxy-server={NOWHERE}"]
    command += [f"--user-data-dir={profile}", "--enable-logging=stderr", *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | {"HOME": str(profile)})
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def test_the_browser_shows_every_section_and_asks_nobody(run: Path, evaluation: Path, tmp_path: Path) -> None:
    page = write_report(run, out=tmp_path / "out", evaluation=evaluation)
    shown, console = opened(page, tmp_path / "profile", "--dump-dom")
    found = Page(shown)
    assert set(SECTIONS) <= set(found.ids)
    assert found.tags.count("svg") == Page(page.read_text()).tags.count("svg") > 10
    assert "lake gains from joining." in found.text
    assert console == []


def test_the_browser_draws_the_films_and_the_embedding_space(
    run: Path, trained: Path, sites: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained, run / STORE / "best-00002", dirs_exist_ok=True)
    page = write_report(run, out=tmp_path / "out", sites=sites, allow_examples=True)
    _, console = opened(page, tmp_path / "profile", "--dump-dom")
    assert console == [], "the page's own rules let its pictures through"
    counting = """<script>document.title = [
        [...document.images].filter(one => one.naturalWidth > 9 && one.getBoundingClientRect().width > 9).length,
        [...document.querySelectorAll("#embedding use")].filter(one => one.getBoundingClientRect().width > 0).length,
    ]</script></body>"""
    text = page.read_text()
    (tmp_path / "counting.html").write_text(text.replace("Content-Security-Policy", "").replace("</body>", counting))
    shown, _ = opened(tmp_path / "counting.html", tmp_path / "profile", "--dump-dom")
    space = text[text.index('id="embedding"') : text.index('id="examples"')]
    assert f"<title>{text.count('<img')},{space.count('<use')}</title>" in shown
    assert text.count("<img") > 2


def test_a_screenshot_is_no_empty_page(run: Path, evaluation: Path, tmp_path: Path) -> None:
    page = write_report(run, out=tmp_path / "out", evaluation=evaluation)
    picture = tmp_path / "page.png"
    opened(page, tmp_path / "profile", f"--screenshot={picture}", "--window-size=1000,4000", "--hide-scrollbars")
    with Image.open(picture) as taken:
        grey = np.asarray(taken.convert("L"))
    assert grey.shape == (4000, 1000)
    for part in np.split(grey, 8):
        assert 0.01 < (part < 128).mean() < 0.5, "words and drawings all the way down"


def test_a_request_would_be_seen(run: Path, tmp_path: Path) -> None:
    page = write_report(run, out=tmp_path)
    page.write_text(page.read_text().replace("</body>", '<img src="http://127.0.0.1:9/seen.png"></body>'))
    _, console = opened(page, tmp_path / "profile", "--dump-dom")
    assert any("Content Security Policy" in line and "seen.png" in line for line in console)


def test_nothing_is_cut_off_at_400_pixels(run: Path, evaluation: Path, tmp_path: Path) -> None:
    """Measured in a frame, because the browser's own window is never that narrow."""
    page = write_report(run, out=tmp_path / "out", evaluation=evaluation)
    measuring = """<script>document.querySelectorAll("details").forEach(one => one.open = true);
        parent.document.title = [document.documentElement, ...document.querySelectorAll(".scroll")]
            .filter(one => one.scrollWidth > one.clientWidth).length + " of " + innerWidth</script></body>"""
    text = page.read_text().replace("Content-Security-Policy", "").replace("</body>", measuring)
    frame = f'<iframe style="width: 400px; height: 900px; border: 0" srcdoc="{html.escape(text)}"></iframe>'
    (tmp_path / "frame.html").write_text(f"<!DOCTYPE html><title></title>{frame}")
    shown, _ = opened(tmp_path / "frame.html", tmp_path / "profile", "--window-size=600,1200", "--dump-dom")
    assert "<title>0 of 400</title>" in shown


def test_no_word_of_the_findings_is_broken_at_400_pixels(run: Path, evaluation: Path, tmp_path: Path) -> None:
    """With hospitals of long names, as those of the demo; a name may break at its hyphen."""
    page = write_report(run, out=tmp_path / "out", evaluation=evaluation)
    measuring = """<script>document.querySelectorAll("details").forEach(one => one.open = true);
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), broken = []; let seen = 0;
        while (walker.nextNode()) {
            const node = walker.currentNode;
            if (!node.parentElement.closest("#findings :is(td, th), #subgroups :is(td, th)")) continue;
            for (const word of node.data.matchAll(/[^\\s-]+/g)) {
                const range = new Range(); seen += 1;
                range.setStart(node, word.index); range.setEnd(node, word.index + word[0].length);
                if (new Set([...range.getClientRects()].map(one => one.top)).size > 1) broken.push(word[0]);
            }
        }
        parent.document.title = `${seen > 200} at ${innerWidth}: ${broken.join(" ")}.`</script></body>"""
    text = page.read_text().replace("Content-Security-Policy", "").replace("</body>", measuring)
    text = text.replace(">lake<", ">lindental-university<").replace(">north<", ">st-brigid-general<")
    frame = f'<iframe style="width: 400px; height: 900px; border: 0" srcdoc="{html.escape(text)}"></iframe>'
    (tmp_path / "frame.html").write_text(f"<!DOCTYPE html><title></title>{frame}")
    shown, _ = opened(tmp_path / "frame.html", tmp_path / "profile", "--window-size=600,1200", "--dump-dom")
    assert "<title>true at 400: .</title>" in shown, shown[shown.index("<title>") : shown.index("</title>")]
