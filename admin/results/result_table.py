"""Shows a finished run as a table, one row per site."""

from __future__ import annotations

from math import isnan
from statistics import mean

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from admin.results.run_results import RunResults, SiteResult

WAYS = (("image→text", "image_to_text"), ("text→image", "text_to_image"))
CUTS = (1, 5, 10)


def show_table(results: RunResults, console: Console) -> None:
    """Print one row per site, then the mean and the worst over the sites, in at most 80 columns."""
    chosen = f"Best model: after round {results.best_round} of {results.rounds}."
    if results.best_round < 0:
        chosen = f"Each site's best model, trained alone for {results.rounds} rounds."
    title = f"{chosen} Recall at 1, 5, 10 in % on the test split."
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    headings = ("pairs", "loss", *(f"{way}\nR@1   5  10" for way, _ in WAYS), "chance\nR@5", "site\nweight")
    table.add_column("site", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for site in results.sites:
        table.add_row(*site_row(site))
    table.add_section()
    losses = [site.loss for site in results.sites]
    table.add_row("mean", "", f"{mean(losses):.3f}", *(over_sites(results, way, worst=False) for _, way in WAYS))
    table.add_row("worst", "", f"{max(losses):.3f}", *(over_sites(results, way, worst=True) for _, way in WAYS))
    console.print(table)


def site_row(site: SiteResult) -> list[str]:
    """Return the cells of one site."""
    recalls = [percents([site.test[f"{way}_recall_at_{k}"] for k in CUTS]) if site.test else "-" for _, way in WAYS]
    chance = f"{100 * site.chance_at_5:.0f}"
    weight = "-" if isnan(site.site_weight) else f"{site.site_weight:.3f}"
    return [site.name, str(site.pairs), f"{site.loss:.3f}", *recalls, chance, weight]


def over_sites(results: RunResults, way: str, *, worst: bool) -> str:
    """Return the mean or the lowest recall over the sites, for each cut-off."""
    columns = [results.tested(f"{way}_recall_at_{k}") for k in CUTS]
    return percents([min(values) if worst else mean(values) for values in columns]) if columns[0] else "-"


def percents(values: list[float]) -> str:
    """Return shares as whole percents."""
    return " ".join(f"{100 * value:3.0f}" for value in values)
