"""The line about a server's kit of an older version."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin.federation.kit_settings import add_clock, add_guard, add_watch
from fedaid.flare.software.server_kit import COMPONENTS, lacking_components


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A server's kit as ``provision`` makes it."""
    (tmp_path / "local").mkdir()
    (tmp_path / "startup").mkdir()
    (tmp_path / "startup" / "fed_server.json").write_text("{}")
    add_guard(tmp_path)
    add_clock(tmp_path)
    add_watch(tmp_path, ["north"])
    return tmp_path


def test_a_kit_of_this_version_lacks_nothing(kit: Path) -> None:
    assert lacking_components(kit) == ""


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_that_an_older_kit_lacks_is_named_with_its_effect_and_remedy(kit: Path, name: str) -> None:
    (kit / "local" / f"fedaid_{name}__p_resources.json").unlink()
    line = lacking_components(kit)
    assert f"lacks local/fedaid_{name}__p_resources.json ({COMPONENTS[name]})." in line
    assert "admin doctor KIT" in line
    assert sum(f"fedaid_{other}__" in line for other in COMPONENTS) == 1


def test_a_simulation_has_no_kit(tmp_path: Path) -> None:
    assert lacking_components(tmp_path) == ""
