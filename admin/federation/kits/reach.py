"""Where the server listens and can be reached: the lines of the project file that a consortium must replace."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from admin.federation.project_file import Project
from fedaid.errors import InputError, require

PLACEHOLDER = "fl-server"  # the server's name in admin/project.yml
ALL_INTERFACES, LOOPBACK = "0.0.0.0", "127.0.0.1"  # noqa: S104 - what the project file may ask for
LISTEN_HOST = "listen_host"


def stays_on_this_machine(project: Project) -> bool:
    """Return whether the server's lines are those of admin/project.yml: every kit then connects to this machine.

    Raises:
        InputError: some lines were replaced and others were not. The message names these.
    """
    server = server_of(project)
    name, host, more = server.get("name"), server.get("default_host"), server.get("host_names") or []
    more = [more] if isinstance(more, str) else more
    if name == PLACEHOLDER and (is_loopback(host) or host is None) and all(map(is_loopback, more)):
        return True
    found = [f"name: {name}"] if name == PLACEHOLDER or is_loopback(name) else []
    found += [f"default_host: {host}"] if is_loopback(host) else []
    found += [f"host_names: {one}" for one in more if is_loopback(one)]
    rule, remedy = (
        "have real names in the server's lines",
        "Write the server's full name in DNS, or leave the line out.",
    )
    require(not found, "project file", rule, got="; ".join(found), where=f"the server {name}", remedy=remedy)
    return False


def listen_host(project: Project, *, trial: bool) -> str:
    """Return the address at which the server listens: all interfaces, or loopback.

    Raises:
        InputError: another address. FLARE 2.9 would listen on all interfaces.
    """
    given = server_of(project).get(LISTEN_HOST, ALL_INTERFACES)
    if trial or is_loopback(given):
        return LOOPBACK
    if given != ALL_INTERFACES:
        rule = f"be {ALL_INTERFACES} or {LOOPBACK}, because FLARE 2.9 listens on all interfaces or on loopback only"
        remedy = f"Write {ALL_INTERFACES} and close the other interfaces in the firewall."
        raise InputError(LISTEN_HOST, rule, got=given, where=f"the server {project.server}", remedy=remedy)
    return ALL_INTERFACES


def server_of(project: Project) -> dict[str, Any]:
    """Return the server's lines of the project file."""
    people = project.content["participants"]
    return next(one for one in people if isinstance(one, dict) and one.get("name") == project.server)


def port_of(project: Project) -> int:
    """Return the port at which hospitals connect; FLARE's default is 8002."""
    return int(server_of(project).get("fed_learn_port", 8002))


def is_loopback(host: object) -> bool:
    """Return whether a name or address means the machine itself."""
    text = str(host).rstrip(".").lower()
    try:
        return text == "localhost" or ip_address(text).is_loopback
    except ValueError:
        return False
