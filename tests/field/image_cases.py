"""Films whose tags or pixels are odd: each must look as the same film does with plain ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    HTJ2KLossless,
    JPEG2000Lossless,
)

from fedaid.data.pixels.intensity import unit_range
from fedaid.data.pixels.resize import fit_square
from tests.field.export import chest, film, report, save, write_films, write_reports
from tests.field.field_case import FieldCase, Run
from tests.field.odd_films import (
    COLOUR,
    RESCALED,
    SIGNED,
    YBR,
    Film,
    big_endian,
    bordered,
    broken,
    cells,
    deflated,
    encoded,
    grey,
    half_of_the_rows,
    in_fragments,
    negative,
    padded,
    palette,
    run_length,
    save_odd,
    tagged,
    with_lut,
    without_corners,
)

PLAIN = (1, 2, 3)
ODD = 11
"""Number of the first odd film; those before it are plain."""
TOLERANCE = 0.02
"""Largest mean difference of two pictures in [0, 1] that look the same."""


def looks_wrong(run: Run, number: int, picture: NDArray[np.floating] | None = None) -> list[str]:
    """Why a film of a site is not the picture that it should be."""
    if run.study(number) is None:
        return [f"film {number} is not in the manifest"]
    found = run.picture(number)
    expected = fit_square(unit_range(chest(number) if picture is None else picture), found.shape[0])
    apart = float(np.abs(found - expected).mean())
    return [f"film {number} is another picture: {apart:.3f} apart"] if apart > TOLERANCE else []


def odd_films(
    name: str,
    *films: Film,
    counted: Mapping[str, object] | None = None,
    refused: Mapping[str, int] | None = None,
    unseen: Sequence[int] = (),
    expected: Callable[[NDArray[np.float64]], NDArray[np.float64]] = np.asarray,
) -> FieldCase:
    """A case of some plain films and some odd ones, each of which must look as the plain film of its number.

    Args:
        name: of the case.
        films: number → odd film.
        counted: result of ``prepare`` → its value.
        refused: code → number of odd films that must have it.
        unseen: places in `films` whose picture is not compared.
        expected: the drawn chest → what an odd film shows.
    """
    numbers = range(ODD, ODD + len(films))

    def write(folder: Path) -> None:
        write_films(folder, PLAIN)
        for number, odd in zip(numbers, films, strict=True):
            save_odd(odd(number), folder / "images" / f"{number}.dcm")
        write_reports(folder, [(number, report(number)) for number in (*PLAIN, *numbers)])

    def faults(run: Run) -> list[str]:
        given = run.result
        codes = given["quarantined"]
        wrong = [f"{code} is not counted" for code, count in (refused or {}).items() if codes.get(code) != count]
        said = {name: given.get(name) for name in counted or {}}
        wrong += [
            f"prepare counts {name} as {said[name]}" for name, value in (counted or {}).items() if said[name] != value
        ]
        seen = [number for place, number in enumerate(numbers) if place not in unseen]
        wrong += [fault for number in PLAIN for fault in looks_wrong(run, number)]
        return wrong + [fault for number in seen for fault in looks_wrong(run, number, expected(chest(number)))]

    arguments = ("--max-bad-share", "0.5")
    return FieldCase(name, write, faults, arguments=arguments, named_by=frozenset((*(counted or ()), *(refused or ()))))


def bordered_faults(run: Run) -> list[str]:
    """Whether the inside of the film is not the chest."""
    if run.study(ODD) is None:
        return ["the film is not in the manifest"]
    picture = chest(ODD)
    picture[:5] = picture[-5:] = picture[:, :5] = picture[:, -5:] = 0
    return looks_wrong(run, ODD, picture)


def write_bordered(folder: Path) -> None:
    write_films(folder, PLAIN)
    save(bordered(ODD), folder / "images" / "odd.dcm")
    write_reports(folder, [(number, report(number)) for number in (*PLAIN, ODD)])


rubbish = np.random.default_rng(3).integers(0, 16, (96, 80))
box = np.zeros((96, 80), np.int64)
box[20:40, 20:60] = 1

CASES = (
    odd_films(
        "img01_presentation_lut_inverse",
        cells(negative, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE"),
        cells(negative, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="IDENTITY"),
        lambda number: film(number, PresentationLUTShape="IDENTITY"),
        lambda number: film(number, PresentationLUTShape="INVERSE"),
        counted={"polarity_contradictory": 2, "tags_ignored": {}},
    ),
    odd_films(
        "img02_non_square_pixels",
        half_of_the_rows(PixelSpacing=["0.3", "0.15"]),
        half_of_the_rows(ImagerPixelSpacing=["0.3", "0.15"]),
        half_of_the_rows(NominalScannedPixelSpacing=["0.3", "0.15"]),
        half_of_the_rows(PixelAspectRatio=["20", "10"]),
        half_of_the_rows(PixelSpacing=["0", "0"], PixelAspectRatio=["2", "1"]),
        lambda number: film(number, PixelSpacing=["0.2", "0.2"], PixelAspectRatio=["2", "1"]),
        lambda number: film(number, ImagerPixelSpacing=["900", "1"]),
        counted={"pixels_not_square": 5, "tags_ignored": {"PixelSpacing": 1, "ImagerPixelSpacing": 1}},
    ),
    odd_films(
        "img03_decimal_comma",
        broken(tagged(WindowCenter="2047.5", WindowWidth="4095.5"), (b"2047.5", b"2047,5"), (b"4095.5", b"4095,5")),
        broken(tagged(**RESCALED), (b"2.5 ", b"2,5 ")),
        broken(tagged(WindowCenter="12345678", WindowWidth="4096"), (b"12345678", b"2047//99")),
        broken(tagged(PixelSpacing=["0.143", "0.143"]), (b"0.143\\0.143 ", b"0,143\\0,143 ")),
        broken(film, (b"US\2\0\x0c\0", b"LO\2\0??")),
        broken(tagged(PixelAspectRatio=["3", "3"]), (b"3\\3 ", b"3\\? ")),
        lambda number: film(number, PixelRepresentation=None, HighBit=None),
        lambda number: film(number, BitsStored=None, SamplesPerPixel=None),
        counted={
            "tags_ignored": {
                "WindowCenter": 2,
                "WindowWidth": 2,
                "RescaleSlope": 1,
                "PixelSpacing": 1,
                "BitsStored": 2,
                "PixelAspectRatio": 1,
                "PixelRepresentation": 1,
                "HighBit": 1,
                "SamplesPerPixel": 1,
            }
        },
    ),
    odd_films(
        "img04_high_bits",
        cells(lambda at: (at << 4 | rubbish).astype("<u2"), HighBit=15),
        cells(lambda at: ((at - 2048 & 0xFFF) << 2).astype("<u2"), HighBit=13, PixelRepresentation=1),
        cells(lambda at: (at - 2048 & 0xFFF).astype("<u2"), PixelRepresentation=1),
        cells(lambda at: (at | box << 14).astype("<u2")),
        cells(lambda at: (4095 - at | box << 15).astype("<u2"), PhotometricInterpretation="MONOCHROME1"),
        cells(lambda at: at.astype("<u2"), HighBit=15),
    ),
    odd_films(
        "img07_grey_stored_as_colour",
        grey(lambda at: np.stack([at] * 3, -1).astype("u1"), **COLOUR),
        grey(lambda at: np.stack([at, at * 0 + 128, at * 0 + 128], -1).astype("u1"), **YBR),
        cells(lambda at: np.stack([at] * 3, -1).astype("<u2"), **COLOUR),
        palette,
        grey(lambda at: np.stack([at, at // 2, at // 4], -1).astype("u1"), **COLOUR),
        refused={"image-colour": 1},
        unseen=(4,),
    ),
    FieldCase("img08_wrong_window_with_border", write_bordered, bordered_faults),
    odd_films(
        "window_that_leaves_nothing",
        cells(lambda at: (20000 + at).astype("<u2"), bits=16, WindowCenter="2047", WindowWidth="4095"),
        cells(lambda at: at.astype("<u2"), WindowCenter="-5000", WindowWidth="100"),
        with_lut,
    ),
    odd_films(
        "padding_in_either_sign",
        padded(4095, PixelPaddingValue=4095),
        padded(65535, PixelPaddingValue=65535),
        padded(-2000, PixelPaddingValue=-2000, PhotometricInterpretation="MONOCHROME1", **SIGNED),
        padded(-2048, PixelPaddingValue=-2060, PixelPaddingRangeLimit=-2047, PixelRepresentation=1),
        broken(padded(-9000, PixelPaddingValue=-9000, **SIGNED), (b"\x28\0\x20\1SS", b"\x28\0\x20\1US")),
        broken(padded(65535, PixelPaddingValue=65535), (b"\x28\0\x20\1US", b"\x28\0\x20\1SS")),
        expected=without_corners,
    ),
    odd_films(
        "img12_encodings",
        encoded(JPEG2000Lossless, lambda stream: encapsulate([stream])),
        encoded(JPEG2000Lossless, in_fragments),
        encoded(HTJ2KLossless, lambda stream: encapsulate([stream])),
        run_length,
        deflated,
        big_endian,
        encoded(MPEG2MPML, lambda stream: encapsulate([stream])),
        refused={"image-codec-video": 1},
        unseen=(6,),
    ),
)
