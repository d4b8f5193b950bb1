"""Who gains from joining: the shared model against the one that each site trained alone, on the site's test split."""

from __future__ import annotations

from typing import Any

from admin.results.report.run_files import RunFiles
from admin.results.report.share_intervals import Interval, difference, mean_of
from admin.results.report.suite_numbers import GLOBAL, LOCAL, paired_gain, recall_at_5, suites_of
from fedaid.minmax.selection import SITE_METRIC

GAINS, LOSES, OPEN = "gains", "loses", "cannot tell"
MISSING = (
    "Not known yet: nothing compares the shared model with what each site reaches alone. Run the jobs local_pretrain "
    "and evaluate_global in the same federation, as docs/cross-site.md says, then make this page again with "
    "--evaluation and the run folder of the latter."
)
NOTE = (
    "Shared minus alone, recall at 5, on the same test studies. Of 40 sites for whom it makes no difference about "
    "one is said to gain by chance, and one to lose. A model alone is a fair match only if it was trained on as many "
    "pairs as the shared one."
)
CHOSEN = (
    "The shared model is that of the round with the best {} over the sites' validation splits; local_pretrain keeps "
    "that of the round with the best {} on the site's own."
)
UNFAIR = "It is not quite fair: a site worked through {} pairs in training the shared model, and for its own model {}."
WIDE = (
    "Of {} there are only both recalls, or all resamples of the difference agree: there the interval treats the two as "
    "measured on different studies and is on the wide side."
)


def gains(files: RunFiles) -> dict[str, Any]:
    """One row a site with both models' recall, their difference and a verdict; the answer in words; the mean gain."""
    shared = suites_of(files.evaluation, GLOBAL)
    rows, untold = [], []
    for site in sorted(shared):
        alone = suites_of(files.evaluation, LOCAL + site).get(site, {})
        both = recall_at_5(shared[site]), recall_at_5(alone)
        if both[0] and both[1]:
            rows.append(row_of(site, both[0], both[1], paired=paired_gain(alone)))
        else:
            untold.append(site)
    if not rows:
        return {"missing": MISSING}
    mean = mean_of([Interval(**row["gain"]) for row in rows]).as_dict()
    return {"answer": answer(rows), "rows": rows, "mean": mean, "untold": untold, "note": note(rows, files)}


def row_of(site: str, shared: Interval, alone: Interval, *, paired: Interval | None) -> dict[str, Any]:
    """A site's row; ``paired`` is the difference as the site measured it, if it did."""
    gain = paired or difference(shared, alone)
    numbers = {"shared": shared.as_dict(), "alone": alone.as_dict(), "gain": gain.as_dict()}
    return {"site": site, "verdict": verdict(gain), "paired": paired is not None, **numbers}


def note(rows: list[dict[str, Any]], files: RunFiles) -> str:
    """What the difference is, how both models were chosen, and at which sites its interval is too wide.

    How a site chose its own is what this version does: neither the run nor its evaluation says it.
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
    """Which sites' own models saw another number of pairs than the shared one; empty if none did, or if nobody says."""
    shared = pairs_of_shared(files)
    told = {site: int(own.get("pairs", 0)) for site, own in (files.evaluation or {}).get("local_models", {}).items()}
    other = [f"{site} through {pairs}" for site, pairs in sorted(told.items()) if pairs and shared and pairs != shared]
    return UNFAIR.format(shared, listed(other)) if other else ""


def pairs_of_shared(files: RunFiles) -> int:
    """Image-text pairs that each site worked through in all rounds of the run; 0 where its settings are not there."""
    executors = files.configs.get("config_fed_client.json", {}).get("executors", [])
    args = {name: value for one in executors for name, value in one["executor"].get("args", {}).items()}
    try:
        steps = int(args["align_steps"]) + int(args["pretrain_steps"])
        return int(files.results["round"]) * steps * int(args["batch_size"])
    except KeyError:
        return 0


def verdict(gain: Interval) -> str:
    """Whether the interval of a difference leaves out zero, and on which side."""
    if gain.low > 0:
        return GAINS
    return LOSES if gain.high < 0 else OPEN


def answer(rows: list[dict[str, Any]]) -> str:
    """The answer in a sentence or two."""
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
    """Names as a list in words, with the verb that goes with their number."""
    names = sites[0] if len(sites) == 1 else f"{', '.join(sites[:-1])} and {sites[-1]}"
    return f"{names} {one if len(sites) == 1 else many}".strip()
