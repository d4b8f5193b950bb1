"""No network, and a folder of models."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def offline(no_network: None) -> None:
    """Whatever asks for an address fails."""


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``$FEDAID_MODELS``."""
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"
