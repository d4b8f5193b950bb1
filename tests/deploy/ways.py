"""Ways to run one job, and the models that they gave."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from admin.jobs.package import package_job
from tests.deploy.submitted_job import PATIENT, hash_of, weights_of
from tests.integration.conftest import CONTROL, MODEL, TRAINING


@dataclass
class Ways:
    """What was tried.

    Attributes:
        folder: of everything.
        sites: that take part.
        found: way → weights of its model.
        failures: of ways that gave no model, in words.
        tried: number of ways.
    """

    folder: Path
    sites: Sequence[str]
    found: dict[str, Path] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    tried: int = 0

    def add(self, way: str, run: Callable[[Path], Path]) -> None:
        """Runs the job in one way, in a folder of its own; ``run`` returns the server's run folder."""
        self.tried += 1
        folder = self.folder / f"way-{self.tried}"
        folder.mkdir()
        start = time.monotonic()
        try:
            self.found[way] = Path(shutil.copy(weights_of(run(folder)), folder / "model.safetensors"))
        except Exception as error:
            self.failures.append(f"{way}: {type(error).__name__}: {str(error)[-300:]}")
        print(f"{way}: {time.monotonic() - start:.0f} s", flush=True)

    def job(self, folder: Path, *, code: bool = True) -> Path:
        """The job, packaged anew."""
        settings = MODEL | TRAINING | CONTROL | PATIENT | {"min_clients": len(self.sites)}
        return package_job("fedaid_pretrain", out=folder / "jobs", settings=settings, code=code)

    def equal(self) -> list[str]:
        """The ways whose models have the hash that most models have; none if every way failed."""
        hashes = {way: hash_of(file) for way, file in self.found.items()}
        most = max(hashes.values(), key=Counter(hashes.values()).__getitem__, default="")
        return [way for way, found in hashes.items() if found == most]

    def differences(self) -> list[str]:
        """What ended without a model, and how each other model differs, in words."""
        same = self.equal()
        odd = [way for way in self.found if way not in same]
        return [*self.failures, *(f"{way}: {difference(self.found[same[0]], self.found[way])}" for way in odd)]


def difference(first: Path, second: Path) -> str:
    """The largest difference of two models, and the tensor that has it."""
    one, other = load_file(first), load_file(second)
    if odd := one.keys() ^ other.keys():
        return f"other tensors than {first.parent.name}: {', '.join(sorted(odd)[:5])}"
    apart = {name: float(np.abs(one[name].astype(float) - other[name]).max(initial=0.0)) for name in one}
    name = max(apart, key=lambda key: apart[key])
    return f"the largest difference is {apart[name]:.3g}, in {name}"
