"""The report card as one self-contained HTML page, without scripts and without addresses of other places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from admin.results.inline_picture import svg_element
from admin.results.report import wording
from admin.results.report.figures import interval_cell, line_chart, swatch
from admin.results.report.films.site_pictures import SitePictures
from admin.results.report.run_comparison import OTHER, SHOWN, THIS

TEMPLATE, COMPARISON = "card_page.html.j2", "comparison.html.j2"
CURVES = {"loss": "Validation loss, nats", "recall_at_5": "Validation recall at 5"}
FORMATS = ("percent", "percents", "span", "points", "plain", "limits", "apart", "size", "minus")


def report_page(card: Mapping[str, Any], *, pictures: SitePictures | None = None) -> str:
    """Return the page of a card.

    Args:
        card: see :func:`admin.results.report.card.report_card`.
        pictures: pictures from the sites' data, or None.
    """
    environment = page_environment()
    environment.filters |= {name: getattr(wording, name) for name in FORMATS}
    environment.globals["interval"] = interval
    charts = {"curves": curve_charts(card), "weights": weight_chart(card), "legend": legend(card["run"]["sites"])}
    charts |= {"space": space_charts(pictures), "shown": legend(pictures.sites, shapes=False)} if pictures else {}
    return without_addresses(environment.get_template(TEMPLATE).render(card=card, charts=charts, pictures=pictures))


def comparison_page(found: Mapping[str, Any]) -> str:
    """Return the page of two runs side by side.

    Args:
        found: see :func:`admin.results.report.run_comparison.compare_cards`.
    """
    names = (THIS, OTHER)
    charts = {
        CURVES[metric]: line_chart_of(dict(zip(names, lines, strict=True)), x_label="rounds", title=CURVES[metric])
        for metric, lines in found["curves"].items()
        if all(lines)
    }
    template = page_environment().get_template(COMPARISON)
    return without_addresses(
        template.render(found=found, names=names, shown=SHOWN, charts=charts, legend=legend(names))
    )


def page_environment() -> Environment:
    """Return what renders the templates beside this file."""
    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def without_addresses(page: str) -> str:
    """Return the page with each address in a setting as text."""
    return page.replace("://", ":&#47;&#47;")


def interval(marks: list[Mapping[str, Any]], line: float | None = None) -> Markup:
    """Return shares with their intervals, for a cell of a table; another cell gives the numbers."""
    return svg_element(interval_cell(marks, line=line), kind="interval")


def legend(names: Iterable[str], *, shapes: bool = True) -> dict[str, Markup]:
    """Return name → its mark in the charts; without ``shapes`` a dot of its colour."""
    return {name: svg_element(swatch(n, shape=shapes), kind="swatch") for n, name in enumerate(names)}


def curve_charts(card: Mapping[str, Any]) -> dict[str, Markup]:
    """Return title → chart of a metric on every site's validation split, by rounds of training."""
    return {
        CURVES[metric]: line_chart_of(lines, x_label="rounds of training", title=CURVES[metric])
        for metric, lines in card["learning"]["curves"].items()
    }


def weight_chart(card: Mapping[str, Any]) -> Markup | None:
    """Return the site weights by round, from their initial values, with their ceiling; None if there are no weights."""
    weights = card["weights"]
    if "missing" in weights:
        return None
    first = [(0, weights["start"])] if weights["start"] else []
    moments = [*first, *((entry["round"], entry["site_weights"]) for entry in weights["rounds"])]
    series = {
        site: [(number, found[site]) for number, found in moments if site in found] for site in card["run"]["sites"]
    }
    return line_chart_of(series, x_label="round", title="Site weight", limit=weights["ceiling"])


def line_chart_of(series: Mapping[str, Any], *, x_label: str, title: str, limit: float | None = None) -> Markup:
    """Return a line chart with a description for screen readers."""
    described = f"{title} by {x_label}, one line for each of {', '.join(series)}"
    return svg_element(line_chart(series, x_label=x_label, limit=limit), described=described)


def space_charts(pictures: SitePictures) -> dict[str, Markup]:
    """Return title → chart of the embedding space."""
    marks = f"images as circles, reports as triangles, one colour for each of {', '.join(pictures.sites)}"
    return {
        title: svg_element(figure, described=f"Embeddings {title}: {marks}")
        for title, figure in pictures.figures.items()
    }
