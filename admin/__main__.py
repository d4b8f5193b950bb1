"""``python -m admin VERB …``: the one way in."""

from __future__ import annotations

import importlib
import sys

VERBS = {
    "prepare": "admin.site.prepare.command",
    "doctor": "admin.site.doctor.command",
    "partition": "admin.site.partition.command",
    "package": "admin.jobs.package",
    "check": "admin.jobs.check",
    "plan": "admin.jobs.plan",
    "simulate": "admin.federation.simulate",
    "poc": "admin.federation.poc",
    "provision": "admin.federation.provision",
    "submit": "admin.session.submit",
    "monitor": "admin.session.follow",
    "report": "admin.results.report.command",
    "export": "admin.model.export.command",
    "demo": "admin.study.demo",
    "twin": "admin.twin.command",
    "vocabulary": "admin.model.build_vocabulary",
}


def main(arguments: list[str] | None = None) -> int:
    """Run a verb and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if not given or given[0] not in VERBS:
        print("\n".join(VERBS))
        return 2
    code: int = importlib.import_module(VERBS[given[0]]).main(given[1:])
    return code


if __name__ == "__main__":
    sys.exit(main())
