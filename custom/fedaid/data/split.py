"""The split of a patient, from the patient's identifier only."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Iterable, Mapping
from itertools import accumulate

from fedaid.data.spelling import same_patients
from fedaid.errors import require

SPLITS = ("train", "valid", "test")


def split_of(patient_id: str, *, seed: str, shares: tuple[float, float, float] = (0.7, 0.15, 0.15)) -> str:
    """Return the split of a patient, from a keyed hash of the identifier.

    It depends neither on the order of rows nor on other patients. So all studies of a patient are in one split, and
    new data move no patient to another split.

    Args:
        patient_id: the identifier in the manifest.
        seed: key of the hash; another seed gives an independent partition.
        shares: expected fractions of the patients in train, valid and test.

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


def splits_of(patients: Iterable[str], given: Mapping[str, str], *, seed: str) -> dict[str, str]:
    """Return patient → split. Likely spellings of one patient are in one split, unless the table states other splits.

    Args:
        patients: identifiers in the manifest.
        given: patient → split, for those with a split in the manifest.
        seed: key of the hash for all others, see :func:`split_of`.
    """
    first = same_patients(patients)
    of_kin: dict[str, str] = {}
    for patient in sorted(given):
        of_kin.setdefault(first.get(patient, patient), given[patient])
    return {
        patient: given.get(patient) or of_kin.get(name) or split_of(name, seed=seed) for patient, name in first.items()
    }
