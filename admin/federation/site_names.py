"""The rules for site names; without this check a bad name would crash the site's process at its start."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nvflare.fuel.utils.argument_utils import parse_vars

from fedaid.errors import require

ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
RESERVED = ("server", "admin", "lead")


def require_site_names(sites: Sequence[str]) -> None:
    """Refuse an empty list, and names that are repeated, reserved, or that FLARE does not read as text.

    FLARE passes a site's name as ``uid=NAME`` and turns ``y``, ``no``, ``true`` or ``7`` into a bool or a number.

    Raises:
        InputError: a name is invalid; the message names the first one.
    """
    remedy = "Use letters, digits, underscores and hyphens, as in hospital-a."
    where = "the list of sites"
    require(len(sites) > 0, "sites", "name at least one site", got=list(sites), where=where, remedy=remedy)
    for number, site in enumerate(sites):
        where = f"site {number + 1} of {len(sites)}"
        require(bool(ALLOWED.fullmatch(site)), "site", "be a plain name", got=repr(site), where=where, remedy=remedy)
        require(site not in RESERVED, "site", "not be one of FLARE's names", got=site, where=where, remedy=remedy)
        require(site not in sites[:number], "site", "have a name of its own", got=site, where=where, remedy=remedy)
        read = parse_vars([f"uid={site}"])["uid"]
        got = f"{site}, read as {read!r}"
        require(read == site, "site", "be text to FLARE", got=got, where=where, remedy=remedy)
