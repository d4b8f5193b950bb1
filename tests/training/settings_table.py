"""The table of local settings in docs/training.md, made from their fields; run as a module it writes the page."""

from __future__ import annotations

import json

from admin.jobs.package import JOBS
from fedaid.setting import described
from fedaid.training.settings import TrainingSettings

JOB = "fedaid_pretrain"
PAGE = JOBS.parent / "docs" / "training.md"
BEGIN, END = "<!-- settings: python -m tests.training.settings_table -->\n", "<!-- end of settings -->\n"
HEAD = f"| group | setting | in `{JOB}` | unit | meaning |\n|---|---|---|---|---|\n"


def stated(job: str) -> dict[str, object]:
    """The local settings that a job states."""
    config = json.loads((JOBS / job / "app" / "config" / "config_fed_client.json").read_text(encoding="utf-8"))
    args: dict[str, object] = config["executors"][0]["executor"]["args"]
    return args


def table() -> str:
    """A row for each field, in their order; a group is named once."""
    values, rows, former = stated(JOB), "", ""
    for name, declared in described(TrainingSettings).items():
        group = declared.group if declared.group != former else ""
        value = json.dumps(values[name]).strip('"')
        rows += f"| {group} | `{name}` | {value} | {declared.unit} | {declared.doc} |\n"
        former = declared.group
    return HEAD + rows


def on_page() -> str:
    """The table as the page has it."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.split(END)[1], encoding="utf-8")
