"""Two finished runs side by side: settings that differ, losses, recalls and site weights, from their report cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import Any

from admin.results.report.wording import percents

THIS, OTHER = "this run", "other run"
FREE = ("run_name", "attempt")  # settings that name a run, and differ between any two
ABSENT = "absent"
NOTE = (
    "Both recalls are of the same test studies if the sites' data have not changed. Their intervals count them as "
    "measured on different studies, so two intervals that overlap do not show that the runs are equal."
)
Card = Mapping[str, Any]


def compare_cards(this: Card, other: Card) -> dict[str, Any]:
    """Return what differs between two runs, as plain JSON; a pair has the value of this run first.

    Args:
        this, other: see :func:`admin.results.report.card.report_card`.
    """
    both = (this, other)
    sites = sorted({*this["run"]["sites"], *other["run"]["sites"]})
    return {
        "format": 1,
        "runs": [dict(card["run"]) for card in both],
        "settings": settings_that_differ(this, other),
        "software": software(this, other),
        "sites": [site_row(site, this, other) for site in sites],
        "mean": {"loss": [mean_of(card, "loss") for card in both], "recall_at_5": [mean_recall(card) for card in both]},
        "curves": {metric: [mean_curve(card, metric) for card in both] for metric in ("loss", "recall_at_5")},
        "missed": [[*card["missed"]["absent"], *map(missed_line, card["missed"]["rows"])] for card in both],
        "note": NOTE,
    }


def settings_that_differ(this: Card, other: Card) -> list[dict[str, str]]:
    """Return one row for each setting that differs; a setting that one run does not state is ``absent`` there."""
    rows = []
    for file in sorted({*this["settings"], *other["settings"]}):
        pair = (this["settings"].get(file, {}), other["settings"].get(file, {}))
        for path in sorted({*pair[0], *pair[1]}):
            first, second = (found.get(path, ABSENT) for found in pair)
            if first != second and path.rpartition(".")[2] not in FREE:
                rows.append({"file": file, "setting": path, "this": first, "other": second})
    return rows


def software(this: Card, other: Card) -> list[dict[str, str]]:
    """Return what else differs: the code that was shipped, and the version that trained."""
    names = ("code that the job shipped (all files)",)
    pairs = [(name, *(card["hashes"].get(name, ABSENT)[:12] for card in (this, other))) for name in names]
    pairs.append(("version", *(str(card["run"].get("fedaid_version") or ABSENT) for card in (this, other))))
    return [{"what": what, "this": first, "other": second} for what, first, second in pairs if first != second]


def site_row(site: str, this: Card, other: Card) -> dict[str, Any]:
    """Return one site's numbers in both runs; null where a run has none."""
    both = (this, other)
    return {
        "site": site,
        "pairs": [train_of(card, site) for card in both],
        "loss": [last_of(card, "loss", site) for card in both],
        "recall_at_5": [recall_of(card, site) for card in both],
        "site_weight": [weight_of(card, site) for card in both],
    }


def train_of(card: Card, site: str) -> str | None:
    """Return the number of training pairs of a site, small ones as ``<5``."""
    return next((row["train"] for row in card["data"] if row["site"] == site), None)


def last_of(card: Card, metric: str, site: str) -> float | None:
    """Return the last value of a validation metric at a site."""
    points = card["learning"]["curves"].get(metric, {}).get(site)
    return points[-1][1] if points else None


def recall_of(card: Card, site: str) -> dict[str, float] | None:
    """Return recall at 5 of the best model on a site's test split, with its interval."""
    return next((row["recall_at_5"] for row in card["headline"]["sites"] if row["site"] == site), None)


def weight_of(card: Card, site: str) -> float | None:
    """Return the site's weight after the last round."""
    rounds = card["weights"].get("rounds")
    return rounds[-1]["site_weights"].get(site) if rounds else None


def mean_of(card: Card, metric: str) -> float | None:
    """Return the mean over the sites of the last value of a validation metric."""
    values = [points[-1][1] for points in card["learning"]["curves"].get(metric, {}).values() if points]
    return mean(values) if values else None


def mean_recall(card: Card) -> dict[str, float] | None:
    """Return the mean recall at 5 over the sites, with its interval."""
    found = card["headline"].get("mean")
    return found["recall_at_5"] if found else None


def mean_curve(card: Card, metric: str) -> list[list[float]]:
    """Return the mean over the sites of a validation metric after each round that all of them measured."""
    lines = [dict(map(tuple, points)) for points in card["learning"]["curves"].get(metric, {}).values()]
    shared = set.intersection(*map(set, lines)) if lines else set()
    return [[number, mean(line[number] for line in lines)] for number in sorted(shared)]


def missed_line(row: Mapping[str, str]) -> str:
    """Return what a site missed, in one line."""
    return f"{row['site']} missed {row['task']} of round {row['rounds']}: {row['reason']}"


def comparison_text(found: Mapping[str, Any]) -> str:
    """Return the comparison for a terminal."""
    named = [
        f"{which}: {run['name'] or '?'}, {run['rounds']} rounds, best {run['best_round']}, job {run['job_id'] or '?'}"
        for which, run in zip((THIS, OTHER), found["runs"], strict=True)
    ]
    rows: list[tuple[str, ...]] = [("", THIS, OTHER)]
    for row in found["sites"]:
        rows += [(f"{row['site']}: {what}", *map(show, row[key])) for key, (what, show) in SHOWN.items()]
    rows += [(f"mean: {SHOWN[key][0]}", *map(SHOWN[key][1], found["mean"][key])) for key in ("loss", "recall_at_5")]
    changed = [(row["setting"], row["this"], row["other"]) for row in found["settings"]]
    changed += [(row["what"], row["this"], row["other"]) for row in found["software"]]
    lines = [*named, "", *columns(rows), "", "Settings that differ:" if changed else "No setting differs."]
    lines += columns(changed)
    for which, missed in zip((THIS, OTHER), found["missed"], strict=True):
        lines += [f"{which}: {line}" for line in missed]
    return "\n".join(lines)


def plain(value: object) -> str:
    """Return text, or a dash for nothing."""
    return "-" if value is None else str(value)


def decimals(value: float | None) -> str:
    """Return a number with three decimals, or a dash."""
    return "-" if value is None else f"{value:.3f}"


def recall(value: Mapping[str, float] | None) -> str:
    """Return a recall with its interval, or a dash."""
    return "-" if value is None else percents(value)


SHOWN: dict[str, tuple[str, Callable[[Any], str]]] = {
    "pairs": ("training pairs", plain),
    "loss": ("last validation loss", decimals),
    "recall_at_5": ("recall at 5", recall),
    "site_weight": ("site weight", decimals),
}


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the rows as aligned columns."""
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(2)]
    return ["  ".join([row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2]]).rstrip() for row in rows]
