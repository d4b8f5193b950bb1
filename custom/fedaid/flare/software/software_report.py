"""What software a process runs, as plain texts; a site's report goes to the server with each request for a task."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from fedaid.errors import require
from fedaid.models.vocabulary import vocabulary_hash
from fedaid.package_hash import code_hash

PROPERTY = "fedaid_software"  # public property of a site's FLARE context
CODE, VOCABULARY = "fedaid", "vocabulary"  # hashes; the other entries are versions
PACKAGES = ("torch", "transformers", "nvflare", "numpy")
OLDEST = {"transformers": 5}
"""Major versions without which the model's code cannot even be imported."""
UNKNOWN = "not reported"
LONGEST = 80  # characters of a value


def software_report() -> dict[str, str]:
    """The hash of the code that runs here, the versions of :data:`PACKAGES`, and the vocabulary's hash."""
    return {CODE: code_hash(), **{name: installed(name) for name in PACKAGES}, VOCABULARY: vocabulary_hash()}


def installed(package: str) -> str:
    """The version of a package, or that there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def require_recent(site: str) -> None:
    """Refuses work with a library that is too old, before it is imported.

    Raises:
        InputError: naming the site, the library and its version.
    """
    for name, oldest in OLDEST.items():
        found, remedy = installed(name), "Install the versions of requirements.txt there, as on the server."
        recent = found.split(".")[0].isdigit() and int(found.split(".")[0]) >= oldest
        require(recent, name, f"be version {oldest} or newer", got=found, where=f"site {site}", remedy=remedy)


def read_report(value: object) -> dict[str, str]:
    """A site's report: its known entries as short texts; what it does not state is :data:`UNKNOWN`."""
    found = value if isinstance(value, Mapping) else {}
    return {name: short_text(found.get(name)) for name in (CODE, *PACKAGES, VOCABULARY)}


def short_text(value: object) -> str:
    """The value if it is a printable text; cut to :data:`LONGEST` characters."""
    return value[:LONGEST] if isinstance(value, str) and value.isprintable() and value else UNKNOWN
