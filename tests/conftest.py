"""Two tiny hospitals, a tiny model, settings to go with them, and the smallest job."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from hypothesis import HealthCheck
from hypothesis import settings as property_settings

from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from fedaid.data.site_data import SiteData, load_site_data
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer
from fedaid.training.settings import TrainingSettings
from tests import real_data

IMAGE_SIZE, MAX_TOKENS = 32, 40
STUDIES = 36  # about 25 to train on, 5 each to validate and test on
TRIVIAL = Path(__file__).parent / "admin" / "trivial_job"

torch.set_num_threads(1)
# Properties are not timed: other tests keep the machine busy meanwhile.
property_settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
property_settings.load_profile("untimed")


def pytest_report_header() -> str:
    """Which real data this run has."""
    return real_data.summary()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that the processes that share the tests end at about the same time."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """site → data root of two hospitals."""
    folder = tmp_path_factory.mktemp("consortium")
    hospitals = [replace(hospital, studies=STUDIES) for hospital in DEMO_HOSPITALS[:2]]
    write_consortium(folder, hospitals=hospitals, seed=0, image_size=IMAGE_SIZE)
    return {hospital.name: folder / hospital.name for hospital in hospitals}


def tiny_model_options() -> dict[str, Any]:
    """Constructor arguments of a model with batch norm in its image tower and dropout in its text tower."""
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    return {
        "image_encoder": {"name": "monai_resnet", "block_inplanes": [8, 8, 16, 16]},
        "text_encoder": {"name": "bert"} | sizes,
        "image_size": IMAGE_SIZE,
        "embedding_dim": 8,
        "projection_hidden": 16,
        "max_tokens": MAX_TOKENS,
    }


@pytest.fixture(scope="session")
def model_options() -> dict[str, Any]:
    """Constructor arguments of a tiny model."""
    return tiny_model_options()


@pytest.fixture
def model(model_options: dict[str, Any]) -> DualEncoder:
    """A fresh tiny model, always the same."""
    return DualEncoder(**model_options)


@pytest.fixture(scope="session")
def image_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a folder of decoded images for each site: to decode them starts a process each time."""
    return tmp_path_factory.mktemp("image-cache")


@pytest.fixture(scope="session")
def load_site(consortium: dict[str, Path], image_cache: Path) -> Callable[[str], SiteData]:
    """A function that loads a site's data."""
    tokenizer = load_tokenizer(find_vocabulary("radiology"), max_tokens=MAX_TOKENS)

    def load(site: str) -> SiteData:
        return load_site_data(consortium[site], cache=image_cache / site, image_size=IMAGE_SIZE, tokenizer=tokenizer)

    return load


@pytest.fixture(scope="session")
def site_data(consortium: dict[str, Path], load_site: Callable[[str], SiteData]) -> SiteData:
    """The data of the first hospital."""
    return load_site(next(iter(consortium)))


@pytest.fixture
def settings() -> TrainingSettings:
    """A few short steps."""
    return TrainingSettings(
        batch_size=8,
        valid_batch_size=4,
        align_steps=2,
        pretrain_steps=2,
        learning_rate=1e-3,
        warmup_steps=1,
        training_process="same",
    )


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever asks for an address fails."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("this must need no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def other_file_system() -> Iterator[Path]:
    """An empty folder in memory: another file system than that of ``tmp_path``."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture
def source_jobs(tmp_path: Path) -> Path:
    """A jobs/ folder with one source job, ``trivial``."""
    jobs = tmp_path / "jobs"
    shutil.copytree(TRIVIAL, jobs / "trivial", ignore=shutil.ignore_patterns("__pycache__"))
    return jobs


@pytest.fixture
def trivial_job(source_jobs: Path) -> Path:
    """A job folder that can run."""
    return source_jobs / "trivial"
