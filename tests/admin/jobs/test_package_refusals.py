"""What ``package`` refuses because a run would fail later, and what it warns of."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel

from admin.__main__ import main
from admin.jobs.job_check import check_job
from admin.jobs.plan import Conditions, plan_job
from fedaid.errors import InputError
from fedaid.models.vocabulary import VOCABULARY_FILE, vocabulary_size

SIZES = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
LOCAL = ["text_encoder=local:bert", "image_size=32"]


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``$FEDAID_MODELS`` with a tiny BERT."""
    folder = tmp_path / "models"
    torch.manual_seed(1)
    config = AutoConfig.for_model("bert", **SIZES, vocab_size=vocabulary_size(), pad_token_id=0)
    AutoModel.from_config(config).save_pretrained(folder / "bert")
    shutil.copy(VOCABULARY_FILE, folder / "bert" / "vocab.txt")
    monkeypatch.setenv("FEDAID_MODELS", str(folder))
    return folder


def package(tmp_path: Path, *settings: str) -> int:
    pairs = [word for setting in settings for word in ("--set", setting)]
    return main(["package", "fedaid_pretrain", "--out", str(tmp_path / "jobs"), *pairs])


def refusal(tmp_path: Path, capsys: pytest.CaptureFixture[str], *settings: str) -> str:
    """The one line on standard error of a job that was refused."""
    assert package(tmp_path, *settings) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert not list((tmp_path / "jobs").iterdir())
    (line,) = captured.err.splitlines()
    return line


def test_a_job_that_starts_from_a_local_folder_is_packaged_where_the_folder_is(models: Path, tmp_path: Path) -> None:
    assert package(tmp_path, *LOCAL) == 0


def test_a_local_folder_without_fedaid_models_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FEDAID_MODELS", raising=False)
    assert refusal(tmp_path, capsys, *LOCAL) == (
        "error: text_encoder must name a folder with config.json and model.safetensors below $FEDAID_MODELS, "
        "got 'local:bert': model args of config_fed_server.json. "
        "FEDAID_MODELS is not set on this machine: set it to the folder that holds your models."
    )


def test_a_local_folder_that_is_not_below_fedaid_models_is_refused(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refusal(tmp_path, capsys, "image_encoder=local:vit", "image_size=32")
    assert line.startswith("error: image_encoder must name a folder with config.json")
    assert line.endswith("Put the file at $FEDAID_MODELS/vit/config.json on this machine.")


def test_a_local_folder_without_weights_is_refused(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (models / "bert" / "model.safetensors").unlink()
    assert "Convert the weights to safetensors" in refusal(tmp_path, capsys, *LOCAL)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("local:dutch", "Put the file at $FEDAID_MODELS/dutch/tokenizer.json on this machine."),
        ("english", "Use radiology."),
    ],
)
def test_a_missing_vocabulary_is_refused(
    name: str, remedy: str, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refusal(tmp_path, capsys, f"vocabulary={name}")
    assert line.startswith("error: vocabulary must be radiology, or local:NAME")
    assert f"got '{name}': " in line
    assert line.endswith(remedy)


def test_a_local_text_encoder_with_a_vocabulary_of_its_own_is_refused_without_it(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = VOCABULARY_FILE.read_text(encoding="utf-8").splitlines()
    (models / "bert" / "vocab.txt").write_text("\n".join([*words[:5], *reversed(words[5:])]) + "\n", encoding="utf-8")
    assert refusal(tmp_path, capsys, *LOCAL).endswith("Set vocabulary to local:bert.")


def test_a_packaged_job_can_be_checked_without_the_folder_since_the_server_builds_the_model(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert package(tmp_path, *LOCAL) == 0
    monkeypatch.delenv("FEDAID_MODELS")
    job = tmp_path / "jobs" / "fedaid_pretrain"
    assert check_job(job, local_folders=False) > 5
    with pytest.raises(InputError, match="FEDAID_MODELS is not set"):
        check_job(job)


def test_a_job_that_starts_from_a_local_folder_can_be_planned(models: Path, tmp_path: Path) -> None:
    assert package(tmp_path, *LOCAL) == 0
    plan = plan_job(tmp_path / "jobs" / "fedaid_pretrain", Conditions(2, 100.0, 1.0, 10, 0.0))
    rows, width = vocabulary_size(), SIZES["hidden_size"]
    assert plan.size.whole > 4 * rows * width  # the folder's word embeddings are counted


@pytest.mark.parametrize("name", ["task_timeout", "wait_time_after_min_received"])
def test_a_timeout_that_is_too_short_for_the_transfer_alone_is_packaged_with_a_warning(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert package(tmp_path, f"{name}=60", "image_size=32") == 0
    captured = capsys.readouterr()
    assert captured.out.endswith("fedaid_pretrain\n")
    (line,) = captured.err.splitlines()
    assert line.startswith(f"warning: {name} must be at least 6")
    assert "s for the transfer alone to 2 sites at 100 Mbit/s, got 60: fedaid_pretrain. python -m admin plan" in line


def test_a_model_that_needs_more_memory_than_this_machine_has_is_packaged_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 350_000_000}  # 0.35 GB, less than a site's process alone
    monkeypatch.setattr(os, "sysconf", lambda name: sizes[name])
    assert package(tmp_path, "image_size=32") == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("warning: a site needs 0.")
    assert "GB of memory, this machine has 0.3 GB" in lines[0]


@pytest.mark.parametrize("settings", [(), ("task_timeout=70",)])
def test_a_job_that_can_run_is_packaged_without_a_word(
    settings: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    assert package(tmp_path, "image_size=32", *settings) == 0
    assert capsys.readouterr().err == ""
