"""The parts of an evaluation; they share the resamples of the patients and the ranks of retrieval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from fedaid.evaluation.bootstrap import Weights, expanded_level, interval, patient_weights
from fedaid.evaluation.classification import auroc, calibration_error
from fedaid.evaluation.embedded_split import EmbeddedSplit
from fedaid.evaluation.findings.long_tail import BINS, bin_of, mean_precision
from fedaid.evaluation.findings.multiclass import CLASSES, multiclass
from fedaid.evaluation.findings.zero_shot import (
    FindingResult,
    Floats,
    Labelled,
    PromptEmbeddings,
    centre,
    macro_auroc,
    prompt_margin,
    prompt_spread,
    score_finding,
    zero_shot_probability,
)
from fedaid.evaluation.geometry import alignment, modality_gap, uniformity
from fedaid.evaluation.linear_probe import Subsets, fit_probe, patient_subset, probe_share
from fedaid.evaluation.plain_result import (
    plain_calibration,
    plain_column,
    plain_finding,
    plain_interval,
    plain_multiclass,
    plain_precision,
    plain_probe,
)
from fedaid.evaluation.retrieval import resampled_retrieval, retrieval_ranks
from fedaid.evaluation.settings import EvaluationSettings
from fedaid.evaluation.subgroups import Metric, Subgroups, by_group, large_groups

SUBGROUP_CUT_OFF = 5


class SiteMetrics:
    """Each public method is one part of the result, computed on the test split.

    Arguments as of :func:`fedaid.evaluation.suite.evaluate`.
    """

    def __init__(
        self,
        splits: Mapping[str, EmbeddedSplit],
        prompts: Mapping[str, PromptEmbeddings],
        *,
        logit_scale: float,
        settings: EvaluationSettings,
    ) -> None:
        self._splits, self._prompts = splits, prompts
        self._test, self._logit_scale, self._settings = splits["test"], logit_scale, settings
        self._weights = patient_weights(self._test.patients, draws=settings.draws, seed=settings.seed)
        self._level = expanded_level(settings.level, count=self._test.patient_count)
        self._ranks = retrieval_ranks(self._test.image, self._test.text, self._test.text_groups)

    def retrieval(self) -> dict[str, Any]:
        """Recalls in both directions."""
        recalls = resampled_retrieval(self._ranks, self._weights)
        return {name: plain_interval(interval(recall, level=self._level)) for name, recall in recalls.items()}

    def zero_shot(self) -> dict[str, Any]:
        """The metrics of each finding, the means over the reported findings, and the accuracy among five of them."""
        bins = {finding: self._bin_of_reported(finding) for finding in self._reported}
        results = {finding: self._results[finding] for finding in bins}
        return {
            "prompt_set": self._settings.prompts_name,
            "macro_auroc": plain_interval(macro_auroc(results, level=self._level_of(bins))),
            "macro_average_precision": self._mean_precision(bins),
            "by_prevalence": {
                name: self._mean_precision(inside)
                for name in BINS
                if (inside := [finding for finding in bins if bins[finding] == name])
            },
            "multiclass": self._multiclass(),
            "findings": {
                finding: plain_finding(result, prevalence=bins.get(finding))
                for finding, result in self._results.items()
                if finding not in self._settings.own_findings
            },
            "own_findings": {
                finding: plain_finding(self._results[finding], prevalence=self._bin_of_reported(finding))
                for finding in self._settings.own_findings
            },
        }

    def linear_probe(self) -> dict[str, Any]:
        """The AUROC of probes with each share of the training labels."""
        settings, train, test = self._settings, self._splits["train"].probe_data, self._test.probe_data
        probes = {}
        for share in settings.probe_shares:
            subsets = Subsets(share, settings.probe_draws, seed=settings.seed, least=settings.least_patients)
            result = probe_share(
                train,
                test,
                self._weights,
                findings=self._reported,
                subsets=subsets,
                level=self._level_of(self._reported),
            )
            probes[str(share)] = plain_probe(result, findings=len(self._reported))
        return probes

    def calibration(self) -> dict[str, Any]:
        """Calibration errors of zero-shot probabilities, and of probes with all training labels."""
        train, least = self._splits["train"].probe_data, self._settings.least_patients
        rows = patient_subset(train.patients, share=1.0, seed=0, least=least)
        zero_shot, probed = dict[str, float](), dict[str, float]()
        for finding in self._reported:
            probability = zero_shot_probability(self._margins[finding], logit_scale=self._logit_scale)
            zero_shot[finding] = self._calibration_error(finding, probability)
            learned = fit_probe(train, finding, rows, self._test.image)
            if learned is not None:
                probed[finding] = self._calibration_error(finding, learned)
        return {"zero_shot": plain_calibration(zero_shot), "linear_probe": plain_calibration(probed)}

    def geometry(self) -> dict[str, Any]:
        """Geometry of the embeddings on the sphere, with intervals."""
        image, text, patients = self._test.image, self._test.text, self._test.patients
        found = {
            "alignment": alignment(image, text, self._weights),
            "image_uniformity": uniformity(image, patients, self._weights),
            "text_uniformity": uniformity(text, patients, self._weights),
            "modality_gap": modality_gap(image, text, self._weights),
        }
        return {name: plain_interval(interval(metric, level=self._level)) for name, metric in found.items()}

    def subgroups(self) -> dict[str, Any]:
        """Recall and zero-shot AUROC of the groups of each column, and the gaps between groups."""
        return {column: self._column(groups) for column, groups in self._test.subgroups.items()}

    @cached_property
    def _margins(self) -> dict[str, Floats]:
        return {finding: prompt_margin(self._test.image, said) for finding, said in self._prompts.items()}

    @cached_property
    def _results(self) -> dict[str, FindingResult]:
        least, level, valid = self._settings.least_patients, self._settings.level, self._splits["valid"]
        results = {}
        for finding, said in self._prompts.items():
            other = Labelled(prompt_margin(valid.image, said), valid.targets[finding], valid.patients)
            found = score_finding(self._labelled(finding), other, self._weights, least=least, level=level)
            if found.auroc is not None:
                found = replace(found, spread=prompt_spread(self._test.image, said, self._test.targets[finding]))
            results[finding] = found
        return results

    def _bin_of_reported(self, finding: str) -> str | None:
        """Whether a finding is common among the training patients; None if it is not reported."""
        train = self._splits["train"]
        if self._results[finding].auroc is None:
            return None
        return bin_of(train.targets[finding], train.patients, least=self._settings.least_patients)

    def _mean_precision(self, findings: Iterable[str]) -> dict[str, Any] | None:
        """The mean average precision of reported findings."""
        results = [self._results[finding] for finding in findings]
        precisions = [result.resampled_precision for result in results if result.resampled_precision is not None]
        shares, level = [result.share for result in results], self._level_of(findings)
        return plain_precision(mean_precision(precisions, shares, level=level))

    def _multiclass(self) -> dict[str, Any]:
        """Zero-shot accuracy among the findings of CheXpert's competition."""
        test, settings = self._test, self._settings
        names = [name for name in CLASSES if name in self._prompts]
        similarity = {name: test.image.astype(np.float64) @ centre(self._prompts[name].positive) for name in names}
        targets, least = {name: test.targets[name] for name in names}, settings.least_patients
        found = multiclass(
            similarity, targets, test.patients, self._weights, least=least, level=settings.level, seed=settings.seed
        )
        return plain_multiclass(found)

    @property
    def _reported(self) -> list[str]:
        """Findings of the prompt set with enough patients; own findings are in no mean, so that means compare."""
        own = self._settings.own_findings
        return [name for name, result in self._results.items() if result.auroc is not None and name not in own]

    def _level_of(self, findings: Iterable[str]) -> float:
        """The level for a mean over reported findings, from the smallest class of all of them."""
        rarer = [min(self._labelled(finding).counts) for finding in findings]
        return expanded_level(self._settings.level, count=min(rarer)) if rarer else self._level

    def _calibration_error(self, finding: str, probability: Floats) -> float:
        """The calibration error on test studies with a known label, in bins of enough studies."""
        target = self._test.targets[finding]
        known = ~np.isnan(target)
        bins = max(1, min(self._settings.calibration_bins, int(known.sum()) // self._settings.least_patients))
        return calibration_error(probability[known], target[known] == 1, bins=bins)

    def _column(self, groups: Sequence[str]) -> dict[str, Any]:
        """Both metrics of the groups of one column."""
        metrics: dict[str, Metric] = {
            f"recall_at_{SUBGROUP_CUT_OFF}": self._recall,
            "macro_auroc": partial(self._macro_auroc, self._told_in_all(groups)),
        }
        return plain_column({name: self._grouped(metric, groups) for name, metric in metrics.items()})

    def _grouped(self, metric: Metric, groups: Sequence[str]) -> Subgroups:
        least, level = self._settings.least_patients, self._settings.level
        return by_group(metric, groups, self._test.patients, self._weights, least=least, level=level)

    def _recall(self, weights: Weights) -> Weights:
        """Recall of the studies with a weight, among all studies."""
        found = resampled_retrieval(self._ranks, weights, ks=(SUBGROUP_CUT_OFF,))
        return found[f"recall_at_{SUBGROUP_CUT_OFF}"]

    def _macro_auroc(self, findings: Sequence[str], weights: Weights) -> Weights | None:
        """Zero-shot AUROC of the studies with a weight, mean over the findings."""
        areas = [self._auroc(finding, weights) for finding in findings]
        return np.mean(areas, axis=0) if areas else None

    def _told_in_all(self, groups: Sequence[str]) -> list[str]:
        """The reported findings with enough positives and negatives in every reported group."""
        least = self._settings.least_patients
        members = large_groups(groups, self._test.patients, least=least).values()
        labelled = {finding: self._labelled(finding) for finding in self._reported}
        return [
            finding for finding, studies in labelled.items()
            if all(studies.part(inside).enough(least) for inside in members)
        ]  # fmt: skip

    def _labelled(self, finding: str) -> Labelled:
        """The test studies with the scores of one finding."""
        return Labelled(self._margins[finding], self._test.targets[finding], self._test.patients)

    def _auroc(self, finding: str, weights: Weights) -> Weights:
        target = self._test.targets[finding]
        known = ~np.isnan(target)
        return auroc(self._margins[finding][known], target[known] == 1, weights[:, known])
