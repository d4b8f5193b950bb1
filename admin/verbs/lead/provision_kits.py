"""Make the startup kits of a consortium: one folder each for the server, the hospitals, the admin and the lead.

python -m admin provision --project admin/project.yml --out build/provision
python -m admin provision --project admin/project.yml --out build/provision --no-byoc
python -m admin provision --project consortium.yml --renew hospital-north

Each certificate is printed with its end and its SHA-256 fingerprint, to compare by telephone. Repeated with the same
--out, the command keeps the certificates. It issues those again that end within 60 days or differ from the file. The
owner of a renewed kit replaces startup/ only: policy, ledger, settings and runs are in the rest of the kit.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_file

if TYPE_CHECKING:
    from admin.federation.kits.issued import Issued

PROJECT = "admin/project.yml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``provision``."""
    parser.add_argument("--project", type=existing_file, default=PROJECT, help="default: %(default)s")
    parser.add_argument(
        "--out", type=Path, default=Path("build/provision"), help="keep it private (default: %(default)s)"
    )
    parser.add_argument(
        "--renew", action="append", default=[], metavar="NAME", help="issue this participant a new key and certificate"
    )
    parser.add_argument(
        "--no-byoc", action="store_true", help="kits that refuse jobs with code, and the wheel to install instead"
    )


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Make the kits, and print their folders and certificates."""
    answer.after_interrupt = "repeat the command to get complete kits"
    from admin.federation.kits.issued import listed
    from admin.federation.provision import provision
    from admin.results.file_hash import sha256 as file_hash

    with tempfile.TemporaryDirectory(prefix="fedaid-home-") as home:
        made = provision(
            options.project, out=options.out, home=Path(home), no_byoc=options.no_byoc, renew=options.renew
        )
    kits, certificates = [str(kit) for kit in sorted(made.iterdir())], listed(made)
    answer.add("\n".join(kits), kits=kits)
    for line in placeholders(options.project):
        answer.warn(line)
    answer.add(table(certificates), certificates=[asdict(one) for one in certificates])
    for wheel in (options.out / "wheel").glob("*.whl") if options.no_byoc else ():
        how = f"pip install --no-deps {wheel.name}, at the server and at every site"
        answer.add(f"{wheel}\nsha256 {file_hash(wheel)}: {how}", wheel=wheel, sha256=file_hash(wheel))
    root = next(one.fingerprint for one in certificates if one.kind == "authority")
    tell = f"All kits are signed. Read this to every owner on the telephone; doctor KIT must print the same: {root}"
    answer.add(tell, authority=root)
    hand = f"Hand each folder to its owner over a secure channel, and keep {options.out} private: docs/provisioned.md"
    renewed = [one.name for one in certificates if one.issued == "renewed"]
    answer.add("\n".join([hand, *renewals(renewed)]), renewed=renewed)


def renewals(names: Sequence[str]) -> list[str]:
    """Return what the owners of renewed kits do, in one line; empty if no kit was renewed."""
    what = "stop the kit in use, replace its startup/ by that of the new kit, and start it"
    kept = "Keep everything else in it: policy, ledger, budget, settings, runs"
    return [f"{', '.join(names)}: {what}. {kept}"] if names else []


def placeholders(project: Path) -> list[str]:
    """Return what a person must know whose project file still has the server of admin/project.yml."""
    from admin.federation.kits.reach import stays_on_this_machine
    from admin.federation.project_file import read_project

    trial = stays_on_this_machine(read_project(project))
    what = "the server's lines marked REAL are those of admin/project.yml: these kits are for a trial on this machine"
    return [f"{what}, and the server listens on 127.0.0.1 only"] if trial else []


def table(certificates: Sequence[Issued]) -> str:
    """Return one line for each certificate; the owner reads the fingerprint aloud on the telephone."""
    return "\n".join(
        f"{one.name}: {one.kind}, {one.organisation or 'no organisation'}, valid until {one.valid_until[:10]} "
        f"({one.days_left} days, {one.issued}), sha256 {one.fingerprint}"
        for one in certificates
    )
