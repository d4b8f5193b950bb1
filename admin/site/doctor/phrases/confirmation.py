"""Adds the phrases that a person confirmed as identifiers to the site's deny list, which stays at the site."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fedaid.atomic_file import write_private
from fedaid.data.report.deny_list import FILE_NAME, read_deny_list
from fedaid.errors import InputError, require

CHECK = "identifiers-in-report"
_HEAD = "# Phrases that prepare removes from all reports. One a line. This file must not leave the site.\n"


def confirm(site: Path, out: Path, numbers: str) -> int:
    """Add phrases to ``private/deny_list.txt`` of a prepared site, and return how many are new.

    Args:
        site: the site's data folder.
        out: the folder of the doctor's last results, whose private page numbers the phrases.
        numbers: numbers and ranges of phrases, such as "1,4-6".

    Raises:
        InputError: if the site was not prepared, the doctor has not examined it, or a number is not on its page.
    """
    private = site / "private"
    where, remedy = "private", "Run `python -m admin prepare` first."
    require(private.is_dir(), "SITE_DIR", "be a prepared site", got="no folder private", where=where, remedy=remedy)
    phrases = _phrases(out / "private" / "doctor.json")
    chosen = [phrases[number - 1] for number in _numbers(numbers, most=len(phrases))]
    file = private / FILE_NAME
    known = {phrase.casefold() for phrase in read_deny_list(file).phrases}
    new = [phrase for phrase in dict.fromkeys(chosen) if phrase.casefold() not in known]
    before = file.read_text(encoding="utf-8-sig") if file.exists() else _HEAD
    write_private(file, before.rstrip("\n") + "\n" + "".join(f"{phrase}\n" for phrase in new))
    return len(new)


def _phrases(page: Path) -> list[str]:
    """The phrases of the doctor's last private page, in their order."""
    where, remedy = "private/doctor.json", "Run the doctor without --confirm first."
    try:
        checks = json.loads(page.read_text(encoding="utf-8"))["checks"]
        return [str(phrase) for check in checks if check["name"] == CHECK for phrase in check["phrases"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            "--confirm", "follow an examination", got="no readable result", where=where, remedy=remedy
        ) from None


def _numbers(written: str, *, most: int) -> list[int]:
    """The numbers of a list such as "1,4-6"."""
    found: list[int] = []
    for part in re.split(r"[,\s]+", written.strip()):
        match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        rule, remedy = f"be numbers from 1 to {most}, such as 1,4-6", "They stand on the private page."
        sound = 1 <= first <= last <= most
        require(sound, "--confirm", rule, got=part[:20], where="the command line", remedy=remedy)
        found += range(first, last + 1)
    return found
