from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from admin.export.model_card import card, write_card
from admin.export.source import Source
from tests.admin.export.trained_models import SITES, source_of, trained


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_of(trained(), tmp_path / "model")


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_header_is_yaml_that_names_the_licence(source: Source) -> None:
    _, header, _ = card(replace(source, licence="cc-by-nc-4.0"), usage="").split("---\n", 2)
    assert yaml.safe_load(header)["license"] == "cc-by-nc-4.0"


def test_an_unknown_licence_is_to_be_asked_for(source: Source) -> None:
    assert "Ask the consortium that trained it before you use it" in words(card(source, usage=""))


def test_data_are_counts_and_metrics_are_over_sites(source: Source) -> None:
    text = words(card(source, usage=""))
    assert "2 sites" in text
    assert "validation split, 50 studies of 2 sites" in text
    assert "| recall_at_5 | 0.375 | 0.250 |" in text


def test_no_site_is_named(source: Source) -> None:
    text = card(source, usage="").lower()
    assert not [name for name in SITES if name in text]


def test_a_model_without_evidence_says_that_nothing_is_known(source: Source) -> None:
    text = words(card(replace(source, evidence=None), usage=""))
    assert "Nothing is known of the data" in text
    assert "None are known." in text


def test_merged_adapters_are_mentioned(source: Source) -> None:
    assert "adapters, which are merged" in card(replace(source, adapted=True), usage="")
    assert "adapters" not in card(source, usage="")


def test_the_card_holds_intended_use_limits_and_the_code(source: Source, tmp_path: Path) -> None:
    write_card(source, tmp_path / "README.md", usage="print('embedded')\n")
    text = (tmp_path / "README.md").read_text()
    assert "no medical device" in text
    assert "neither differentially private" in text
    assert "```python\nprint('embedded')\n```" in text
