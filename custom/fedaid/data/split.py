"""Which split a patient belongs to, from the patient's identifier alone."""

from __future__ import annotations

import hashlib
import hmac
import math
from itertools import accumulate

from fedaid.errors import require

SPLITS = ("train", "valid", "test")


def split_of(patient_id: str, *, seed: str, shares: tuple[float, float, float] = (0.7, 0.15, 0.15)) -> str:
    """Return the split of a patient: a keyed hash, so that it depends on no row order and on no other patient.

    All studies of a patient fall on one side, and data that a site adds later move nobody.

    Args:
        patient_id: the identifier as the manifest has it.
        seed: the key; another seed is another, independent partition.
        shares: the expected fractions of patients in train, valid and test.

    Returns:
        One of :data:`SPLITS`.

    Raises:
        InputError: if the shares are not three fractions that sum to one.
    """
    sound = len(shares) == 3 and all(share >= 0 for share in shares) and math.isclose(sum(shares), 1.0, abs_tol=1e-9)
    require(
        sound,
        "shares",
        "be three numbers from 0 to 1 that sum to 1",
        got=shares,
        where="the call of split_of",
        remedy="Give the fractions of train, valid and test.",
    )
    digest = hmac.new(seed.encode(), patient_id.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    position = (int.from_bytes(digest[:6], "big") + 0.5) / 2**48
    bounds = list(accumulate(shares))[:-1]
    return SPLITS[sum(position >= bound for bound in bounds)]
