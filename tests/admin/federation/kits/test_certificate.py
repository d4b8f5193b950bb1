from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from admin.federation.kits.certificate import read_certificates
from fedaid.errors import InputError
from tests.admin.federation.made_certificates import Made, made


@pytest.fixture(scope="module")
def authority() -> Made:
    return made("fedaid")


def written(one: Made, folder: Path) -> Path:
    one.write(folder / "client.crt", folder / "client.key")
    return folder / "client.crt"


def test_a_certificate_states_its_names_and_its_dates(authority: Made, tmp_path: Path) -> None:
    file = written(made("lead@x.org", organisation="x", role="lead", signer=authority, begins=-2, ends=10), tmp_path)
    found = read_certificates(file)[0]
    assert (found.name, found.organisation, found.role, found.issuer) == ("lead@x.org", "x", "lead", "fedaid")
    assert found.hosts == ("lead@x.org", "localhost", "127.0.0.1")
    assert found.days_left() == pytest.approx(10, abs=0.1)
    assert found.begins_in() == pytest.approx(-2, abs=0.1)
    assert found.days_left(datetime.now(UTC) + timedelta(days=11)) == pytest.approx(-1, abs=0.1)


def test_the_fingerprint_is_the_sha256_of_the_certificate(authority: Made, tmp_path: Path) -> None:
    found = read_certificates(written(authority, tmp_path))[0]
    expected = hashlib.sha256(authority.certificate.public_bytes(Encoding.DER)).hexdigest()
    assert found.fingerprint.replace(":", "").lower() == expected
    assert len(found.fingerprint.split(":")) == 32


def test_only_the_authority_of_the_same_key_has_signed(authority: Made, tmp_path: Path) -> None:
    site = read_certificates(written(made("north", signer=authority), tmp_path))[0]
    own = read_certificates(written(authority, tmp_path))[0]
    twin = read_certificates(written(made("fedaid"), tmp_path))[0]  # the same name, another key
    assert site.signed_by(own)
    assert not site.signed_by(twin)
    assert own.self_signed
    assert not site.self_signed


def test_a_key_fits_its_own_certificate_only(authority: Made, tmp_path: Path) -> None:
    file = written(made("north", signer=authority), tmp_path)
    assert read_certificates(file)[0].fits_key(tmp_path / "client.key")
    made("north", signer=authority).write(file)
    assert not read_certificates(file)[0].fits_key(tmp_path / "client.key")


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_and_no_key_is_refused_by_name(content: bytes, authority: Made, tmp_path: Path) -> None:
    file, other = tmp_path / "other.crt", written(authority, tmp_path)
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"certificate must be .*other\.crt"):
        read_certificates(file)[0]
    with pytest.raises(InputError, match=r"key must be .*other\.crt"):
        read_certificates(other)[0].fits_key(file)
