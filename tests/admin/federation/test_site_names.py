from __future__ import annotations

import pytest

from admin.federation.site_names import require_site_names
from fedaid.errors import InputError


@pytest.mark.parametrize("sites", [["a"], ["hospital-north", "hospital_lake", "Site3"], ["a", "b", "c"]])
def test_plain_names_are_taken(sites: list[str]) -> None:
    require_site_names(sites)


@pytest.mark.parametrize("site", ["y", "n", "true", "no", "7"])
def test_a_name_that_flare_reads_as_yes_no_or_a_number_is_refused(site: str) -> None:
    with pytest.raises(InputError, match=r"site must be text to FLARE.*site 2 of 2"):
        require_site_names(["hospital", site])


@pytest.mark.parametrize("site", ["", "a.b", "a b", "../a", "a,b", "-a", "größe"])
def test_a_name_that_flare_cannot_provision_is_refused(site: str) -> None:
    with pytest.raises(InputError, match="site must be a plain name"):
        require_site_names([site])


def test_the_server_is_no_site() -> None:
    with pytest.raises(InputError, match="not be one of FLARE's names"):
        require_site_names(["server"])


def test_two_sites_with_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="have a name of its own"):
        require_site_names(["a", "b", "a"])


def test_no_site_is_refused() -> None:
    with pytest.raises(InputError, match="name at least one site"):
        require_site_names([])
