"""What the shared model reached at every site, round by round, on the validation splits."""

from __future__ import annotations

from typing import Any

from admin.report.run_files import RunFiles

SHOWN = ("loss", "recall_at_5")


def learning(files: RunFiles) -> dict[str, Any]:
    """For each metric and site the points (rounds of training, value); 0 rounds is the model before any training.

    A round begins with the validation of the model that the round before made, so that entry r of the history is the
    model after r rounds; the run ends with the validation of the last one.
    """
    moments = [(entry["round"], entry["valid"]) for entry in files.results["history"]]
    last = {site: splits["valid"] for site, splits in files.results.get("last", {}).items()}
    moments.append((files.results["round"], last))
    curves = {
        metric: {
            site: [[number, metrics[site][metric]] for number, metrics in moments if metric in metrics.get(site, {})]
            for site in files.sites
        }
        for metric in SHOWN
    }
    kept = {metric: by_site for metric, by_site in curves.items() if any(by_site.values())}
    return {"curves": kept, "best_round": files.results["best_round"], "rounds": files.results["round"]}
