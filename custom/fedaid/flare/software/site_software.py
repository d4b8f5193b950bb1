"""Compares the software of the sites with the server's: other code is refused, other versions are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedaid.errors import require
from fedaid.flare.software.software_report import CODE, VOCABULARY, read_report, software_report
from fedaid.version import CODE_KEY

PROPERTIES = "custom_props"  # of a job's meta.json
SHORT = 12  # characters of a hash in a message
SERVER = "server"
REMEDY = "Remove fedaid from local/custom of that startup kit, or install there the version that the job was made with."


class SiteSoftware:
    """What the server and the sites of a job run.

    Attributes:
        job_code: start of the hash of the code that the job was packaged with; empty if the job does not state it.
        server: the report of this process.
        sites: site → its report, for the sites that have asked for a task.
    """

    def __init__(self) -> None:
        self.job_code = ""
        self.server = software_report()
        self.sites: dict[str, dict[str, str]] = {}

    def of_job(self, meta: object) -> None:
        """Takes the code's hash from the job's meta.json."""
        properties = meta.get(PROPERTIES) if isinstance(meta, Mapping) else None
        stated = properties.get(CODE_KEY) if isinstance(properties, Mapping) else None
        self.job_code = stated if isinstance(stated, str) else ""

    def note(self, site: str, report: object) -> list[str]:
        """Notes the report of a site, and returns one line for each version that is new and not the server's."""
        before, self.sites[site] = self.sites.get(site), read_report(report)
        return [] if self.sites[site] == before else self._differences_of(site)

    def has_other_code(self, site: str) -> bool:
        """Whether a site runs other code than the server, or does not report its code."""
        return self.sites[site][CODE] != self.server[CODE]

    @property
    def differences(self) -> list[str]:
        """One line for each version at a site that is not the server's."""
        return [line for site in sorted(self.sites) for line in self._differences_of(site)]

    def require_code_of_job(self) -> None:
        """Refuses a job that was packaged with other code than this server runs.

        Raises:
            InputError: naming the server and both hashes.
        """
        same, got = self.server[CODE].startswith(self.job_code), self.server[CODE][:SHORT]
        rule = f"be the job's, {self.job_code[:SHORT]}"
        require(same, "code at server", rule, got=got, where=SERVER, remedy=REMEDY)

    def require_same_code(self) -> None:
        """Refuses the run if a site that was heard runs other code.

        Raises:
            InputError: naming the sites and their hashes.
        """
        others = {site: report[CODE] for site, report in sorted(self.sites.items()) if self.has_other_code(site)}
        got = ", ".join(f"{code[:SHORT]} at {site}" for site, code in others.items())
        rule, where = f"be the server's, {self.server[CODE][:SHORT]}", "the sites' startup kits"
        require(not others, f"code at {' and '.join(others)}", rule, got=got, where=where, remedy=REMEDY)

    def as_dict(self) -> dict[str, Any]:
        """For ``results.json``: the reports, and the differences as lines."""
        return {SERVER: self.server, "sites": dict(sorted(self.sites.items())), "differences": self.differences}

    def _differences_of(self, site: str) -> list[str]:
        found, own = self.sites[site], self.server
        names = [] if self.has_other_code(site) else [name for name in own if found[name] != own[name]]
        cut = {VOCABULARY: SHORT}
        return [f"{site} has {n} {found[n][: cut.get(n)]}, the server {own[n][: cut.get(n)]}" for n in names]
