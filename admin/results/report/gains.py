"""Who gains from joining: the shared model against each site's own, on the site's test split and on the others'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from admin.results.report.run_files import RunFiles
from admin.results.report.share_intervals import Interval, difference, mean_of
from admin.results.report.suite_numbers import GLOBAL, LOCAL, paired_gain, recall_at_5, suites_of
from fedaid.minmax.selection import SITE_METRIC

GAINS, LOSES, OPEN = "gains", "loses", "cannot tell"
ELSEWHERE_MISSING = "Not known: no site's own model was tested at another site."
FIND = "There the sites' own models find {} of the reports and images among the first five, the shared model {}."
MISSING = (
    "Not known yet: no evaluation compares the shared model with the sites' own models. Run the jobs local_pretrain "
    "and evaluate_global in the same federation (docs/cross-site.md). Then make this page again with --evaluation and "
    "the run folder of evaluate_global."
)
NOTE = (
    "The gain is the shared model's recall at 5 minus that of the site's own model, on the same test studies. Among 40 "
    "sites without any difference, about one is reported to gain by chance, and about one to lose. The comparison is "
    "fair only if both models were trained on the same number of pairs."
)
CHOSEN = (
    "The shared model is from the round with the best {} over the sites' validation splits. A site's own model is from "
    "the round with the best {} on its own validation split."
)
UNFAIR = "Here it is not quite fair: each site used {} pairs to train the shared model, and for its own model {}."
WIDE = (
    "For {} the interval is conservative (too wide): no difference was sent, or all its resamples agree, so the two "
    "recalls count as measured on different studies."
)


def gains(files: RunFiles) -> dict[str, Any]:
    """Return one row per site (both recalls, their difference, a verdict), the answer in words and the mean gain.

    ``elsewhere`` has the same for the test splits of the other sites; see :func:`elsewhere`.
    """
    shared = suites_of(files.evaluation, GLOBAL)
    rows, untold = [], []
    for site in joined(files):
        alone = suites_of(files.evaluation, LOCAL + site).get(site, {})
        both = recall_at_5(shared[site]), recall_at_5(alone)
        if both[0] and both[1]:
            rows.append(row_of(site, both[0], both[1], paired=paired_gain(alone)))
        else:
            untold.append(site)
    if not rows:
        return {"missing": MISSING}
    mean = mean_of([Interval(**row["gain"]) for row in rows]).as_dict()
    own = {"answer": answer(rows), "rows": rows, "mean": mean, "untold": untold, "note": note(rows, files)}
    return own | {"elsewhere": elsewhere(files)}


def joined(files: RunFiles) -> list[str]:
    """Return the evaluated sites that took part in training; an unseen site has not joined."""
    return sorted({*suites_of(files.evaluation, GLOBAL)} - {*files.unseen})


def elsewhere(files: RunFiles) -> dict[str, Any]:
    """Return one row per site: the shared model against the site's own model on the other sites' test splits.

    Recalls and their difference are means over the other sites that measured both models.
    """
    rows = [row for site in joined(files) if (row := row_elsewhere(site, files))]
    if not rows:
        return {"missing": ELSEWHERE_MISSING}
    ranges = [share_range([row[model]["value"] for row in rows]) for model in ("alone", "shared")]
    return {"answer": f"{answer(rows)} {FIND.format(*ranges)}", "rows": rows}


def row_elsewhere(site: str, files: RunFiles) -> dict[str, Any] | None:
    """Return a site's row of :func:`elsewhere`; None if no other site measured both models."""
    shared, alone = suites_of(files.evaluation, GLOBAL), suites_of(files.evaluation, LOCAL + site)
    rows = [
        row_of(other, both[0], both[1], paired=paired_gain(alone[other]))
        for other in sorted(shared.keys() & alone.keys() - {site})
        if (both := (recall_at_5(shared[other]), recall_at_5(alone[other]))) and both[0] and both[1]
    ]
    if not rows:
        return None
    means = {name: mean_of([Interval(**row[name]) for row in rows]) for name in ("shared", "alone", "gain")}
    numbers = {name: mean.as_dict() for name, mean in means.items()}
    return {"site": site, "verdict": verdict(means["gain"]), "tested_at": [row["site"] for row in rows], **numbers}


def share_range(shares: Sequence[float]) -> str:
    """Return the lowest and the highest share in words, in whole percent."""
    low, high = (round(100 * share) for share in (min(shares), max(shares)))
    return f"{low} %" if low == high else f"{low} to {high} %"


def row_of(site: str, shared: Interval, alone: Interval, *, paired: Interval | None) -> dict[str, Any]:
    """Return a site's row; ``paired`` is the difference as the site measured it, or None."""
    gain = paired or difference(shared, alone)
    numbers = {"shared": shared.as_dict(), "alone": alone.as_dict(), "gain": gain.as_dict()}
    return {"site": site, "verdict": verdict(gain), "paired": paired is not None, **numbers}


def note(rows: list[dict[str, Any]], files: RunFiles) -> str:
    """Return what the difference is, how both models were chosen, and where its interval is too wide.

    The selection of a site's own model is that of this version: the results do not record it.
    """
    unpaired = [row["site"] for row in rows if not row["paired"]]
    metric = files.results.get("selection_metric")
    parts = [
        NOTE,
        CHOSEN.format(metric, SITE_METRIC) if metric else "",
        unfair(files),
        WIDE.format(listed(unpaired)) if unpaired else "",
    ]
    return " ".join(part for part in parts if part)


def unfair(files: RunFiles) -> str:
    """Return which sites' own models used another number of pairs than the shared one; empty if none, or not known."""
    shared = pairs_of_shared(files)
    used = {site: int(own.get("pairs", 0)) for site, own in (files.evaluation or {}).get("local_models", {}).items()}
    other = [f"{pairs} at {site}" for site, pairs in sorted(used.items()) if pairs and shared and pairs != shared]
    return UNFAIR.format(shared, listed(other)) if other else ""


def pairs_of_shared(files: RunFiles) -> int:
    """Return the image-text pairs that each site used in all rounds; 0 if the run folder has no settings."""
    executors = files.configs.get("config_fed_client.json", {}).get("executors", [])
    args = {name: value for one in executors for name, value in one["executor"].get("args", {}).items()}
    try:
        steps = int(args["align_steps"]) + int(args["pretrain_steps"])
        return int(files.results["round"]) * steps * int(args["batch_size"])
    except KeyError:
        return 0


def verdict(gain: Interval) -> str:
    """Return whether the interval of a difference excludes zero, and on which side."""
    if gain.low > 0:
        return GAINS
    return LOSES if gain.high < 0 else OPEN


def answer(rows: list[dict[str, Any]]) -> str:
    """Return the answer in one to three sentences."""
    by_verdict = {word: [row["site"] for row in rows if row["verdict"] == word] for word in (GAINS, LOSES, OPEN)}
    parts = []
    if by_verdict[GAINS]:
        parts.append(f"{listed(by_verdict[GAINS], 'gains', 'gain')} from joining.")
    if by_verdict[LOSES]:
        parts.append(f"{listed(by_verdict[LOSES], 'loses', 'lose')} by joining.")
    if by_verdict[OPEN]:
        parts.append(f"For {listed(by_verdict[OPEN])} the test data cannot tell.")
    return " ".join(parts)


def listed(sites: list[str], one: str = "", many: str = "") -> str:
    """Return names as a list in words, with the singular or plural verb."""
    names = sites[0] if len(sites) == 1 else f"{', '.join(sites[:-1])} and {sites[-1]}"
    return f"{names} {one if len(sites) == 1 else many}".strip()
