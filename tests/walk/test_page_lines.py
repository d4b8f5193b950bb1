"""Each command that the pages print is a step of the walk, so that a new one must be run; the cheap ones run here."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path

import pytest

from admin.__main__ import main
from tests.walk.page_line import found_in, page_lines
from tests.walk.placeholders import rules_of
from tests.walk.route import PAGES, STEPS


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_is_a_step_and_every_step_is_on_the_page(page: str) -> None:
    printed = Counter(line.text for line in page_lines(page))
    assert printed
    assert Counter(step.line for step in STEPS if step.page == page) == printed


def test_there_are_as_many_steps_as_the_pages_have_commands() -> None:
    assert len(STEPS) == sum(len(page_lines(page)) for page in PAGES) > 95


def test_what_a_step_replaces_is_in_its_line_and_has_a_reason() -> None:
    replaced = [(step, old) for step in STEPS for old in step.instead]
    assert [step.line for step, old in replaced if old not in step.line or not step.why] == []
    assert len(list(rules_of(STEPS))) > len(replaced) > 20


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("```bash\npython -m admin gone   # why\n```\n", ["python -m admin gone"]),
        ("```bash\npython -m admin \\\n    gone\n```\n", ["python -m admin      gone"]),
        ("    ```bash\n    A=b python3 gone\n    ```\n", ["A=b python3 gone"]),
        ("| a | `nvflare job gone JOB_ID` |\n", ["nvflare job gone JOB_ID"]),
        ("| a | `abort_job JOB_ID` |\n", ["abort_job JOB_ID"]),
        ("Do `bash startup/gone.sh` then.\n", ["bash startup/gone.sh"]),
        ("`FedAIDRecipe(gone=True)`, or `recipe.gone(1)`\n", ["FedAIDRecipe(gone=True)", "recipe.gone(1)"]),
        ("```python\nimport gone\n```\n", ["import gone"]),
        ("`python3`, `org_admin`, `nvflare`, `local/resources.json`, `cat`\n", []),
    ],
)
def test_a_command_is_found_wherever_it_stands(text: str, found: list[str]) -> None:
    assert [command for _, command in sorted(found_in(text))] == found


def test_a_block_in_a_language_that_nobody_runs_is_refused() -> None:
    with pytest.raises(ValueError, match="in sh"):
        found_in("```sh\nls\n```\n")


PACKAGED = sorted(
    {step.line for step in STEPS if step.line.startswith("python -m admin package ") and not step.instead}
)


@pytest.mark.parametrize("line", PACKAGED)
def test_every_package_command_makes_a_sound_job(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(line)[3:]) == 0, capsys.readouterr().err
    assert (tmp_path / "build" / "jobs" / "fedaid_pretrain" / "meta.json").is_file()


def test_the_package_commands_are_there() -> None:
    assert len(PACKAGED) == 5
