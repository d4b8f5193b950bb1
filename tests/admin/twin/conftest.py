"""One bad hospital for the tests of the faults."""

from __future__ import annotations

import pytest

from admin.twin.consortia import FIVE_HOSPITALS
from tests.admin.twin.bad_site import BadSite, make_bad_site


@pytest.fixture(scope="session")
def bad_site(tmp_path_factory: pytest.TempPathFactory) -> BadSite:
    """A hospital whose files state a window and whose polarity is mixed, with two of each fault."""
    return make_bad_site(tmp_path_factory.mktemp("bad"), FIVE_HOSPITALS[2])
