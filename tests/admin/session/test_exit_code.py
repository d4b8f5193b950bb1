from __future__ import annotations

import pytest
from nvflare.fuel.flare_api.api_spec import AuthorizationError, JobNotFound, NoConnection, SessionClosed

from admin.session.exit_code import exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TimeoutError(), 3),
        (ConnectionError(), 2),
        (NoConnection(), 2),
        (SessionClosed(), 2),
        (AuthorizationError(), 1),
        (JobNotFound(), 1),
        (RuntimeError(), 1),
        (OSError(), 1),
    ],
)
def test_every_explained_failure_has_its_code(error: Exception, code: int) -> None:
    assert exit_code(error) == code


def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_code(ZeroDivisionError())
