"""The settings of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field

from fedaid.errors import require
from fedaid.evaluation.findings.own_findings import Findings, name_with, require_sound

WHERE = "evaluation settings"
LEAST_DRAWS, LEVELS = 200, (0.8, 0.99)  # of the intervals that leave a site


@dataclass(frozen=True)
class EvaluationSettings:
    """How metrics are computed, and for how many patients they are reported.

    Args:
        prompt_set: a file of ``prompts``, without its suffix.
        own_findings: finding → its prompts and labels, beside those of ``prompt_set``; see
            :mod:`fedaid.evaluation.findings.own_findings`.
        least_patients: least number of patients of a group, and of each class of a finding.
        draws: number of resamples of the patients.
        level: share of the resamples between the limits of an interval.
        seed: of all random draws.
        probe_shares: shares of the training labels for probes.
        probe_draws: number of subsets of each share below 1.
        calibration_bins: largest number of bins; each has at least ``least_patients`` studies.

    Raises:
        InputError: for a value out of its range.
    """

    prompt_set: str = "chexpert-v1"
    own_findings: Findings = field(default_factory=dict)
    least_patients: int = 5
    draws: int = 1000
    level: float = 0.95
    seed: int = 0
    probe_shares: tuple[float, ...] = (0.01, 0.1, 1.0)
    probe_draws: int = 5
    calibration_bins: int = 10

    def __post_init__(self) -> None:
        self._check("own_findings", isinstance(self.own_findings, dict), "be an object")
        if self.own_findings:
            require_sound(self.own_findings, lambda *_: WHERE)
        for name, least in {
            "least_patients": 2,
            "draws": 10,
            "seed": 0,
            "probe_draws": 1,
            "calibration_bins": 1,
        }.items():
            value = getattr(self, name)
            ok = isinstance(value, int) and not isinstance(value, bool) and value >= least
            self._check(name, ok, f"be a whole number of at least {least}")
        self._check("level", 0 < self.level < 1, "be a number above 0 and below 1")
        shares = self.probe_shares
        self._check("probe_shares", all(0 < share <= 1 for share in shares), "be numbers above 0 and at most 1")

    @property
    def prompts_name(self) -> str:
        """The name of the prompts: that of the set, and with own findings a hash of them."""
        return name_with(self.prompt_set, self.own_findings)

    def _check(self, name: str, ok: bool, rule: str) -> None:
        require(ok, name, rule, got=getattr(self, name), where=WHERE, remedy="Correct the setting.")
