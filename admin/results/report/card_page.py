"""The report card as one self-contained HTML page, without scripts and without addresses of other places."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from admin.results.report import wording
from admin.results.report.films.site_pictures import SitePictures
from admin.results.report.line_chart import line_chart
from admin.results.report.strip import strip
from admin.results.report.svg import legend

TEMPLATE = "page.html.j2"
CURVES = {"loss": "Validation loss, nats", "recall_at_5": "Validation recall at 5"}
FORMATS = ("percent", "percents", "span", "points", "plain", "limits", "apart", "size", "minus")


def report_page(card: Mapping[str, Any], *, pictures: SitePictures | None = None) -> str:
    """The page of a card.

    Args:
        card: of :func:`admin.results.report.card.report_card`.
        pictures: what only the place where the images lie can show; None if it was not asked for.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {name: getattr(wording, name) for name in FORMATS}
    environment.globals["strip"] = strip
    charts = {"curves": curve_charts(card), "weights": weight_chart(card), "legend": legend(card["run"]["sites"])}
    charts["shown"] = legend(pictures.sites, shapes=False) if pictures else {}
    page = environment.get_template(TEMPLATE).render(card=card, charts=charts, pictures=pictures)
    return page.replace("://", ":&#47;&#47;")  # so that an address in a setting is a text and nothing else


def curve_charts(card: Mapping[str, Any]) -> dict[str, Markup]:
    """Title → chart, of what every site's validation split says by rounds of training."""
    return {
        CURVES[metric]: line_chart(lines, x_label="rounds of training", y_label=CURVES[metric])
        for metric, lines in card["learning"]["curves"].items()
    }


def weight_chart(card: Mapping[str, Any]) -> Markup | None:
    """The site weights by round, from where they started, with their ceiling."""
    weights = card["weights"]
    if "missing" in weights:
        return None
    first = [(0, weights["start"])] if weights["start"] else []
    moments = [*first, *((entry["round"], entry["site_weights"]) for entry in weights["rounds"])]
    series = {
        site: [(number, found[site]) for number, found in moments if site in found] for site in card["run"]["sites"]
    }
    return line_chart(series, x_label="round", y_label="Site weight", limit=weights["ceiling"])
