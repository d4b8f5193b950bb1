from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from admin.federation.kits.reach import listen_host, stays_on_this_machine
from admin.federation.project_file import Project, as_project
from fedaid.errors import InputError

CONTENT = yaml.safe_load(Path("admin/project.yml").read_text())
REAL = {"name": "fl.consortium.org", "default_host": "fl.consortium.org", "host_names": None}


def project(**server: Any) -> Project:
    first, *others = CONTENT["participants"]
    changed = {key: value for key, value in (first | server).items() if value is not None}
    return as_project({**CONTENT, "participants": [changed, *others]}, where="project.yml")


def test_the_untouched_file_is_a_trial_on_loopback() -> None:
    assert stays_on_this_machine(project())
    assert listen_host(project(), trial=True) == "127.0.0.1"


def test_real_names_are_accepted() -> None:
    for server in (REAL, REAL | {"host_names": ["10.1.2.3"]}, REAL | {"default_host": None}):
        assert not stays_on_this_machine(project(**server))


@pytest.mark.parametrize(
    ("left", "named"),
    [
        ({"name": None}, "name: fl-server"),
        ({"default_host": None}, "default_host: localhost"),
        ({"host_names": CONTENT["participants"][0]["host_names"]}, "host_names: localhost; host_names: 127.0.0.1"),
    ],
)
def test_a_placeholder_beside_real_names_is_refused_by_name(left: dict[str, Any], named: str) -> None:
    kept = {key: CONTENT["participants"][0][key] for key in left}
    with pytest.raises(InputError, match=named):
        stays_on_this_machine(project(**(REAL | kept)))


@pytest.mark.parametrize("names", ["fl.consortium.org", ["localhost", "10.1.2.3"]])
def test_a_real_name_beside_two_placeholders_is_no_trial(names: object) -> None:
    with pytest.raises(InputError, match="name: fl-server; default_host: localhost"):
        stays_on_this_machine(project(host_names=names))


@pytest.mark.parametrize("host", ["127.0.0.2", "LOCALHOST.", "::1"])
def test_other_names_of_this_machine_are_placeholders_too(host: str) -> None:
    with pytest.raises(InputError, match="default_host"):
        stays_on_this_machine(project(**(REAL | {"default_host": host})))


def test_the_server_listens_where_the_file_says() -> None:
    assert listen_host(project(**REAL), trial=False) == "0.0.0.0"  # noqa: S104
    assert listen_host(project(**REAL, listen_host=None), trial=False) == "0.0.0.0"  # noqa: S104
    assert listen_host(project(**REAL, listen_host="localhost"), trial=False) == "127.0.0.1"


def test_an_address_that_flare_cannot_listen_at_alone_is_refused() -> None:
    with pytest.raises(InputError, match=r"listen_host must be 0.0.0.0 or 127.0.0.1.*got 10.1.2.3"):
        listen_host(project(**REAL, listen_host="10.1.2.3"), trial=False)
