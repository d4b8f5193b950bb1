"""The metadata of a MONAI bundle: the fields of MONAI's schema and the full input contract."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from admin.model.export.input_contract import input_contract
from admin.model.export.model_card import INTENDED_USE, METHOD
from admin.model.export.source import Source
from fedaid.version import VERSION

SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
SCHEMA_COPY = Path(__file__).with_name("meta_schema.json")
"""The rules of that schema for a bundle of one network, for a machine without a network."""
PACKAGES = ("einops", "pillow", "safetensors", "transformers")


def network_data_format(source: Source) -> dict[str, Any]:
    """Return the input contract and the output in the schema's terms; MONAI's tools expect ``image`` and ``pred``."""
    configuration = source.model.configuration
    contract = input_contract(configuration["image_size"])
    image = {
        "type": "image",
        "format": "magnitude",
        "modality": "X-ray",
        "num_channels": 1,
        "spatial_shape": contract["shape"][2:],
        "dtype": "float32",
        "value_range": contract["range"],
        "is_patch_data": False,
        "channel_def": {"0": "; ".join(contract["steps"])},
    }
    embedding = {
        "type": "array",
        "format": "embedding, unit norm",
        "num_channels": configuration["embedding_dim"],
        "spatial_shape": [],
        "dtype": "float32",
        "value_range": [-1.0, 1.0],
    }
    return {"inputs": {"image": image}, "outputs": {"pred": embedding}}


def metadata(source: Source) -> dict[str, Any]:
    """Return the fields of MONAI's schema and the full input contract."""
    return {
        "schema": SCHEMA,
        "version": "1.0.0",
        "changelog": {"1.0.0": f"exported by FedAID on NVIDIA FLARE {VERSION}"},
        "monai_version": version("monai"),
        "pytorch_version": version("torch").split("+")[0],
        "numpy_version": version("numpy"),
        "required_packages_version": {name: version(name) for name in PACKAGES},
        "name": "FedAID image tower",
        "task": "Embedding of chest radiographs into the space of their reports",
        "description": "The image tower of a model that embeds radiographs and reports in one space; the text tower is "
        "in the Hugging Face layout.",
        "authors": "not stated",
        "copyright": f"licence: {source.licence}",
        "data_type": "png, jpeg",
        "intended_use": INTENDED_USE,
        "references": [METHOD],
        "eval_metrics": eval_metrics(source),
        "network_data_format": network_data_format(source),
    }


def eval_metrics(source: Source) -> dict[str, float]:
    """Return the run's metrics; a key is ``{mean or worst}_{split}_{metric}`` over the sites."""
    evidence = source.evidence
    if evidence is None:
        return {}
    found = {f"{evidence.split}_{name}": values for name, values in evidence.metrics.items()}
    return {
        f"{end}_{name}": value
        for name, values in found.items()
        for end, value in zip(("mean", "worst"), values, strict=True)
    }
