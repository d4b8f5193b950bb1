"""A federation whose server and two hospitals are machines of their own, with certificates for their addresses."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from admin.federation.kit_process import KitProcess, end, family, start_kit
from admin.federation.kit_settings import set_server_store, write_data_root
from admin.federation.project_file import read_project
from admin.federation.provision import provision
from admin.federation.record import Record, new_mark
from admin.session.login import admin_session
from tests.chaos.lines.line import until
from tests.chaos.lines.lined_federation import PROJECT
from tests.deploy.deployed import Deployed
from tests.deploy.machine import allowed, inside, machines
from tests.deploy.modes import environment, simulated
from tests.deploy.submitted_job import first_task_seconds, named_hospitals, submitted
from tests.deploy.ways import Ways

SERVER, PORT = "server", 8002
SITES = ("hospital-lake", "hospital-north")
NAME = "fl.consortium.test"


class Running(NamedTuple):
    """A federation on machines; ``seconds`` until all sites were connected."""

    record: Record
    seconds: float


def separate_machines(folder: Path) -> Deployed:
    """The job on three machines, and in the simulator."""
    if not allowed():
        words = "this machine allows no network namespaces; the series modes has server and sites on separate ports"
        return Deployed(place="not run", remarks=(words,))
    roots = named_hospitals(folder, SITES)
    ways = Ways(folder, SITES)
    with environment(FEDAID_DATA=str(folder / "data" / "{site}")):
        ways.add("simulator", lambda at: simulated(ways.job(at), at, folder / "data", SITES))
    seconds: dict[str, Any] = {}
    with machines([SERVER, *SITES]) as addresses, federation_on(addresses, folder, roots) as running:
        seconds["connect_seconds"] = round(running.seconds, 1)
        joined = [site for site in SITES if not is_apart(site, addresses)]

        def by_command(at: Path) -> Path:
            done = submitted(running.record.lead_kit, ways.job(at), at / "out")
            kits = [running.record.kits / site for site in SITES]
            seconds["submit_to_first_task_seconds"] = first_task_seconds(kits, done)
            return done.run

        ways.add("separate machines", by_command)
    return Deployed(
        place="provisioned with TLS, a network namespace for the server and each of two sites",
        modes_equal=len(ways.equal()),
        modes_tried=ways.tried,
        failures=(*ways.differences(), *(f"{site} is not a machine of its own" for site in joined)),
        details={"addresses": addresses},
        **seconds,
    )


@contextmanager
def federation_on(addresses: Mapping[str, str], folder: Path, roots: Mapping[str, Path]) -> Iterator[Running]:
    """Provisions as for real machines, starts each kit on its machine, and ends the processes by their ids."""
    record, processes = kits_for(addresses[SERVER], folder / "federation"), list[KitProcess]()
    set_server_store(record.server_kit, folder / "store")
    try:
        for machine, kit in ((SERVER, record.server_kit), *((site, record.kits / site) for site in SITES)):
            if machine in roots:
                write_data_root(kit, roots[machine])
            with inside(machine):
                processes.append(start_kit(kit, log=folder / f"{machine}.txt", mark=record.mark))
        start = processes[0].created
        until(lambda: accepts(addresses[SERVER]), seconds=180, what="the server")
        with admin_session(record.admin_kit, timeout=180.0) as session:

            def connected() -> bool:
                return {client.name for client in session.get_connected_client_list()} >= {*SITES}

            until(connected, seconds=180, what="a connection of each site")
            seconds = time.time() - start
        yield Running(record, seconds)
    finally:
        end(family(processes, mark=record.mark))


def kits_for(address: str, out: Path) -> Record:
    """Kits of a server at an address, with the first two hospitals; nothing of them is a trial."""
    content = yaml.safe_load(PROJECT.read_text())
    people = [one for one in content["participants"] if one["type"] != "client" or one["name"] in SITES]
    server = next(one for one in people if one["type"] == "server")
    server |= {"name": NAME, "default_host": address, "host_names": [address]}
    server |= {"fed_learn_port": PORT, "admin_port": PORT}
    out.mkdir()
    file = out / "project.yml"
    file.write_text(yaml.safe_dump({**content, "participants": people}, sort_keys=False))
    kits, project = provision(file, out=out / "kits", home=out / "home"), read_project(file)
    return Record(new_mark(), kits, project.server, project.project_admin, project.lead, project.sites)


def accepts(address: str) -> bool:
    """Whether the server accepts connections."""
    try:
        with socket.create_connection((address, PORT), timeout=1.0):
            return True
    except OSError:
        return False


def is_apart(site: str, addresses: Mapping[str, str]) -> bool:
    """Whether a site reaches the server's machine, and nothing on its own loopback."""
    with inside(site):
        return accepts(addresses[SERVER]) and not accepts("127.0.0.1")
