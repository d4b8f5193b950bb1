"""Sign a kit's files with the authority's key, and name the files that are not as they were signed.

``startup/`` is the lead's: FLARE's ``signature.json`` has a signature of each file, and FLARE itself does not start
with a changed configuration, certificate or key. ``local/`` is the owner's, who may change it: the hashes of its files
are in a signed list.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from nvflare.lighter.constants import ProvFileName
from nvflare.lighter.utils import load_private_key, sign_folders, verify_content

from admin.federation.kit_settings import read_json, write_json
from admin.federation.kits.issued import STATE
from admin.federation.kits.startup_kit import StartupKit, read_object, section
from admin.results.file_hash import sha256

SIGNATURES = str(ProvFileName.SIGNATURE_JSON)
LIST = "fedaid_files.json"  # in startup/
OWNER, FILES = "kit", "files"  # in the list: whose kit it is, and file → sha256
ALTERED, MISSING, UNSIGNED = "altered", "missing", "not signed"


def sign_kits(kits: Path) -> None:
    """Sign every kit in a ``prod_NN`` folder with the key in FLARE's provisioning state beside it."""
    key = load_private_key(str(read_json(kits.parent / STATE)["root_pri_key"]))
    for startup in sorted(kits.glob("*/startup")):
        sign_kit(startup.parent, key)


def sign_kit(kit: Path, key: Any) -> None:
    """Write the list of the kit's files and the signatures of ``startup/``, in the place of earlier ones.

    FLARE's signatures do not cover names: the list shows a file that was removed, swapped, or taken from another kit.

    Args:
        kit: its folder, named as its owner.
        key: the authority's private key.
    """
    own = [kit / "startup" / name for name in (SIGNATURES, LIST)]
    paths = [path for folder in ("startup", "local") for path in sorted((kit / folder).rglob("*"))]
    files = {path.relative_to(kit).as_posix(): sha256(path) for path in paths if path.is_file() and path not in own}
    write_json(kit / "startup" / LIST, {OWNER: kit.name, FILES: files})
    sign_folders(str(kit / "startup"), key, signature_file=SIGNATURES)


def signed_folders(kit: StartupKit) -> list[Path]:
    """Return the folders of the kit that have signatures."""
    return sorted(file.parent for file in kit.folder.rglob(SIGNATURES) if file.is_file())


def altered_files(kit: StartupKit, folder: Path) -> list[tuple[Path, str]]:
    """Return the files of a signed folder that the authority has not signed as they are, each with the reason.

    Raises:
        OSError: a file cannot be read.
        InputError: the signatures or the authority's certificate cannot be read.
    """
    signatures = read_object(folder / SIGNATURES)
    key: Any = kit.authority.content.public_key()
    present = {path.name: path for path in folder.iterdir() if path.is_file() and path.name != SIGNATURES}
    missing = [(folder / name, MISSING) for name in signatures if not (folder / name).exists()]
    added = [(path, UNSIGNED) for name, path in present.items() if name not in signatures]
    changed = [
        (path, ALTERED)
        for name, path in present.items()
        if name in signatures and not fits(path, signatures[name], key)
    ]
    return sorted([*missing, *added, *changed])


def fits(file: Path, signature: object, key: Any) -> bool:
    """Return whether the signature is that of the file's content."""
    try:
        verify_content(file.read_bytes(), signature, key)
    except (InvalidSignature, ValueError, TypeError, AttributeError):
        return False
    return True


def has_list(kit: StartupKit) -> bool:
    """Whether the kit has a list of its files."""
    return (kit.startup / LIST).is_file()


def listed_owner(kit: StartupKit) -> str:
    """Return whose kit the list is of; raises as :func:`read_object`."""
    return str(read_object(kit.startup / LIST).get(OWNER, ""))


def unlike_the_list(kit: StartupKit, folder: Path) -> list[tuple[Path, str]]:
    """Return the listed files of ``startup/`` or ``local/`` that are missing or have another content.

    Files that the list does not name are the owner's. Whether the list itself is the authority's,
    :func:`altered_files` says.

    Raises:
        OSError: a file cannot be read.
        InputError: the list is not a JSON object.
    """
    files = section(read_object(kit.startup / LIST), FILES)
    inside = {kit.folder / name: digest for name, digest in files.items() if Path(name).parts[0] == folder.name}
    return [
        (path, ALTERED if path.is_file() else MISSING)
        for path, digest in sorted(inside.items())
        if not path.is_file() or sha256(path) != digest
    ]
