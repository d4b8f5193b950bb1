from __future__ import annotations

from pathlib import Path
from typing import Any

from admin.jobs.components import components

FILE = Path("job/app/config/config_fed_server.json")


def labels(config: dict[str, Any]) -> list[str]:
    return [component.label for component in components(config, FILE)]


def test_a_component_is_called_by_its_id_else_by_its_class() -> None:
    config = {"components": [{"id": "store", "path": "a.b.Store"}, {"path": "a.b.Other", "args": {}}]}
    assert labels(config) == ["store", "Other"]


def test_executors_workflows_and_filters_are_components() -> None:
    config = {
        "executors": [{"tasks": ["train"], "executor": {"path": "a.Executor"}}],
        "workflows": [{"id": "rounds", "path": "a.Rounds"}],
        "task_result_filters": [{"tasks": ["train"], "filters": [{"path": "a.Filter"}]}],
    }
    assert labels(config) == ["Executor", "rounds", "Filter"]


def test_a_component_among_arguments_is_called_after_its_owner() -> None:
    config = {"components": [{"id": "store", "path": "a.Store", "args": {"model": {"path": "a.Model"}, "size": 1}}]}
    assert labels(config) == ["store", "store.model"]


def test_only_a_model_that_starts_from_a_local_folder_needs_that_folder() -> None:
    for encoder, needs in (("resnet", False), ("local:dinov2", True)):
        model = {"path": "a.Model", "args": {"image_encoder": encoder}}
        config = {"components": [{"id": "store", "path": "a.Store", "args": {"model": model}}]}
        assert [component.needs_local_folder for component in components(config, FILE)] == [False, needs]


def test_a_disabled_component_is_left_out() -> None:
    assert labels({"components": [{"id": "off", "path": "a.Off", "disabled": True}]}) == []


def test_plain_values_are_no_components() -> None:
    assert labels({"format_version": 2, "server": {"task_request_interval": 0.1}}) == []


def test_changing_the_arguments_changes_the_config() -> None:
    config = {"components": [{"id": "store", "path": "a.Store", "args": {"size": 1}}]}
    next(components(config, FILE)).args["size"] = 2
    assert config["components"][0]["args"] == {"size": 2}
