"""The outcome as one self-contained HTML page, without scripts and links."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from admin.results.inline_picture import png_address, svg_element
from admin.site.doctor.collection import Collected
from admin.site.doctor.distribution import distributions
from admin.site.doctor.evidence import Evidence
from admin.site.doctor.histograms import bar_chart, grey_chart
from admin.site.doctor.outcome import Outcome
from admin.site.doctor.plain_text import JUDGE, head

TEMPLATE = "doctor_page.html.j2"
CHARTS = ("View", "Age", "Words that describe the picture", "Label")
MARKS = {"error": "■ Error", "warning": "▲ Warning", "note": "● Note"}
MOST_PLACES, EXCERPT = 100, 160


def private_page(outcome: Outcome, collected: Collected) -> str:
    """Return the private page, with names, histograms and a few studies."""
    return _rendered(outcome, charts=_histograms(collected.evidence), sheet=_sheet(collected))


def shareable_page(outcome: Outcome) -> str:
    """Return the shareable page, with counts only."""
    return _rendered(outcome, charts={}, sheet=[])


def _histograms(evidence: Evidence) -> dict[str, Markup]:
    """Return title → histogram, without tables that are empty."""
    tables = distributions(evidence)
    figures = {"Grey levels of all pictures": grey_chart(evidence.grey_levels)}
    figures |= {title: bar_chart(tables[title]) for title in CHARTS if tables[title]}
    return {title: svg_element(figure, described=f"Histogram: {title}") for title, figure in figures.items()}


def _sheet(collected: Collected) -> list[Mapping[str, str]]:
    """Return the sample studies: picture, line of the manifest and beginning of the report."""
    of_line = {case.line: case for case in collected.evidence.cases}
    return [
        {
            "picture": png_address(picture),
            "line": str(line),
            "view": of_line[line].view or "view not stated",
            "text": of_line[line].text[:EXCERPT] or "no report",
        }
        for line, picture in collected.sheet.items()
    ]


def _rendered(outcome: Outcome, **pictures: object) -> str:
    loader = FileSystemLoader(Path(__file__).parent)
    template = Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template(TEMPLATE)
    words = {"head": head(outcome), "marks": MARKS, "most": MOST_PLACES, "width": _widths(outcome), "judge": JUDGE}
    return template.render(outcome=outcome, **words, **pictures)


def _widths(outcome: Outcome) -> dict[str, dict[str, float]]:
    """Return title → class → width of its bar in percent, from the counts as shown."""
    return {title: _of_most(cells) for title, cells in outcome.distributions.items()}


def _of_most(cells: Mapping[str, str]) -> dict[str, float]:
    numbers = {name: int(count) if count.isdecimal() else 0 for name, count in cells.items()}
    most = max(numbers.values(), default=0) or 1
    return {name: round(100 * number / most, 1) for name, number in numbers.items()}
