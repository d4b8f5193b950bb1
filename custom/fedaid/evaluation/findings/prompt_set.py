"""Prompts as data: for each finding, sentences of reports with the finding and of reports without it.

A file under ``prompts`` is not changed once results were computed with it; changed prompts get a new file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fedaid.errors import closest, require

FOLDER = Path(__file__).with_name("prompts")


@dataclass(frozen=True)
class Prompts:
    """The prompts of one finding.

    Attributes:
        positive: texts that assert it.
        negative: texts that deny it.
        also: other names of it in a site's labels, in lower case.
    """

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class PromptSet:
    """The prompts by finding."""

    name: str
    findings: Mapping[str, Prompts]

    def targets(
        self, labels: Sequence[Sequence[str]], uncertain: Sequence[Sequence[str]]
    ) -> dict[str, NDArray[np.float64]]:
        """For each finding 1 if a study has it, 0 if not, NaN if its labels do not decide.

        Case and spacing of a label have no effect. All findings of a study without labels are NaN. A label outside this
        set counts as a label: the study then has 0 for the findings that it does not name.

        Args:
            labels: the certain labels of each of the N studies.
            uncertain: the uncertain labels of each of the N studies.

        Returns:
            finding → (N,).
        """
        names = {plain(name): finding for finding, said in self.findings.items() for name in (finding, *said.also)}
        certain, doubtful = ([{names.get(plain(one)) for one in of} for of in said] for said in (labels, uncertain))
        labelled = np.array([bool(a) or bool(b) for a, b in zip(labels, uncertain, strict=True)], dtype=bool)
        targets = {}
        for finding in self.findings:
            has = np.array([finding in found for found in certain], dtype=bool)
            open_ = np.array([finding in found for found in doubtful], dtype=bool) & ~has
            targets[finding] = np.where(labelled & ~open_, has.astype(np.float64), np.nan)
        return targets


def read_prompt_set(name: str) -> PromptSet:
    """The prompt set of the bundle with this name.

    Raises:
        InputError: if there is none.
    """
    known = sorted(file.stem for file in FOLDER.glob("*.json"))
    require(name in known, "prompt_set", "be known", got=name, where="evaluation settings", remedy=closest(name, known))
    content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    findings = {
        finding: Prompts(tuple(said["positive"]), tuple(said["negative"]), tuple(said["also"]))
        for finding, said in content["findings"].items()
    }
    return PromptSet(content["name"], MappingProxyType(findings))


def plain(label: str) -> str:
    """A label without differences of case and spacing."""
    return " ".join(label.lower().replace("_", " ").split())
