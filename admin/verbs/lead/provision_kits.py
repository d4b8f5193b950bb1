"""Make the startup kits of a consortium: one folder each for the server, the hospitals, the admin and the lead.

python -m admin provision --project admin/project.yml --out build/provision
python -m admin provision --project admin/project.yml --out build/provision --no-byoc
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_file

PROJECT = "admin/project.yml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``provision``."""
    parser.add_argument("--project", type=existing_file, default=PROJECT, help="default: %(default)s")
    parser.add_argument(
        "--out", type=Path, default=Path("build/provision"), help="keep it private (default: %(default)s)"
    )
    parser.add_argument(
        "--no-byoc", action="store_true", help="kits that refuse jobs with code, and the wheel to install instead"
    )


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Make the kits, and print their folders."""
    answer.after_interrupt = "repeat the command to get complete kits"
    from admin.federation.provision import provision
    from admin.results.file_hash import sha256 as file_hash

    with tempfile.TemporaryDirectory(prefix="fedaid-home-") as home:
        kits = sorted(provision(options.project, out=options.out, home=Path(home), no_byoc=options.no_byoc).iterdir())
    answer.add("\n".join(map(str, kits)), kits=[str(kit) for kit in kits])
    for wheel in (options.out / "wheel").glob("*.whl") if options.no_byoc else ():
        how = f"pip install --no-deps {wheel.name}, at the server and at every site"
        answer.add(f"{wheel}\nsha256 {file_hash(wheel)}: {how}", wheel=wheel, sha256=file_hash(wheel))
    answer.add(
        f"Hand each folder to its owner over a secure channel, and keep {options.out} private: docs/provisioned.md"
    )
