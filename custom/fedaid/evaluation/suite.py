"""All metrics of one model on a site's test split, as a plain dictionary that may leave the site.

``docs/evaluation.md`` lists its keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedaid.evaluation.embedded_split import EmbeddedSplit
from fedaid.evaluation.findings.zero_shot import PromptEmbeddings
from fedaid.evaluation.settings import EvaluationSettings
from fedaid.evaluation.site_metrics import SiteMetrics

SCHEMA_VERSION = 2
PARTS = ("retrieval", "zero_shot", "linear_probe", "calibration", "geometry", "subgroups")
SHOWN_SETTINGS = ("least_patients", "draws", "level", "seed")


def evaluate(
    splits: Mapping[str, EmbeddedSplit],
    prompts: Mapping[str, PromptEmbeddings],
    *,
    logit_scale: float,
    settings: EvaluationSettings,
) -> dict[str, Any]:
    """The aggregates of one model on one site, with intervals over the patients of its test split.

    The test split is for measurement only: thresholds come from "valid", and probes are trained on "train".

    Args:
        splits: "train", "valid" and "test", without common patients.
        prompts: finding → embeddings of its prompts under the same model; each split has targets of these findings.
        logit_scale: of the model, for zero-shot probabilities.
        settings: see there.

    Returns:
        Plain JSON. With too few test patients all of :data:`PARTS` are None. For a diverged model, whose embeddings are
        not finite, all parts but retrieval are None.
    """
    shown = {name: getattr(settings, name) for name in SHOWN_SETTINGS} | {"prompt_set": settings.prompts_name}
    result: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "settings": shown, "counts": _counts(splits)}
    result |= dict.fromkeys(PARTS)
    if splits["test"].patient_count < settings.least_patients:
        return result
    metrics = SiteMetrics(splits, prompts, logit_scale=logit_scale, settings=settings)
    finite = all(split.finite for split in splits.values())
    return result | {part: getattr(metrics, part)() for part in (PARTS if finite else PARTS[:1])}


def _counts(splits: Mapping[str, EmbeddedSplit]) -> dict[str, dict[str, int]]:
    """Sizes of the splits, and the number of different texts of the test split."""
    counts = {name: {"studies": len(split), "patients": split.patient_count} for name, split in splits.items()}
    counts["test"]["texts"] = len(set(splits["test"].text_groups.tolist()))
    return counts
