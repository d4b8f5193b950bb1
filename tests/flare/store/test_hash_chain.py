"""Any change of a chain shows, and a killed process leaves one that goes on."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.flare.store.hash_chain import FIRST, HashChain, Head, broken_links, lines_of, named_head

Bytes = Callable[[list[bytes], int, int], list[bytes]]


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests write thousands of lines."""
    monkeypatch.setattr("fedaid.flare.store.hash_chain.os.fsync", lambda handle: None)


def chain(file: Path, lines: int) -> HashChain:
    made = HashChain(file)
    for number in range(lines):
        made.add({"kind": "accept", "site": f"site-{number}"})
    return made


def test_a_line_has_the_sha256_of_the_line_before_it(tmp_path: Path) -> None:
    chain(tmp_path / "ledger", 2)
    first, second = (tmp_path / "ledger").read_bytes().splitlines()
    assert first == f'{{"kind":"accept","previous":"{FIRST}","site":"site-0"}}'.encode()
    assert lines_of(tmp_path / "ledger")[1]["previous"] == hashlib.sha256(first).hexdigest()
    assert len(second) > len(first) - 1


def altered(lines: list[bytes], at: int, bit: int) -> list[bytes]:
    changed = bytearray(lines[at])
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    return [*lines[:at], bytes(changed), *lines[at + 1 :]]


def removed(lines: list[bytes], at: int, _: int) -> list[bytes]:
    return lines[:at] + lines[at + 1 :]


def truncated(lines: list[bytes], at: int, _: int) -> list[bytes]:
    return lines[:at]


def moved(lines: list[bytes], at: int, to: int) -> list[bytes]:
    rest = lines[:at] + lines[at + 1 :]
    to %= len(lines)
    return [*rest[:to], lines[at], *rest[to:]]


def doubled(lines: list[bytes], at: int, _: int) -> list[bytes]:
    return [*lines[: at + 1], *lines[at:]]


def cut(lines: list[bytes], _: int, much: int) -> list[bytes]:
    text = b"".join(lines)
    return [text[: -1 - much % (len(text) - 1)]]


@pytest.mark.parametrize("change", [altered, removed, truncated, moved, doubled, cut])
@given(count=st.integers(1, 6), at=st.integers(0, 5), more=st.integers(0, 10**6))
def test_every_change_of_a_line_is_found(change: Bytes, count: int, at: int, more: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ledger"
        head = chain(file, count).head
        assert broken_links(file, head) == []
        before = file.read_bytes()
        file.write_bytes(b"".join(change(before.splitlines(keepends=True), at % count, more)))
        assert bool(broken_links(file, head)) == (file.read_bytes() != before)


@pytest.mark.parametrize("left", [1, 5, 30])
def test_half_a_line_of_a_killed_process_is_replaced(tmp_path: Path, left: int) -> None:
    file, ahead = tmp_path / "ledger", tmp_path / "ahead"
    chain(file, 2)
    chain(ahead, 3)
    with file.open("ab") as opened:
        opened.write(ahead.read_bytes().splitlines()[2][:left])
    again = HashChain(file)
    assert again.head.lines == 2
    again.add({"kind": "start"}, durable=True)
    assert broken_links(file, again.head) == []
    assert [line["kind"] for line in lines_of(file)] == ["accept", "accept", "start"]


def test_lines_that_a_full_disk_did_not_take_come_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = chain(tmp_path / "ledger", 1)

    def full(handle: int, content: bytes, at: int) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("fedaid.flare.store.hash_chain.os.pwrite", full)
        made.add({"kind": "refuse"})
        with pytest.raises(OSError, match="No space"):
            made.add({"kind": "commit"}, durable=True)
    made.add({"kind": "stop"})
    assert [line["kind"] for line in lines_of(tmp_path / "ledger")] == ["accept", "refuse", "commit", "stop"]
    assert broken_links(tmp_path / "ledger", made.head) == []


def test_an_invented_end_is_found(tmp_path: Path) -> None:
    made = chain(tmp_path / "ledger", 2)
    assert broken_links(tmp_path / "ledger", Head(2, "f" * 64)) == ["line 2 is not the one that results.json names"]
    made.add({"kind": "start"})
    assert broken_links(tmp_path / "ledger", Head(3, made.head.sha256)) == []


def test_half_a_line_that_is_longer_than_the_next_line_is_replaced_too(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    chain(file, 1)
    with file.open("ab") as opened:
        opened.write(b"x" * 5000)
    assert broken_links(file) == ["the last line is cut"]
    again = HashChain(file)
    again.add({"kind": "start"}, durable=True)
    assert broken_links(file, again.head) == []


@pytest.mark.parametrize("change", [altered, removed, truncated, cut])
def test_a_wrong_last_line_of_a_process_that_has_ended_shows_from_then_on(tmp_path: Path, change: Bytes) -> None:
    file = tmp_path / "ledger"
    chain(file, 3)
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True), 2, 77)))
    for _ in range(2):
        again = HashChain(file)
        assert again.broken
        again.add({"kind": "start"}, durable=True)
    assert broken_links(file, again.head)


def test_a_line_that_was_written_before_its_name_is_kept(tmp_path: Path) -> None:
    file, ahead = tmp_path / "ledger", tmp_path / "ahead"
    chain(file, 2)
    chain(ahead, 3)
    file.write_bytes(ahead.read_bytes())
    again = HashChain(file)
    assert (again.broken, again.head) == ([], HashChain(ahead).head)


@pytest.mark.parametrize("damage", [b"", b"000000000002 x", b"\xff" * 142, b"\xff" * 5000, None])
def test_a_chain_is_continued_without_the_name_of_its_last_line(tmp_path: Path, damage: bytes | None) -> None:
    file = tmp_path / "ledger"
    head, named = chain(file, 2).head, tmp_path / "ledger.head"
    if damage is None:  # as after a version that did not write it
        named.unlink()
    else:
        named.write_bytes(damage)
    again = HashChain(file)
    assert (again.broken, again.head, again.unnamed) == ([], head, damage is not None)
    again.add({"kind": "start"})
    healed = HashChain(file)
    assert (healed.head, healed.unnamed) == (again.head, False)
    assert named_head(file) == again.head
