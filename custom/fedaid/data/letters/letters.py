"""What was seen of letters in a picture, and the ways to look for them. Nothing here holds a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OFF, QUICK, OCR = "off", "quick", "ocr"
WAYS = (OFF, QUICK, OCR)
"""Nobody looks; a screen looks; the places that a sensitive screen proposes are read, and markers are told apart."""


@dataclass(frozen=True, slots=True)
class Letters:
    """What was seen of letters in a picture.

    Attributes:
        found: whether there are letters that may identify a person.
        share: of the picture that these letters cover, 0 to 1.
        seen: whether the picture has enough pixels to say that there are none.
    """

    found: bool
    share: float
    seen: bool


def letters_from(fields: Mapping[str, object] | None) -> Letters | None:
    """Return letters from their fields as JSON has them; None if nobody looked.

    Raises:
        TypeError: if a field is missing, unknown or of another type.
    """
    if fields is None:
        return None
    letters = Letters(**fields)  # type: ignore[arg-type]
    if not (type(letters.found) is type(letters.seen) is bool and type(letters.share) is float):
        raise TypeError("fields of letters")
    return letters
