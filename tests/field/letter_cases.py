"""Films with letters in their pixels: names, which must be found, and markers, which are no names.

No film declares BurnedInAnnotation. The films are as large as exported ones; prepared pictures are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.benchmarks.letter_films import stamp
from tests.field.export import accession, chest, film, report, save, write_reports, write_table
from tests.field.field_case import FieldCase, Run

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
STUDIES = range(1, 8)
NAMED = range(4, 8)
"""Films with a name; the others have none."""

NAMES = (
    "OSTERHOLM VIVECA 02.11.1946\nID 5530912",
    "Quillon^Rafe",
    "MRN 0041377  KLINIK TANNGRUND",
    "Dravenport, P. 1938-07-19",
)
MARKERS = (
    "L",
    "PORTABLE AP SUPINE 14:32",
    "R PA ERECT JK",
    "LIEGEND RECHTS",
    "DEBOUT 08:15",
    "IZQUIERDA",
    "125 kV 2,0 mAs",
)
WARNS = frozenset({"burned-in-text", "letters-not-looked-for"})


def lettered(
    number: int,
    text: str,
    *,
    size: tuple[int, int] = (640, 540),
    high: int = 20,
    corner: str = "top",
    bright: float = 1.0,
    turns: int = 0,
) -> NDArray[np.float64]:
    """A drawn chest in [0, 1] with letters at the top left, at the bottom right, or in the middle."""
    grey = chest(number, height=size[0], width=size[1])
    ink = np.rot90(stamp(text, "DejaVuSans.ttf", high), turns)
    room = np.subtract(size, ink.shape)
    top, left = {"top": (6, 6), "bottom": room - 6, "middle": room // 2}[corner]
    part = grey[top : top + ink.shape[0], left : left + ink.shape[1]]
    part += ink * (bright - part)
    return grey


def stored(grey: NDArray[np.float64], bits: int) -> NDArray[np.unsignedinteger]:
    """Levels of a picture in [0, 1]."""
    return np.round(grey * (2**bits - 1)).astype("<u1" if bits == 8 else "<u2")


def of_names(*, bits: int = 12, **drawn: object) -> Callable[[Path], None]:
    """Return a function that writes films with names and films without letters."""

    def write(folder: Path) -> None:
        for number in STUDIES:
            text = NAMES[number % len(NAMES)] if number in NAMED else ""
            grey = lettered(number, text, **drawn) if text else chest(number, height=640, width=540)  # type: ignore[arg-type]
            tags: Mapping[str, object] = {"SOPClassUID": SECONDARY_CAPTURE} if number % 2 else {}
            save(film(number, stored(grey, bits), bits=bits, **tags), folder / "images" / f"{number}.dcm")
        write_reports(folder, [(number, report(number)) for number in STUDIES])

    return write


def markers(folder: Path) -> None:
    """Write films with markers only."""
    for number in STUDIES:
        pixels = stored(lettered(number, MARKERS[number % len(MARKERS)], corner=("top", "bottom")[number % 2]), 12)
        save(film(number, pixels), folder / "images" / f"{number}.dcm")
    write_reports(folder, [(number, report(number)) for number in STUDIES])


def pictures(folder: Path, *, longest: int) -> None:
    """Write PNG files with names, scaled so that the longer side has so many pixels."""
    (folder / "images").mkdir(parents=True)
    for number in STUDIES:
        page = Image.fromarray(stored(lettered(number, NAMES[number % len(NAMES)]), 8))
        page.thumbnail((longest, longest))
        page.save(folder / "images" / f"{accession(number)}.png")
    rows = [(accession(number), f"PAT{number}", report(number)) for number in STUDIES]
    write_table(folder / "reports.csv", ["image", "patient_id", "report"], rows)


def finds(count: int) -> Callable[[Run], Sequence[str]]:
    """Return what is wrong with a run that must find letters in so many films and lose none."""

    def faults(run: Run) -> list[str]:
        found, warned = run.result.get("letters_found"), run.checks.get("burned-in-text", 0)
        wrong = [f"prepare found letters in {found} films, not {count}"] if found != count else []
        wrong += [f"the doctor warns of {warned} films, not {count}"] if warned != count else []
        return wrong + (["a film is lost"] if len(run.rows) != len(STUDIES) else [])

    return faults


def warns(run: Run) -> list[str]:
    """What is wrong with a run in which nobody could look: the doctor must warn of every film."""
    warned = sum(run.checks.get(check, 0) for check in WARNS)
    return [] if warned == len(STUDIES) else [f"the doctor warns of {warned} films, not {len(STUDIES)}"]


def left_out(run: Run) -> list[str]:
    """What is wrong with a run that must leave out the films with names, and only these."""
    kept = {number for number in STUDIES if run.study(number) is not None}
    wrong = [f"film {number} is kept" for number in kept & set(NAMED)]
    return wrong + [f"film {number} is lost" for number in set(STUDIES) - set(NAMED) - kept]


def _case(
    name: str, write: Callable[[Path], None], faults: Callable[[Run], Sequence[str]], *arguments: str
) -> FieldCase:
    return FieldCase(name, write, faults, arguments=arguments, named_by=WARNS)


CASES = (
    _case("img14_name_in_the_pixels", of_names(bits=8), finds(len(NAMED))),
    _case("letters_name_of_twelve_bits_at_the_bottom", of_names(corner="bottom", high=12), finds(len(NAMED))),
    _case("letters_name_in_black_on_the_chest", of_names(corner="middle", bright=0.0), finds(len(NAMED))),
    _case("letters_name_upwards_along_the_edge", of_names(turns=1, high=16), finds(len(NAMED))),
    _case("letters_name_on_a_large_film", of_names(size=(2400, 2000), high=34), finds(len(NAMED))),
    _case("letters_name_that_nobody_reads", of_names(), finds(len(NAMED)), "--letters", "quick"),
    _case("letters_name_left_out_on_request", of_names(), left_out, "--quarantine-letters"),
    _case("letters_nobody_looks", of_names(), warns, "--letters", "off"),
    _case("letters_markers_are_no_names", markers, finds(0)),
    _case("letters_pictures_that_are_small_already", lambda folder: pictures(folder, longest=120), warns),
    _case("letters_name_in_pictures", lambda folder: pictures(folder, longest=640), finds(len(STUDIES))),
)  # fmt: skip
