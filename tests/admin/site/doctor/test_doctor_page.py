from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from admin.site.doctor.collection import Collected
from admin.site.doctor.doctor_page import private_page, shareable_page
from admin.site.doctor.examination import examine
from admin.site.doctor.outcome import private_outcome, shareable_outcome
from tests.admin.site.doctor.conftest import Visit
from tests.admin.site.doctor.evidence_of import case, site


class Page(HTMLParser):
    """The tags of a page and the addresses in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]


@pytest.fixture(scope="module")
def private(spoilt: Visit) -> str:
    return private_page(private_outcome(spoilt.collected.evidence, spoilt.results, least=5), spoilt.collected)


@pytest.fixture(scope="module")
def shareable(spoilt: Visit) -> str:
    return shareable_page(shareable_outcome(spoilt.collected.evidence, spoilt.results, least=5))


def test_a_page_needs_no_script_and_no_other_address(private: str, shareable: str) -> None:
    for text in (private, shareable):
        page = Page(text)
        assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)
        assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
        assert not re.search(r"url\((?!#)", text)
        assert 'name="viewport"' in text


def test_the_private_page_shows_ten_studies_and_five_histograms(private: str) -> None:
    page = Page(private)
    assert len(page.addresses) == page.tags.count("img") == 10
    assert page.tags.count("svg") == 5
    assert page.tags.count("figure") == 15


def test_a_site_without_labels_has_no_histogram_of_them() -> None:
    evidence = site(case(2, labels=()))
    page = private_page(private_outcome(evidence, examine(evidence), least=5), Collected(evidence, {}))
    assert "Histogram: View" in page
    assert "Histogram: Label" not in page


def test_every_colour_of_the_page_is_defined(private: str) -> None:
    used = set(re.findall(r"var\((--\w+)\)", private))
    assert len(used) > 5
    assert used <= set(re.findall(r"(--\w+):", private))


def test_the_shareable_page_has_no_picture(shareable: str) -> None:
    assert not {"img", "svg"} & set(Page(shareable).tags)


def test_severity_is_told_by_a_word_and_a_shape(shareable: str) -> None:
    for mark in ("■ Error", "▲ Warning", "● Note"):
        assert mark in shareable


def test_what_somebody_typed_is_escaped_and_a_lost_letter_stops_nothing() -> None:
    typed = case(2, name="<script>x</script>", cells={"image": "a\udcff.dcm"}, image_fault="image-missing")
    evidence = site(typed)
    page = private_page(private_outcome(evidence, examine(evidence), least=5), Collected(evidence, {}))
    assert "script" not in Page(page).tags
    assert "&lt;script&gt;" in page
