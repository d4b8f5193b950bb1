"""Towers to start from: trained once on a public population of other hospitals, loaded like any ``local:`` encoder."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from admin.jobs.methods import POOLED, loop_settings
from admin.model.export.hugging_face_folder import IMAGE, TEXT, write_hugging_face
from admin.model.export.source import Source
from admin.study.compare.judge import loaded
from admin.study.compare.rounds import ServerSettings, run_rounds
from admin.study.compare.sites import make_workers, read_sites
from admin.twin.hospital import DEMO_HOSPITALS
from admin.twin.population import write_population
from fedaid.models.dual_encoder import DualEncoder
from tests.benchmarks.quality.data.data_set import DONE, key_of
from tests.benchmarks.quality.data.twin import IMAGE_SIZE

PUBLIC = "public-population"


@dataclass(frozen=True)
class Start:
    """The towers of one seed.

    The public hospitals are those of the demo: other names, machines and findings than the sites', other patients, and
    without one of their four styles of writing. The projection heads are not part of a tower; each trial draws its own.

    Attributes:
        models: folder of ``local:`` encoders.
        seed: of the population, of the first weights and of training.
        model: constructor arguments of the model, without the seed.
        settings: of training, with ``num_rounds``; the method is ``pooled``.
        studies: of each public hospital.
    """

    models: Path
    seed: int
    model: Mapping[str, Any]
    settings: Mapping[str, Any]
    studies: int

    @property
    def asked(self) -> dict[str, Any]:
        """All that decides the towers, but for the code."""
        hospitals = key_of([repr(hospital) for hospital in DEMO_HOSPITALS])
        told = {"seed": self.seed, "model": dict(self.model), "settings": dict(self.settings)}
        return told | {"studies": self.studies, "hospitals": hospitals, "image_size": IMAGE_SIZE}

    @property
    def name(self) -> str:
        """Name of the folder: by the seed and a hash of all that decides the towers."""
        return f"start-{self.seed}-{key_of(self.asked)}"

    @property
    def started(self) -> dict[str, Any]:
        """Constructor arguments of a model that starts from the towers."""
        text = f"local:{self.name}/{TEXT}"
        towers = {"image_encoder": f"local:{self.name}/{IMAGE}", "text_encoder": text, "vocabulary": text}
        return {**self.model, **towers}

    def written(self) -> Start:
        """The start after its folder is there; one that is complete is read."""
        folder = self.models / self.name
        if not (folder / DONE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            write_hugging_face(Source(self.trained(), adapted=False, sha256="", evidence=None), folder)
            (folder / DONE).write_text(json.dumps(self.asked))
        return self

    def trained(self) -> DualEncoder:
        """The model that pooled training on the public population selects."""
        torch.set_num_threads(1)
        public = [replace(hospital, studies=self.studies) for hospital in DEMO_HOSPITALS]
        model = DualEncoder(**self.model, seed=self.seed)
        settings = loop_settings(POOLED, {**self.settings, "seed": self.seed})
        with tempfile.TemporaryDirectory(prefix="fedaid-start-") as scratch:
            root = Path(scratch) / PUBLIC
            write_population(root, hospitals=public, seed=self.seed, image_size=IMAGE_SIZE)
            data = read_sites({POOLED: root}, model.configuration, cache=Path(scratch) / "cache").data(POOLED)
            workers = make_workers({POOLED: data}, {**self.model, "seed": self.seed}, settings.training)
            outcome = run_rounds(workers, workers[POOLED].tensors(), ServerSettings.of(settings))
        return loaded(model, outcome.best).eval()
