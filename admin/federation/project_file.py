"""Read a FLARE project file: the participants and the names of their kits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fedaid.errors import InputError, require

LOG_STREAMING = "allow_log_streaming"  # whether errors of a site go to the server; FLARE's default is true
REMEDY = "Start from admin/project.yml."


@dataclass(frozen=True)
class Project:
    """The names in a project file; ``content`` is the parsed file, from which a variant can be written."""

    name: str
    server: str
    sites: tuple[str, ...]
    project_admin: str
    lead: str
    content: dict[str, Any]


def read_project(file: Path) -> Project:
    """Return the participants of ``file``.

    Raises:
        InputError: the file cannot be read, or lacks the server, a site, the project admin or the lead.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise InputError(
            "project file", "be readable YAML", got=type(error).__name__, where=str(file), remedy=REMEDY
        ) from error
    return as_project(content, where=str(file))


def as_project(content: object, *, where: str) -> Project:
    """Return the participants of a parsed project file."""
    participants = content.get("participants") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(participants, list):
        raise InputError("project file", "list its participants", got="no such list", where=where, remedy=REMEDY)
    people = [person for person in participants if isinstance(person, dict)]
    return Project(
        name=str(content.get("name", "")),
        server=only(people, "type", "server", where=where),
        sites=tuple(str(person.get("name")) for person in people if person.get("type") == "client"),
        project_admin=only(people, "role", "project_admin", where=where),
        lead=only(people, "role", "lead", where=where),
        content=content,
    )


def only(people: list[dict[str, Any]], key: str, value: str, *, where: str) -> str:
    """Return the name of the first participant whose ``key`` is ``value``, or raise if the file has no such one."""
    names = [str(person.get("name")) for person in people if person.get(key) == value]
    rule, found = f"name a participant with {key}: {value}", [person[key] for person in people if key in person]
    require(bool(names), "project file", rule, got=found, where=where, remedy=REMEDY)
    return names[0]


def with_port(project: Project, port: int) -> dict[str, Any]:
    """Return the project's content with the server on this machine's ``port``, for a trial on loopback."""
    people = []
    for person in project.content["participants"]:
        if person.get("type") == "server":
            person = {**person, "fed_learn_port": port, "admin_port": port, "default_host": "localhost"}
        people.append(person)
    return {**project.content, "participants": people}


def with_private_logs(project: Project) -> dict[str, Any]:
    """Return the project's content with log streaming off, except at sites for which the project file turns it on.

    An error log may hold the path or the name of a patient's file. FLARE 2.9.0 ignores false at a single client, so the
    setting is the project's.
    """
    return {**project.content, LOG_STREAMING: False}
