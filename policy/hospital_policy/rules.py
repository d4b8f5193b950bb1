"""The rules of a policy, and the file in which a hospital keeps them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

RULES_FILE = "hospital_policy.json"  # in the kit's local/
SEND, WITHHOLD = "send", "withhold"


class PolicyFault(Exception):
    """The policy, its files or an answer are not as they must be, so nothing leaves; the text is safe to send."""


@dataclass(frozen=True)
class Rules:
    """What a hospital lets leave its site.

    Attributes:
        min_studies: metrics and counts over fewer studies stay at the site, at least 1.
        clip: largest Euclidean norm of the learned tensors of an update; None for no limit.
        statistics: ``send`` or ``withhold`` the running statistics of batch norm; withheld ones do not move.
        statistics_clip: largest norm of the running statistics, as of ``clip``; None for no limit.
        noise: standard deviation of the Gaussian noise on each learned number, in units of ``clip``; 0 for no noise.
        epsilon: largest privacy loss of all updates of this site together; None only without noise.
        delta: of the privacy loss, in (0, 1).

    Raises:
        PolicyFault: naming the first rule that is not valid.
    """

    min_studies: int = 5
    clip: float | None = None
    statistics: str = SEND
    statistics_clip: float | None = None
    noise: float = 0.0
    epsilon: float | None = None
    delta: float = 1e-5

    def __post_init__(self) -> None:
        whole = type(self.min_studies) is int and self.min_studies >= 1
        demand(whole, "min_studies", "be a whole number of at least 1", self.min_studies)
        for name in ("clip", "statistics_clip", "epsilon"):
            value = getattr(self, name)
            demand(value is None or is_positive(value), name, "be a number above 0", value)
        demand(self.statistics in (SEND, WITHHOLD), "statistics", f"be {SEND} or {WITHHOLD}", self.statistics)
        demand(self.noise == 0 or is_positive(self.noise), "noise", "be a number of at least 0", self.noise)
        demand(is_positive(self.delta) and self.delta < 1, "delta", "be in (0, 1)", self.delta)
        if self.noise:
            demand(self.clip is not None, "clip", "be set if there is noise: noise is in units of it", self.clip)
            demand(self.epsilon is not None, "epsilon", "be set if there is noise", self.epsilon)
            rule = f"be {WITHHOLD} if there is noise: running statistics would leave without noise"
            demand(self.statistics == WITHHOLD, "statistics", rule, self.statistics)
        else:
            demand(self.epsilon is None, "epsilon", "be left out without noise: it limits nothing", self.epsilon)

    def as_dict(self) -> dict[str, Any]:
        """The rules as plain JSON."""
        return asdict(self)


def demand(condition: bool, name: str, rule: str, got: object) -> None:
    """Raises :class:`PolicyFault` unless the condition holds."""
    if not condition:
        raise PolicyFault(f"{name} must {rule}, got {got!r}: {RULES_FILE}")


def is_positive(value: object) -> bool:
    """Whether this is a finite number above 0; a bool is not a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def rules_from(content: Mapping[str, Any]) -> Rules:
    """The rules in a JSON object; every field must be given and known, so that a misspelt rule is no missing rule.

    Raises:
        PolicyFault: naming the field.
    """
    names = {field.name for field in fields(Rules)}
    for name in sorted(names ^ set(content)):
        state = "unknown" if name in content else "missing"
        raise PolicyFault(f"{RULES_FILE} must have the fields {', '.join(sorted(names))}, got {name[:40]!r} {state}")
    return Rules(**content)


def read_rules(file: Path) -> Rules:
    """The rules in a file.

    Raises:
        PolicyFault: if there is no such file, or if it is not valid.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PolicyFault(f"{RULES_FILE} must be a readable JSON file, got {type(error).__name__}") from None
    if not isinstance(content, dict):
        raise PolicyFault(f"{RULES_FILE} must be a JSON object, got {type(content).__name__}")
    return rules_from(content)
