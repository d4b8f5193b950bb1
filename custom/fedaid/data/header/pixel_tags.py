"""The tags that describe a picture, each checked: a value that cannot be used is replaced by a default and counted.

A wrong tag is common and costs that tag. Only a tag without which there is no picture, such as Rows, costs the file.
Source: DICOM PS3.3, C.7.6.3 (image pixel), C.7.5.1 (padding), C.11.1 and C.11.2 (grey transformations).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from pydicom.dataset import Dataset

from fedaid.data.header.element_values import BROKEN, numbers, words
from fedaid.data.header.lookup_table import LookupTable, lookup_table

SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
"""Distances of two pixels, the most exact one first."""

PIXEL_TAGS = (
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("ModalityLUTSequence", "RescaleSlope", "RescaleIntercept"),
    *("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction", "PresentationLUTShape"),
    *(*SPACINGS, "PixelAspectRatio"),
)
"""The keywords that :func:`pixel_tags` reads."""

LARGEST = 1e12
"""Largest rescale slope, intercept, window centre and width; the least slope is its inverse."""
LEAST_BITS = 6
"""Least bits of a number in a radiograph; fewer are a wrong tag."""
SQUARE, OBLONG = 0.01, 4.0
"""Difference of a pixel's sides that is rounding, as a share; largest ratio of its sides that is not a wrong tag."""
_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
_COLOURS = ("RGB", "YBR", "HSV", "ARGB", "CMYK", "XYB")


@dataclass(frozen=True)
class Window:
    """A window: its centre, its width in units after the rescale, and its VOILUTFunction."""

    centre: float
    width: float
    function: str


@dataclass(frozen=True, eq=False)
class PixelTags:
    """What a header says about its picture, in values that can be used.

    Attributes:
        rows: pixels; 0 if not stated.
        columns: as rows.
        frames: at least 1.
        samples: channels, at least 1.
        photometric: PhotometricInterpretation in upper case; empty if not stated.
        planar: PlanarConfiguration.
        allocated: bits of a cell.
        stored: bits of a number.
        high: place of its highest bit, at least `stored` - 1.
        signed: whether numbers are in two's complement.
        padding: PixelPaddingValue and PixelPaddingRangeLimit as written, in either sign representation, or None.
        slope: rescale slope.
        intercept: rescale intercept.
        modality_lut: used in place of slope and intercept.
        voi_lut: used in place of `window`.
        window: the first one.
        pixel_height: of a pixel over its width; 1 for a square one.
        lut_shape: PresentationLUTShape, "IDENTITY", "INVERSE" or empty.
        ignored: keywords of the tags that cannot be used, or that are missing and required.
    """

    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    planar: int
    allocated: int
    stored: int
    high: int
    signed: bool
    padding: tuple[int, int] | None
    slope: float
    intercept: float
    modality_lut: LookupTable | None
    voi_lut: LookupTable | None
    window: Window | None
    pixel_height: float
    lut_shape: str
    ignored: frozenset[str]

    @property
    def contradicts_polarity(self) -> bool:
        """Whether PresentationLUTShape is the one that the standard excludes for this PhotometricInterpretation."""
        return (self.photometric, self.lut_shape) in (("MONOCHROME2", "INVERSE"), ("MONOCHROME1", "IDENTITY"))


def pixel_tags(dataset: Dataset) -> PixelTags:
    """Return the tags of a header; no value of any tag raises an error."""
    read = _Reader(dataset)
    photometric = " ".join(words(dataset, "PhotometricInterpretation"))
    samples = read.whole("SamplesPerPixel", (1, 3, 4), required=True)
    samples = samples or (3 if photometric.startswith(_COLOURS) else 1)
    allocated, stored, high, signed = _bits(read)
    modality_lut, voi_lut = (read.table(name, signed=signed) for name in ("ModalityLUTSequence", "VOILUTSequence"))
    slope = read.number("RescaleSlope", lambda value: 1 / LARGEST <= abs(value) <= LARGEST)
    intercept = read.number("RescaleIntercept", lambda value: abs(value) <= LARGEST)
    rescaled = read.ignored.isdisjoint(("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"))
    window = _window(read)
    return PixelTags(
        rows=read.whole("Rows", range(1, 1 << 16)) or 0,
        columns=read.whole("Columns", range(1, 1 << 16)) or 0,
        frames=read.whole("NumberOfFrames", range(1, 1 << 31)) or 1,
        samples=samples,
        photometric=photometric,
        planar=(read.whole("PlanarConfiguration", (0, 1)) or 0) if samples > 1 else 0,
        allocated=allocated,
        stored=stored,
        high=high,
        signed=signed,
        padding=_padding(read, allocated),
        slope=1.0 if slope is None else slope,
        intercept=intercept or 0.0,
        modality_lut=modality_lut,
        voi_lut=voi_lut if rescaled else None,
        window=window if rescaled else None,  # without its rescale a window is in an unknown unit
        pixel_height=_pixel_height(read),
        lut_shape=read.term("PresentationLUTShape", ("IDENTITY", "INVERSE")),
        ignored=frozenset(read.ignored),
    )


class _Reader:
    """Reads tags one by one, and collects the keywords of those that cannot be used."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.ignored: set[str] = set()
        self.is_picture = "Rows" in dataset  # an object without a picture lacks no tag of one

    def number(self, keyword: str, valid: Callable[[float], bool], *, required: bool = False) -> float | None:
        """The first number of a tag; None if it is missing, broken or not valid."""
        values = numbers(self.dataset, keyword)
        if values and values[0] is not None and valid(values[0]):
            return values[0]
        if values or (required and self.is_picture):
            self.ignored.add(keyword)
        return None

    def whole(self, keyword: str, permitted: Collection[int], *, required: bool = False) -> int | None:
        """The first number of a tag if it is a permitted whole number, else None."""
        value = self.number(keyword, lambda one: one.is_integer() and int(one) in permitted, required=required)
        return None if value is None else int(value)

    def pair(self, keyword: str, valid: Callable[[float], bool]) -> tuple[float, float] | None:
        """The two numbers of a tag; None if it has another number of values, or one that is not valid."""
        values = numbers(self.dataset, keyword)
        first, second = values if len(values) == 2 else (None, None)
        if first is not None and second is not None and valid(first) and valid(second):
            return first, second
        if values:
            self.ignored.add(keyword)
        return None

    def term(self, keyword: str, terms: tuple[str, ...]) -> str:
        """The value of a tag if it is one of these terms, else an empty text."""
        found = words(self.dataset, keyword)
        if found and found[0] not in terms:
            self.ignored.add(keyword)
        return found[0] if found and found[0] in terms else ""

    def table(self, keyword: str, *, signed: bool) -> LookupTable | None:
        """The lookup table of a sequence; None if it is missing or broken."""
        try:
            return lookup_table(self.dataset, keyword, signed=signed)
        except BROKEN:
            self.ignored.add(keyword)
            return None


def _bits(read: _Reader) -> tuple[int, int, int, bool]:
    """BitsAllocated, BitsStored, HighBit and whether numbers are signed; each follows from the others if missing."""
    layout = ("BitsStored", "HighBit", "PixelRepresentation")
    allocated = read.whole("BitsAllocated", (1, 8, 16, 32, 64), required=True)
    floats = allocated in (32, 64) and not any(name in read.dataset for name in layout)  # these need no layout
    high = read.whole("HighBit", range(allocated or 64))
    stored = read.whole(
        "BitsStored", range(LEAST_BITS if allocated != 1 else 1, (allocated or 64) + 1), required=not floats
    )
    if stored is None:
        stored = high + 1 if high is not None else allocated or 16
    allocated = allocated or (8 if stored <= 8 else 16 if stored <= 16 else 32)
    if high is None or high < stored - 1:
        read.ignored |= {"HighBit"} if read.is_picture and not floats else set()
        high = stored - 1
    return allocated, stored, high, bool(read.whole("PixelRepresentation", (0, 1), required=not floats))


def _padding(read: _Reader, allocated: int) -> tuple[int, int] | None:
    """The ends of the padding as written; None if there is none, or none that fits into a cell."""
    least, most = -(1 << max(allocated, 8) - 1), (1 << max(allocated, 8)) - 1

    def fits(value: float) -> bool:
        return value.is_integer() and (least <= value <= most or least <= value - (1 << 16) < 0)

    value, limit = (read.number(name, fits) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit"))
    if value is None:
        read.ignored |= {"PixelPaddingRangeLimit"} if limit is not None else set()
        return None
    return int(value), int(value if limit is None else limit)


def _window(read: _Reader) -> Window | None:
    """The first window; None if it has no centre or no width."""
    function = read.term("VOILUTFunction", _FUNCTIONS) or "LINEAR"
    least = 1.0 if function == "LINEAR" else 0.0  # C.11.2.1.2.1: a linear window of width 1 is a threshold
    centre = read.number("WindowCenter", lambda value: abs(value) <= LARGEST)
    width = read.number("WindowWidth", lambda value: least < value <= LARGEST)
    if centre is None or width is None:
        lonely = {"WindowCenter": centre, "WindowWidth": width}
        read.ignored |= {name for name, value in lonely.items() if value is not None}
        return None
    return Window(centre, width, function)


def _pixel_height(read: _Reader) -> float:
    """The height of a pixel over its width, by the first usable tag in the order of the standard (C.7.6.3.1.7)."""
    ratios = []
    for keyword in (*SPACINGS, "PixelAspectRatio"):
        distance = keyword in SPACINGS
        pair = read.pair(keyword, is_distance if distance else lambda value: 0 < value <= LARGEST)
        if pair is None:
            continue
        if 1 / OBLONG <= pair[0] / pair[1] <= OBLONG:
            ratios.append(pair[0] / pair[1])
        else:
            read.ignored.add(keyword)
    return ratios[0] if ratios and abs(ratios[0] - 1) > SQUARE else 1.0


def is_distance(length: float) -> bool:
    """Whether this can be the distance of two pixels, in mm."""
    return 0.01 <= length <= 10
