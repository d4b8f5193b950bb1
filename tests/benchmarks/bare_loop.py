"""The least that decoding takes: ``python -m tests.benchmarks.bare_loop FOLDER SIZE PART PARTS``, one of its processes.

pydicom reads and decodes, Pillow resizes the stored 16-bit levels with its bilinear filter. No window, polarity, range,
check, pairing, pseudonym or de-identification; nothing is kept. Other libraries are not imported.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from pydicom import dcmread


def main(folder: str, size: str, part: str, parts: str) -> None:
    """Decode and resize every so many-th file."""
    for path in sorted(Path(folder).iterdir())[int(part) :: int(parts)]:
        levels = Image.fromarray(dcmread(path).pixel_array)
        scale = int(size) / max(levels.size)
        levels.resize((round(levels.width * scale), round(levels.height * scale)), Image.Resampling.BILINEAR)


if __name__ == "__main__":
    main(*sys.argv[1:])
