"""The files of a startup kit and what they state: whose kit it is, and where its server is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from admin.federation.kit_settings import CODE_FILE
from admin.federation.kits.certificate import Certificate, read_certificates
from fedaid.errors import InputError, require

SERVER, SITE, PERSON = "server", "site", "person"
CONFIGURATIONS = {SERVER: "fed_server.json", SITE: "fed_client.json", PERSON: "fed_admin.json"}
START_SCRIPT = "sub_start.sh"
RESOURCES, CLASS_LIST = "resources.json", "class_allow_list"  # FLARE's names
REMEDY = "Give the folder that holds startup/ and local/, as the lead sent it."


def is_kit(folder: Path) -> bool:
    """Return whether a folder is a startup kit, even a damaged one: it holds ``startup/``."""
    return (folder / "startup").is_dir()


@dataclass(frozen=True)
class StartupKit:
    """A startup kit.

    Attributes:
        folder: the one that holds ``startup/`` and ``local/``.
        kind: :data:`SERVER`, :data:`SITE` or :data:`PERSON`.
    """

    folder: Path
    kind: str

    @property
    def startup(self) -> Path:
        """The folder with the certificate and the scripts."""
        return self.folder / "startup"

    @property
    def local(self) -> Path:
        """The folder with the settings of the kit's owner."""
        return self.folder / "local"

    @property
    def configuration_file(self) -> Path:
        """The file that names the kit's owner and its server."""
        return self.startup / CONFIGURATIONS[self.kind]

    @property
    def certificate_file(self) -> Path:
        """The file of the kit's certificate."""
        return self.startup / ("server.crt" if self.kind == SERVER else "client.crt")

    @property
    def key_file(self) -> Path:
        """The file of the private key."""
        return self.certificate_file.with_suffix(".key")

    @property
    def authority_file(self) -> Path:
        """The file of the consortium's certificate authority."""
        return self.startup / "rootCA.pem"

    @cached_property
    def chain(self) -> list[Certificate]:
        """The kit's certificate and the authorities in its file; raises as :func:`read_certificates`."""
        return read_certificates(self.certificate_file)

    @property
    def certificate(self) -> Certificate:
        """The kit's certificate; raises as :func:`read_certificates`."""
        return self.chain[0]

    @cached_property
    def authorities(self) -> list[Certificate]:
        """The certificates in the authority's file, usually one; raises as :func:`read_certificates`."""
        return read_certificates(self.authority_file)

    @property
    def authority(self) -> Certificate:
        """The certificate of the consortium's authority, the first in its file; raises as :attr:`authorities`."""
        return self.authorities[0]

    @cached_property
    def configuration(self) -> dict[str, Any]:
        """The content of :attr:`configuration_file`; raises as :func:`read_object`."""
        return read_object(self.configuration_file)

    @property
    def name(self) -> str:
        """The name of the server, the site or the person in the configuration; empty if it states none."""
        if self.kind == SERVER:
            return str(self._server.get("admin_server", ""))
        if self.kind == SITE:
            return str(section(self.configuration, "client").get("fqsn", "")).rpartition(".")[2]
        return str(section(self.configuration, "admin").get("username", ""))

    @property
    def server_name(self) -> str:
        """The name that the server's certificate must have; empty if the configuration states none."""
        if self.kind == PERSON:
            return str(section(self.configuration, "admin").get("server_identity", ""))
        return self.name if self.kind == SERVER else str(self._server.get("identity", ""))

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the server; a server's own kit listens on this machine.

        Raises:
            InputError: the configuration states no host and port.
        """
        admin = section(self.configuration, "admin")
        target = str(section(self._server, "service").get("target", ""))
        host, _, port = (
            (str(admin.get("host", "")), "", str(admin.get("port", "")))
            if self.kind == PERSON
            else target.rpartition(":")
        )
        where, rule = str(self.configuration_file), "be a host and a port"
        found = bool(host) and port.isdecimal() and 0 < int(port) < 65536
        require(found, "server address", rule, got=repr(f"{host}:{port}"), where=where, remedy="Ask for a new kit.")
        return ("127.0.0.1" if self.kind == SERVER else host.strip("[]")), int(port)

    @property
    def _server(self) -> dict[str, Any]:
        servers = self.configuration.get("servers")
        first = servers[0] if isinstance(servers, list) and servers else {}
        return first if isinstance(first, dict) else {}

    def in_script(self, argument: str) -> str:
        """Return an argument in the start script, which FLARE takes: ``uid`` or ``org``; empty if it has none."""
        file = self.startup / START_SCRIPT
        text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        found = re.search(rf"\b{argument}=(\S+)", text)
        return found.group(1) if found else ""

    @property
    def components(self) -> list[dict[str, Any]]:
        """The components of the resources that FLARE would read; raises as :func:`read_object`."""
        found = read_object(self.setting_file(RESOURCES)).get("components")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def setting_file(self, name: str) -> Path:
        """Return the file that FLARE reads for a setting: the owner's, or else ``.default`` of the same name."""
        own = self.local / name
        return own if own.is_file() else own.with_name(f"{name}.default")

    @property
    def without_code(self) -> bool:
        """Whether the kit was made to refuse jobs with code: it names the code, or the lead's list has our classes."""
        if (self.local / CODE_FILE).is_file():
            return True
        file = self.local / f"{RESOURCES}.default"
        listed = read_object(file).get(CLASS_LIST) if file.is_file() else None
        return isinstance(listed, list) and any(str(one).startswith("fedaid.") for one in listed)


def open_kit(folder: Path) -> StartupKit:
    """Return the startup kit in a folder.

    Raises:
        InputError: none of the files that name the kit's owner is there.
    """
    kinds = [kind for kind, name in CONFIGURATIONS.items() if (folder / "startup" / name).is_file()]
    rule = f"hold one of {', '.join(CONFIGURATIONS.values())} in startup/"
    require(len(kinds) == 1, "KIT", rule, got=f"{len(kinds)} of them", where=str(folder), remedy=REMEDY)
    return StartupKit(folder.resolve(), kinds[0])


def read_object(file: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        OSError: the file cannot be read.
        InputError: it does not hold a JSON object.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        content = type(error).__name__
    if not isinstance(content, dict):
        got = content if isinstance(content, str) else type(content).__name__
        raise InputError(file.name, "hold a JSON object", got=got, where=str(file), remedy="Correct the file.")
    return content


def section(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object inside an object; empty if it is missing or something else."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}
