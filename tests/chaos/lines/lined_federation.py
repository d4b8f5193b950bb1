"""A provisioned federation with TLS in which one hospital reaches the server over a line that a test can cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from admin.federation.federation import free_port
from admin.federation.kit_settings import read_json, write_json
from admin.federation.kits.signed_files import SIGNATURES
from admin.federation.provision import ProvisionedFederation
from admin.federation.record import Record
from tests.chaos.followed_job import small_hospitals
from tests.chaos.lines.line import Line

PROJECT = Path(__file__).parents[3] / "admin" / "project.yml"
SITES = ("hospital-lake", "hospital-north", "hospital-south")
FAR = "hospital-south"  # the site behind the line


class LinedFederation(ProvisionedFederation):
    """Points the kit of :data:`FAR` to a line.

    Args:
        workspace: an empty folder.
        roots: data folder of each hospital.
        line: leads to the server's port.
        port: the server's.
    """

    def __init__(self, workspace: Path, roots: dict[str, Path], line: Line, *, port: int) -> None:
        super().__init__(workspace, PROJECT, data_roots=roots, port=port)
        self.line = line

    def make_kits(self) -> Record:
        """Writes new kits, one of them with the port of the line."""
        record = super().make_kits()
        point_to(record.kits / FAR, self.line.port)
        return record


def point_to(kit: Path, port: int) -> None:
    """Lets a site's kit connect to another port of this machine."""
    file = kit / "startup" / "fed_client.json"
    content = read_json(file)
    content["servers"][0]["service"]["target"] = f"localhost:{port}"
    write_json(file, content)
    file.with_name(SIGNATURES).unlink()  # FLARE starts no kit whose signed configuration was changed


@contextmanager
def lined_federation(folder: Path) -> Iterator[LinedFederation]:
    """A running federation of three hospitals."""
    roots = dict(zip(SITES, small_hospitals(folder / "consortium"), strict=True))
    port = free_port()
    with Line(port) as line, LinedFederation(folder / "federation", roots, line, port=port) as running:
        yield running
