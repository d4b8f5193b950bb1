"""Kits of one consortium, made once and set up as the page says, with a server that answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from admin.federation.kit_settings import forbid_code, set_server_store, write_data_root
from admin.federation.provision import provision
from admin.jobs.code_wheel import classes_of_jobs
from admin.results.file_hash import sha256
from admin.site.kit.checks import storage_checks
from fedaid.models.vocabulary import VOCABULARY_FILE
from fedaid.package_hash import code_hash
from tests.admin.federation.made_certificates import Made
from tests.admin.site.kit.kit_world import SITE, World, connect_to, data_folder
from tests.admin.site.kit.tls_server import serving

WHEEL = "fedaid-1-py3-none-any.whl"


@pytest.fixture(scope="module")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kits as ``provision`` makes them."""
    out = tmp_path_factory.mktemp("provisioned")
    return provision(Path("admin/project.yml"), out=out, home=out / "home")


@pytest.fixture(scope="module")
def set_up(provisioned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kits for jobs without code, set up by their owners."""
    folder = tmp_path_factory.mktemp("set-up")
    kits = Path(shutil.copytree(provisioned, folder / "kits"))
    for name in ("fl-server", SITE):
        code = kits / name / "local" / "custom" / "fedaid"
        (code / "models").mkdir(parents=True)
        (code / "__init__.py").write_text("")
        shutil.copyfile(VOCABULARY_FILE, code / "models" / VOCABULARY_FILE.name)
        (kits / name / WHEEL).write_bytes(b"wheel")
        stated = {"wheel": WHEEL, "wheel_sha256": sha256(kits / name / WHEEL), "code": code_hash(code)}
        forbid_code(kits / name, allowed=classes_of_jobs(), code=stated)
    set_server_store(kits / "fl-server", folder / "store")
    write_data_root(kits / SITE, data_folder(folder / "data"))
    for kit in kits.iterdir():
        kit.chmod(0o700)
    return kits


@pytest.fixture(scope="module")
def port(set_up: Path) -> Iterator[int]:
    """The port of a server with the kit's certificate."""
    with serving(set_up / "fl-server") as number:
        yield number


@pytest.fixture
def world(
    set_up: Path, provisioned: Path, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A copy of all kits, to plant a fault in."""
    monkeypatch.setattr(storage_checks, "TEMPORARY", (tmp_path / "temporary",))
    kits = Path(
        shutil.copytree(
            set_up, tmp_path / "kits", ignore=shutil.ignore_patterns("*-lake", "*-south", "admin@*", "m*@*")
        )
    )
    data = data_folder(tmp_path / "data")
    write_data_root(kits / SITE, data)
    for name in (SITE, "lead@consortium.org"):
        connect_to(kits / name, port)
    file = kits / "fl-server" / "startup" / "fed_server.json"
    content = json.loads(file.read_text())
    content["servers"][0]["service"]["target"] = f"fl-server:{port}"
    file.write_text(json.dumps(content))
    state = json.loads((provisioned.parent / "state" / "cert.json").read_text())
    with ExitStack() as ends:
        world = World(kits, data, {}, authority_in(state), ends)
        world.sign()
        yield world


def authority_in(state: dict[str, str]) -> Made:
    """The consortium's authority, from what ``provision`` keeps."""
    key = load_pem_private_key(state["root_pri_key"].encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return Made(load_pem_x509_certificate(state["root_cert"].encode()), key)
