"""Every command of `nvflare` that a page names is one of the installed version, with the flags that it has."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from nvflare.apis.fl_constant import AdminCommandNames
from nvflare.lighter.provision import define_provision_parser
from nvflare.tool.cert.cert_cli import def_cert_cli_parser
from nvflare.tool.deploy.deploy_cli import def_deploy_cli_parser
from nvflare.tool.job.job_cli import def_job_cli_parser
from nvflare.tool.package.package_cli import def_package_cli_parser
from nvflare.tool.poc.poc_commands import def_poc_parser
from nvflare.tool.preflight_check import define_preflight_check_parser
from nvflare.tool.system.system_cli import def_system_cli_parser

ROOT = Path(__file__).parent.parent
PAGES = sorted(page for pattern in ("*.md", "docs/*.md", "poc_workspace/*.md") for page in ROOT.glob(pattern))
# In code, a command starts a line or follows a backtick.
COMMAND = re.compile(r"(?:^|`)nvflare ([a-z][^`#|\n]*)", flags=re.MULTILINE)
CONSOLE = re.compile(r"`([a-z_]+)(?: [A-Za-z_/]+)*` \|$", flags=re.MULTILINE)


@pytest.fixture(scope="module")
def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser("nvflare")
    commands = whole.add_subparsers()
    define_provision_parser(commands.add_parser("provision"))
    define_preflight_check_parser(commands.add_parser("preflight-check"))
    def_system_cli_parser(commands.add_parser("system"))
    for define in (
        def_cert_cli_parser,
        def_deploy_cli_parser,
        def_job_cli_parser,
        def_package_cli_parser,
        def_poc_parser,
    ):
        define(commands)
    return whole


def problem(command: str, parser: argparse.ArgumentParser) -> str | None:
    words = command.split()
    while sub := next((action for action in parser._actions if isinstance(action.choices, dict)), None):
        if not words:
            return None  # a group of commands, as in `nvflare poc`
        word = words.pop(0)
        if word not in sub.choices:
            return f"no command {word!r}"
        parser = sub.choices[word]
    strange = [word for word in words if word.startswith("-") and word not in parser._option_string_actions]
    return f"no flag {strange}" if strange else None


def test_every_command_of_nvflare_on_a_page_is_one_of_the_installed_version(parser: argparse.ArgumentParser) -> None:
    found = [(page.name, command) for page in PAGES for command in COMMAND.findall(page.read_text(encoding="utf-8"))]
    assert len(found) > 25
    assert [(page, command, said) for page, command in found if (said := problem(command, parser))] == []


@pytest.mark.parametrize("wrong", ["job start", "jobs list", "system status --kit KIT", "cert init --days 3"])
def test_a_command_that_does_not_exist_would_be_found(wrong: str, parser: argparse.ArgumentParser) -> None:
    assert problem(wrong, parser)


def test_every_command_of_the_console_is_one_of_the_server() -> None:
    known = {value for name, value in vars(AdminCommandNames).items() if name.isupper()}
    found = CONSOLE.findall((ROOT / "docs" / "operating.md").read_text(encoding="utf-8"))
    assert len(found) > 7
    assert [command for command in found if command not in known] == []
