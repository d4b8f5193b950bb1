"""The table of docs/provisioned.md: who may do what, decided by FLARE's own authorizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nvflare.lighter.templates
import pytest
import yaml
from nvflare.fuel.sec.authz import AuthzContext, Person
from nvflare.security.security import FLAuthorizer

from admin.federation.kit_settings import without_byoc
from admin.federation.kits.rights import changed

TEMPLATE = Path(nvflare.lighter.templates.__file__).with_name("master_template.yml")
SERVER, NORTH = "consortium", "hospital_north"
PEOPLE = {
    one["role"] if one["org"] != "hospital_lake" else f"other {one['role']}": Person(
        one["name"], one["org"], one["role"]
    )
    for one in yaml.safe_load(Path("admin/project.yml").read_text())["participants"]
    if one["type"] == "admin" and one["org"] != "hospital_south"
}
LEAD = PEOPLE["lead"]
SOMEBODY = Person("former-lead@consortium.org", "another_office", "lead")
ALL = {"project_admin", "lead", "org_admin", "member", "other org_admin", "other member"}
TABLE: list[tuple[str, str, Person | None, set[str]]] = [
    ("submit_job", SERVER, None, {"project_admin", "lead"}),
    ("byoc", NORTH, LEAD, {"project_admin", "lead"}),
    ("list_jobs", SERVER, None, ALL),
    ("check_status", SERVER, None, ALL),
    ("show_stats", SERVER, LEAD, ALL),
    ("get_job_meta", SERVER, LEAD, ALL),
    ("abort_job", SERVER, LEAD, {"project_admin", "lead"}),
    ("delete_job", SERVER, LEAD, {"project_admin", "lead"}),
    ("download_job", SERVER, LEAD, {"project_admin", "lead"}),
    ("get_job_log", SERVER, LEAD, {"project_admin", "lead"}),
    ("clone_job", SERVER, LEAD, {"project_admin", "lead"}),
    ("abort_job", SERVER, SOMEBODY, {"project_admin"}),
    ("download_job", SERVER, SOMEBODY, {"project_admin"}),
    ("get_job_log", SERVER, SOMEBODY, {"project_admin"}),
    *((shell, SERVER, None, {"project_admin"}) for shell in ("cat", "ls", "head", "tail", "grep", "pwd")),
    *((shell, NORTH, None, {"project_admin", "org_admin"}) for shell in ("cat", "ls", "head", "tail", "grep", "pwd")),
    *(
        (command, SERVER, None, {"project_admin"})
        for command in ("disable_client", "enable_client", "remove_client", "shutdown", "restart", "sys_info")
    ),
    *((command, NORTH, None, {"project_admin", "org_admin"}) for command in ("shutdown", "restart", "sys_info")),
]


def policy() -> dict[str, Any]:
    """FLARE's policy of a new kit, as ``provision`` changes it."""
    parts = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    content: dict[str, Any] = json.loads(parts["default_authz"])
    return content | {"permissions": changed(content["permissions"])}


def allowed(command: str, organisation: str, submitter: Person | None, content: dict[str, Any]) -> set[str]:
    authorizer = FLAuthorizer(organisation, content)
    contexts = {who: AuthzContext(command, person, submitter) for who, person in PEOPLE.items()}
    return {who for who, context in contexts.items() if authorizer.authorize(context)[0]}


@pytest.mark.parametrize(("command", "organisation", "submitter", "who"), TABLE)
def test_each_role_may_do_what_the_table_says(
    command: str, organisation: str, submitter: Person | None, who: set[str]
) -> None:
    assert set(PEOPLE) == ALL
    assert allowed(command, organisation, submitter, policy()) == who


def test_a_lead_of_the_servers_organisation_has_no_more_rights() -> None:
    lead = Person("lead@x.org", SERVER, "lead")
    for command in ("cat", "ls", "disable_client", "shutdown", "sys_info"):
        assert not FLAuthorizer(SERVER, policy()).authorize(AuthzContext(command, lead))[0]


def test_without_byoc_nobody_may_send_code_and_the_rest_of_the_table_holds() -> None:
    content = policy()
    content["permissions"] = without_byoc(content["permissions"])
    assert allowed("byoc", NORTH, LEAD, content) == set()
    for command, organisation, submitter, who in TABLE:
        if command != "byoc":
            assert allowed(command, organisation, submitter, content) == who
