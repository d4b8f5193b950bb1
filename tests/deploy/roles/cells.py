"""The cells of role × command, as docs/provisioned.md has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

ADMIN, LEAD, OTHER = "admin@consortium.org", "lead@consortium.org", "second@consortium.org"
MANAGER, MEMBER = "manager@hospital-north.org", "member@hospital-north.org"
EVERYBODY = (ADMIN, LEAD, OTHER, MANAGER, MEMBER)
OWN_SITE, OTHER_SITE = "hospital-north", "hospital-lake"
SHELLS = ("pwd", "ls", "cat", "head", "tail", "grep")
NETWORK = ("cells", "conns server", "process_info server", "show_config_vars server", "show_comm_config server")
STUDIES = ("show_study pilot", "add_study_user pilot member@hospital-north.org")  # there is no such study
LOOKING = ("list_jobs", "check_status server", "check_status client", "get_job_meta JOB", "show_stats JOB server")
SUBMIT = "submit_job"


@dataclass(frozen=True)
class Cell:
    """One person and one command.

    Attributes:
        person: who gives it.
        command: as FLARE's server reads it; JOB stands for the lead's job, COPY for what the cell makes of it.
        allowed: what the table says.
    """

    person: str
    command: str
    allowed: bool


def looking() -> Iterator[Cell]:
    """Commands that change nothing, given while the lead's job runs."""
    for command in LOOKING:
        yield from row(command, EVERYBODY)
    yield from row("get_job_log JOB server", (ADMIN, LEAD))
    for shell in SHELLS:
        yield from row(shell_command(shell, "server"), (ADMIN,))
        yield from row(shell_command(shell, OWN_SITE), (ADMIN, MANAGER))
        yield from row(shell_command(shell, OTHER_SITE), (ADMIN,))
    for command in ("sys_info", "report_resources"):
        yield from row(f"{command} server", (ADMIN,))
        yield from row(f"{command} client {OWN_SITE}", (ADMIN, MANAGER))
        yield from row(f"{command} client {OTHER_SITE}", (ADMIN,))
    for command in (*NETWORK, "stress 1 1", *STUDIES):
        yield from row(command, (ADMIN,))


def forbidden() -> Iterator[Cell]:
    """Commands that change something, given by those who may not."""
    others = {command: (ADMIN,) for command in machine_commands()}
    others |= {f"configure_site_log client {OWN_SITE} DEBUG": (ADMIN, MANAGER)}
    others |= {f"{verb} JOB": (ADMIN, LEAD) for verb in ("clone_job", "abort_job", "download_job", "delete_job")}
    others |= {"configure_job_log JOB server DEBUG": (ADMIN, LEAD), SUBMIT: (ADMIN, LEAD, OTHER)}
    yield from denied(others)


def forbidden_stops() -> Iterator[Cell]:
    """Commands that stop something, given by those who may not; while a job runs FLARE refuses them to everybody."""
    targets = ("server", "all", f"client {OTHER_SITE}")
    others = {f"{verb} {target}": (ADMIN,) for verb in ("shutdown", "restart") for target in targets}
    others |= {f"{verb} client {OWN_SITE}": (ADMIN, MANAGER) for verb in ("shutdown", "restart")}
    yield from denied(others)


def denied(commands: Mapping[str, tuple[str, ...]]) -> Iterator[Cell]:
    """The cells of commands, each with those who may give it, of all others."""
    for command, who in commands.items():
        yield from (cell for cell in row(command, who) if not cell.allowed)


def machine_commands() -> list[str]:
    """Commands about the server and about another hospital."""
    switches = [f"{verb} {OTHER_SITE}" for verb in ("disable_client", "enable_client", "remove_client")]
    return [*switches, "configure_site_log server DEBUG", f"configure_site_log client {OTHER_SITE} DEBUG"]


def row(command: str, who: tuple[str, ...]) -> Iterator[Cell]:
    """The cells of one command."""
    for person in EVERYBODY:
        yield Cell(person, command, person in who)


def shell_command(shell: str, target: str) -> str:
    """A command that reads files of a machine."""
    rest = {"pwd": "", "ls": "", "grep": "INFO log.txt"}.get(shell, "log.txt")
    return f"{shell} {target} {rest}".strip()


ON_JOBS = [
    Cell(LEAD, SUBMIT, True),
    Cell(LEAD, "configure_job_log JOB server INFO", True),
    Cell(LEAD, "clone_job JOB", True),
    Cell(LEAD, "abort_job COPY", True),
    Cell(LEAD, "delete_job COPY", True),
    Cell(OTHER, SUBMIT, True),
    Cell(ADMIN, SUBMIT, True),
    Cell(ADMIN, "clone_job JOB", True),
    Cell(ADMIN, "abort_job COPY", True),
    Cell(ADMIN, "delete_job COPY", True),
    Cell(LEAD, "download_job JOB", True),
    Cell(ADMIN, "download_job JOB", True),
]
"""What the owner of a job and the project's admin may do with it, in this order."""

STOPPING = [
    Cell(ADMIN, f"configure_site_log client {OTHER_SITE} INFO", True),
    Cell(MANAGER, f"configure_site_log client {OWN_SITE} INFO", True),
    Cell(ADMIN, f"disable_client {OTHER_SITE}", True),
    Cell(ADMIN, f"enable_client {OTHER_SITE}", True),
    Cell(MANAGER, f"restart client {OWN_SITE}", True),
    Cell(ADMIN, "shutdown client hospital-south", True),
    Cell(ADMIN, "shutdown server", True),
]
"""What stops something for those who may; last, in this order."""
