from __future__ import annotations

from pathlib import Path

import pytest

from fedaid.errors import InputError
from fedaid.models.folder.declared_type import require_readable
from fedaid.models.folder.monai_network import monai_options
from fedaid.models.local_folder import local_file


@pytest.fixture
def below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``$FEDAID_MODELS`` with one file in a folder of it, and one beside it."""
    for folder in ("models/bert", "outside"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "config.json").touch()
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_a_name_stands_for_a_folder_below_the_models(below: Path) -> None:
    assert local_file("local:bert", "config.json") == below / "bert" / "config.json"


def test_an_absent_file_is_none(below: Path) -> None:
    assert local_file("local:bert", "vocab.txt") is None


@pytest.mark.parametrize("name", ["bert", "local:", "local:bert/../../outside", "local:../outside"])
def test_a_name_without_prefix_or_that_leads_out_is_none(name: str, below: Path) -> None:
    assert local_file(name, "config.json") is None


def test_an_absolute_path_is_none(below: Path) -> None:
    assert local_file(f"local:{below.parent / 'outside'}", "config.json") is None


def test_without_the_variable_there_is_no_folder(below: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEDAID_MODELS")
    monkeypatch.chdir(below)
    assert local_file("local:bert", "config.json") is None


def test_a_type_that_is_a_list_is_refused_in_one_line(below: Path) -> None:
    (below / "bert" / "config.json").write_text('{"model_type": ["bert"]}')
    assert monai_options(below / "bert") is None
    with pytest.raises(InputError, match=r"encoder must be of a type that transformers .* knows, got \['bert'\]"):
        require_readable(below / "bert")
