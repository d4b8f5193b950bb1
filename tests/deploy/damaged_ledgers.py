"""Damages a copy of an egress ledger in every way that hides something, and counts what its check finds."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from admin.site.policy.examined_ledger import examine_ledger
from fedaid.errors import InputError
from hospital_policy.site_record import FOLDER, LEDGER, STATE

Lines = list[bytes]
Damage = Callable[[Path], object]


def undetected(kit: Path, folder: Path) -> tuple[int, list[str]]:
    """Returns how many damages were tried, and those that the check did not find.

    Args:
        kit: of the site.
        folder: for copies.
    """
    silent, tried = [], 0
    for name, damage in damages((kit / FOLDER / LEDGER).read_bytes().splitlines()):
        copy = folder / "damaged"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(kit / FOLDER, copy / FOLDER)
        damage(copy / FOLDER)
        tried += 1
        try:
            silent += [] if examine_ledger(copy).problems else [name]
        except InputError:  # there is no ledger
            continue
    return tried, silent


def damages(lines: Lines) -> Iterator[tuple[str, Damage]]:
    """Every damage, by name."""
    for number, line in enumerate(lines):
        rest, name = lines[:number], f"line {number + 1}"
        yield f"{name} altered", rewritten([*rest, altered(line), *lines[number + 1 :]])
        yield f"{name}, one bit", rewritten([*rest, flipped(line, number), *lines[number + 1 :]])
        yield f"{name} removed", rewritten([*rest, *lines[number + 1 :]])
        yield f"{name} twice", rewritten([*rest, line, *lines[number:]])
        yield f"cut before {name}", rewritten(rest)
        yield f"cut within {name}", rewritten(rest, end=line[: len(line) // 2])
        if number:
            swapped = [*lines[: number - 1], line, lines[number - 1], *lines[number + 1 :]]
            yield f"{name} before the one before it", rewritten(swapped)
    yield "backwards", rewritten(lines[::-1])
    yield "no ledger", lambda folder: (folder / LEDGER).unlink()
    yield "no state", lambda folder: (folder / STATE).unlink()


def rewritten(lines: Lines, *, end: bytes = b"") -> Damage:
    """Writes other lines; ``end`` has no newline."""
    return lambda folder: (folder / LEDGER).write_bytes(b"".join(line + b"\n" for line in lines) + end)


def altered(line: bytes) -> bytes:
    """The line with another number of bytes, or another reason."""
    content = json.loads(line)
    content |= {"bytes": content["bytes"] - 1} if "bytes" in content else {"reason": "other"}
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def flipped(line: bytes, seed: int) -> bytes:
    """The line with one bit changed."""
    place = random.Random(seed).randrange(len(line))
    return line[:place] + bytes([line[place] ^ 1]) + line[place + 1 :]
