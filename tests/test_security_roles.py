"""The roles of SECURITY.md: each command that the server knows is there, and each cell is what FLARE decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.fuel.f3.cellnet.net_manager import NetManager
from nvflare.fuel.hci.conn import Connection
from nvflare.fuel.hci.reg import CommandSpec
from nvflare.fuel.hci.server.authz import PreAuthzReturnCode
from nvflare.fuel.hci.server.constants import ConnProps
from nvflare.fuel.sec.authz import AuthzContext, Person
from nvflare.private.fed.server.server_cmd_modules import ServerCommandModules
from nvflare.security.security import FLAuthorizer

from admin.federation.kits import expected_sites, server_watch
from admin.federation.refusals.admission import for_admin
from tests.admin.federation.kits.test_rights import policy
from tests.test_security_page import TEXT

SERVER, OWN, ELSEWHERE = "consortium", "own", "elsewhere"
PEOPLE = {
    "project admin": Person("admin@x.org", SERVER, "project_admin"),
    "lead": Person("lead@x.org", "study_office", "lead"),
    "data manager": Person("manager@x.org", "hospital_north", "org_admin"),
    "member": Person("member@x.org", "hospital_north", "member"),
}
LAKE = "hospital_lake"
AT_ITS_TARGET = ("authorize_command", "authorize_server_operation", "authorize_configure_site_log")
"""FLARE's functions that leave the decision to the machine that the command is for; all others decide at the server."""
BY_ROLE = ("must_be_project_admin", "authorize_study_admin", "authorize_list_studies")
"""Those that look at the role, and at no policy."""
OURS = {expected_sites.COMMAND, server_watch.COMMAND, server_watch.STARTED_COMMAND}
CODE = "byoc"
POLICY = policy()  # of the kits


def specs() -> Iterator[tuple[str, CommandSpec]]:
    """The scope and the specification of each command that FLARE's server offers."""
    modules: list[Any] = [*ServerCommandModules.cmd_modules, NetManager(SimpleNamespace())]
    for module in modules:
        spec = module.get_spec()
        yield from ((spec.name, one) for one in spec.cmd_specs if getattr(one, "enabled", True))


COMMANDS = {spec.name: (scope, spec) for scope, spec in specs()}


def table() -> dict[str, dict[str, str]]:
    """Command → role → cell, as the page has it."""
    section = TEXT.split("## Who may do what")[1].split("\n## ")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    roles = lines[0][1:]
    assert roles == [*PEOPLE]
    return {
        command: dict(zip(roles, cells, strict=True))
        for first, *cells in lines[2:]
        for command in re.findall(r"`([a-z_]+)`", first)
    }


TABLE = table()


def cell(command: str, person: Person) -> str:
    """What FLARE and our component decide, in the words of the page."""
    if command in OURS:
        return "yes"
    scope, spec = COMMANDS.get(command, ("", None))
    check = getattr(spec, "authz_func", None)
    name = getattr(check, "__name__", "")
    if for_admin(scope, command) and person.role != "project_admin":
        return "no"
    if scope == "cellnet":
        return "yes"
    if check is not None and name in BY_ROLE:
        props = {ConnProps.USER_ROLE: person.role, ConnProps.USER_NAME: person.name}
        return "yes" if check(Connection(props=props), [command]) == PreAuthzReturnCode.OK else "no"
    return in_words(decisions(command, person, at_target=name in AT_ITS_TARGET or command == CODE))


def decisions(right: str, person: Person, *, at_target: bool) -> dict[tuple[str, str], bool]:
    """Machine and submitter of the job → whether the policy allows it."""
    machines = {"server": SERVER} | ({OWN: person.org, ELSEWHERE: LAKE} if at_target else {})
    submitters = {
        "self": person,
        OWN: Person("x@x.org", person.org, "lead"),
        ELSEWHERE: Person("y@x.org", LAKE, "lead"),
    }
    return {
        (machine, whose): FLAuthorizer(organisation, POLICY).authorize(AuthzContext(right, person, submitter))[0]
        for machine, organisation in machines.items()
        for whose, submitter in submitters.items()
    }


def in_words(decided: dict[tuple[str, str], bool]) -> str:
    """The decisions of one cell as the page words them."""
    if len({*decided.values()}) == 1:
        return "yes" if all(decided.values()) else "no"
    allowed = [key for key, ok in decided.items() if ok]
    if {machine for machine, _ in allowed} == {OWN}:
        return "own hospital"
    return "jobs of the own organisation" if OWN in {whose for _, whose in allowed} else "own jobs"


def test_the_table_has_every_command_of_the_server_and_ours() -> None:
    assert TABLE.keys() == COMMANDS.keys() | OURS | {CODE}
    assert len(TABLE) > 50


@pytest.mark.parametrize("command", TABLE)
def test_each_cell_is_what_is_decided(command: str) -> None:
    assert TABLE[command] == {role: cell(command, person) for role, person in PEOPLE.items()}


def test_a_wider_policy_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(POLICY["permissions"]["member"], "shell_commands", "any")
    assert cell("cat", PEOPLE["member"]) == "yes"
    assert cell("cat", PEOPLE["lead"]) == "no"
