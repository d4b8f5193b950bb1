"""The results of trials in files that are committed: one line of compact JSON a trial, one a set of tested studies."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from admin.study.compare.judge import CALIBRATION
from admin.study.compare.trial import Trial
from admin.study.compare.trials import Result

CURVES = ("loss", "batch_accuracy", "recall_at_5")  # of the validation splits, kept for every round
PLACES = 4  # after the point, in a curve


class Ledger:
    """Results by the name of their trial, which is a hash of all that decides them.

    A line holds what the summaries need: the hits or scores of every tested study, so that patients can be resampled,
    the curves and the processor seconds. Which patient a tested study is of stands once for each data set.

    Args:
        file: with the lines; made if absent.

    Raises:
        ValueError: a line is damaged; the message names it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tests: dict[str, dict[str, Any]] = {}
        self._lines: dict[str, dict[str, Any]] = {}
        for number, text in enumerate(file.read_text().splitlines() if file.exists() else [], start=1):
            try:
                self._take(json.loads(text))
            except (ValueError, KeyError) as error:
                raise ValueError(f"line must be a trial's or a test's, got a damaged one: {file}:{number}") from error

    def __contains__(self, trial: Trial) -> bool:
        return trial.name in self._lines

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self._lines.values())

    def add(self, trial: Trial, result: Result, *, all_rounds: bool) -> None:
        """Append a trial's result.

        Args:
            trial: that has ended.
            result: as it gave it.
            all_rounds: whether the tests of every model that was the best so far are kept, which equal time needs; or
                those of the last one only.
        """
        tests = packed_tests(result)
        if not self._tests.get(trial.data, {}).keys() >= tests.keys():
            self._append({"tests": trial.data, "of": self._tests.get(trial.data, {}) | tests})
        self._append(packed(trial, result, all_rounds=all_rounds))

    def result(self, trial: Trial) -> Result:
        """The result of a trial, without what is not kept."""
        line = self._lines[trial.name]
        return unpacked(line, self._tests[line["data"]])

    def _append(self, line: Mapping[str, Any]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._take(dict(line))

    def _take(self, line: dict[str, Any]) -> None:
        if "tests" in line:
            self._tests[line["tests"]] = line["of"]
        else:
            self._lines[line["trial"]] = line


def packed(trial: Trial, result: Result, *, all_rounds: bool) -> dict[str, Any]:
    """The line of a result."""
    models = {
        name: {number: by_round[number] for number in (by_round if all_rounds else [max(by_round, key=int)])}
        for name, by_round in result["models"].items()
    }
    line = {
        "trial": trial.name,
        "data": trial.data,
        "label": trial.label,
        "seed": trial.seed,
        "sites": list(trial.sites),
        "held_out": list(trial.held_out),
        "rounds": result["rounds"],
        "seconds": round(result["seconds"], 2),
        "best_round": result["best_round"],
        "made": result["made"],
        "curves": {name: packed_curve(curve) for name, curve in result["curves"].items()},
        "models": {
            name: {number: {test: packed_hits(found) for test, found in of.items()} for number, of in by_round.items()}
            for name, by_round in models.items()
        },
    }
    probes = {name: probe for name, probe in result.get("probes", {}).items() if probe}
    return line | ({"probes": probes} if probes else {})


def unpacked(line: Mapping[str, Any], tests: Mapping[str, Any]) -> dict[str, Any]:
    """The result that a line holds."""
    kept = {name: line[name] for name in ("rounds", "seconds", "best_round", "made")}
    return kept | {
        "trial": {name: line[name] for name in ("sites", "held_out", "label", "seed")},
        "curves": {name: unpacked_curve(curve) for name, curve in line["curves"].items()},
        "models": {
            name: {
                number: {test: unpacked_hits(found, tests[test]) for test, found in of.items()}
                for number, of in by_round.items()
            }
            for name, by_round in line["models"].items()
        },
        "probes": line.get("probes", {}),
    }


def packed_curve(curve: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Site → the values of all rounds, of weights and validation metrics; the rounds count from 0."""
    sites = list(curve[0]["valid"])
    metrics = [name for name in CURVES if name in curve[0]["valid"][sites[0]]]
    found: dict[str, Any] = {
        "weights": {site: [round(entry["site_weights"].get(site, 0.0), PLACES) for entry in curve] for site in sites}
    }
    return found | {
        name: {site: [round(entry["valid"][site][name], PLACES) for entry in curve] for site in sites}
        for name in metrics
    }


def unpacked_curve(curve: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry for each round, as a trial has them."""
    weights, metrics = curve["weights"], [name for name in CURVES if name in curve]
    return [
        {
            "round": number,
            "site_weights": {site: values[number] for site, values in weights.items()},
            "valid": {site: {name: curve[name][site][number] for name in metrics} for site in weights},
        }
        for number in range(len(next(iter(weights.values()))))
    ]


def packed_tests(result: Result) -> dict[str, Any]:
    """Test set → what does not depend on a model: the patient of each study, and its text's share or its class."""
    found: dict[str, Any] = {}
    for by_round in result["models"].values():
        for of in by_round.values():
            for test, hits in of.items():
                whole = np.array(hits["target"]) if "target" in hits else np.rint(1 / np.array(hits["share"]))
                kind = "target" if "target" in hits else "alike"
                found[test] = {"patients": squeezed(hits["patients"]), kind: squeezed(whole)}
    return found


def packed_hits(hits: Mapping[str, Any]) -> dict[str, Any]:
    """What a model did on a test set: two bits a study, or its scores for all classes but the first; its ECE."""
    error = {CALIBRATION: hits[CALIBRATION]} if CALIBRATION in hits else {}
    if "scores" in hits:
        return {"scores": text_of(np.array(hits["scores"])[:, 1:].astype("<i2").tobytes())} | error
    bits = {name: text_of(np.packbits(np.array(hits[name], bool)).tobytes()) for name in ("to_text", "to_image")}
    return bits | error


def unpacked_hits(found: Mapping[str, Any], test: Mapping[str, str]) -> dict[str, Any]:
    """Hits or class scores, and the calibration error, as a trial stores them."""
    error = {CALIBRATION: found[CALIBRATION]} if CALIBRATION in found else {}
    return unpacked_studies({name: text for name, text in found.items() if name != CALIBRATION}, test) | error


def unpacked_studies(found: Mapping[str, str], test: Mapping[str, str]) -> dict[str, Any]:
    """Hits or class scores as their ``as_json`` gave them."""
    patients = stretched(test["patients"])
    count = len(patients)
    if "scores" in found:
        scores = np.frombuffer(bytes_of(found["scores"]), "<i2").reshape(count, -1).astype(np.int64)
        whole = np.concatenate([np.zeros((count, 1), np.int64), scores], axis=1)
        target = stretched(test["target"])
        return {"patients": patients.tolist(), "target": target.tolist(), "scores": whole.tolist()}
    bits = {name: np.unpackbits(np.frombuffer(bytes_of(text), np.uint8), count=count) for name, text in found.items()}
    share = 1 / stretched(test["alike"])
    return {"patients": patients.tolist(), **{n: b.tolist() for n, b in bits.items()}, "share": share.tolist()}


def squeezed(values: Any) -> str:
    """Whole numbers as a short text."""
    return text_of(zlib.compress(np.asarray(values).astype("<i4").tobytes(), 9))


def stretched(text: str) -> NDArray[np.int64]:
    """The numbers of :func:`squeezed`."""
    return np.frombuffer(zlib.decompress(bytes_of(text)), "<i4").astype(np.int64)


def text_of(content: bytes) -> str:
    """Bytes as text."""
    return base64.b64encode(content).decode()


def bytes_of(text: str) -> bytes:
    """The bytes of :func:`text_of`."""
    return base64.b64decode(text)
