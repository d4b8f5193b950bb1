from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.jobs.settings import change_settings, settable, typed_settings, values_by_name
from fedaid.errors import InputError


def test_every_argument_and_min_clients_can_be_set(trivial_job: Path) -> None:
    assert settable(trivial_job) == {
        "meta.min_clients": 2,
        "rounds.num_rounds": 3,
        "rounds.min_clients": 2,
        "TrivialExecutor.seconds": 0.5,
    }


def test_values_are_found_by_plain_name(trivial_job: Path) -> None:
    assert values_by_name(trivial_job) == {"min_clients": 2, "num_rounds": 3, "seconds": 0.5}


def test_a_setting_is_found_by_its_name_alone(trivial_job: Path) -> None:
    change_settings(trivial_job, {"num_rounds": 7})
    assert settable(trivial_job)["rounds.num_rounds"] == 7


def test_min_clients_is_set_in_the_meta_file_and_in_the_controller(trivial_job: Path) -> None:
    change_settings(trivial_job, {"min_clients": 5})
    assert settable(trivial_job)["meta.min_clients"] == 5
    assert settable(trivial_job)["rounds.min_clients"] == 5


def test_a_qualified_name_sets_one_place(trivial_job: Path) -> None:
    change_settings(trivial_job, {"rounds.min_clients": 1})
    assert settable(trivial_job)["meta.min_clients"] == 2


def test_an_unknown_name_gets_a_guess_and_the_list(trivial_job: Path) -> None:
    with pytest.raises(InputError, match=r"Did you mean num_rounds\? Settable: min_clients, num_rounds, seconds"):
        change_settings(trivial_job, {"num_round": 7})


def test_a_name_at_two_places_must_be_qualified(trivial_job: Path) -> None:
    file = trivial_job / "app" / "config" / "config_fed_client.json"
    file.write_text(file.read_text().replace('"seconds"', '"num_rounds"'))
    with pytest.raises(InputError, match=r"Write one of rounds.num_rounds, TrivialExecutor.num_rounds"):
        change_settings(trivial_job, {"num_rounds": 7})


@pytest.mark.parametrize("value", ["many", True, [3]])
def test_a_number_is_replaced_by_a_number_only(trivial_job: Path, value: object) -> None:
    with pytest.raises(InputError, match=r"rounds.num_rounds must be a number"):
        change_settings(trivial_job, {"num_rounds": value})


def test_a_refused_setting_leaves_the_files_as_they_were(trivial_job: Path) -> None:
    before = settable(trivial_job)
    with pytest.raises(InputError):
        change_settings(trivial_job, {"num_rounds": 7, "seconds": "long"})
    assert settable(trivial_job) == before


def test_text_is_read_as_json_else_as_text() -> None:
    pairs = ["a=5", "b=[1, 2]", "c=null", "d=worst_loss", "e=x=y"]
    assert typed_settings(pairs, {}) == {"a": 5, "b": [1, 2], "c": None, "d": "worst_loss", "e": "x=y"}


def test_where_text_stands_a_number_is_text() -> None:
    assert typed_settings(["note=5", "e.note=7"], {"e.note": "old"}) == {"note": "5", "e.note": "7"}


@pytest.mark.parametrize("pair", ["num_rounds", "=5", ""])
def test_a_pair_without_name_or_sign_is_refused(pair: str) -> None:
    with pytest.raises(InputError, match="--set must be NAME=VALUE"):
        typed_settings([pair], {})


def test_a_model_is_set_by_its_arguments_not_as_a_whole(trivial_job: Path) -> None:
    file = trivial_job / "app" / "config" / "config_fed_server.json"
    config = json.loads(file.read_text())
    model = {"path": "a.Model", "args": {"size": 8}}
    config["components"] = [{"id": "persistor", "path": "a.Persistor", "args": {"model": model}}]
    file.write_text(json.dumps(config))
    assert settable(trivial_job)["persistor.model.size"] == 8
    assert "persistor.model" not in settable(trivial_job)
