from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from admin.model.export.bundle_metadata import SCHEMA, SCHEMA_COPY, eval_metrics, metadata
from admin.model.export.source import Source
from fedaid.version import VERSION
from tests.admin.model.export.trained_models import DIM, SITES, SIZE, source_of, trained


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_of(trained(), tmp_path / "model")


def test_metadata_are_valid_by_the_schema_that_they_name(source: Source) -> None:
    found = metadata(source)
    jsonschema.validate(found, json.loads(SCHEMA_COPY.read_text()))
    assert found["schema"] == SCHEMA
    assert VERSION in found["changelog"][found["version"]]
    assert SCHEMA.rsplit("/", 1)[1] in SCHEMA_COPY.read_text()


def test_the_network_s_data_format_is_the_input_contract(source: Source) -> None:
    form = metadata(source)["network_data_format"]
    image = form["inputs"]["image"]
    assert (image["num_channels"], image["spatial_shape"], image["value_range"]) == (1, [SIZE, SIZE], [-1.0, 1.0])
    assert "0.1 and 99.9 percentiles" in image["channel_def"]["0"]
    assert form["outputs"]["pred"]["num_channels"] == DIM


def test_metrics_are_named_by_end_and_split(source: Source) -> None:
    found = eval_metrics(source)
    assert found["worst_validation_recall_at_5"] == 0.25
    assert found["mean_validation_recall_at_5"] == 0.375


def test_a_model_without_evidence_has_no_metrics(source: Source) -> None:
    assert eval_metrics(replace(source, evidence=None)) == {}


def test_no_site_is_named(source: Source) -> None:
    assert not [name for name in SITES if name in json.dumps(metadata(source)).lower()]
