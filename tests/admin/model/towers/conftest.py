"""No network, and a folder of models."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever asks for an address fails."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("an import must need no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``$FEDAID_MODELS``."""
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"
