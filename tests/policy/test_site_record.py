from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from admin.__main__ import main
from admin.site.policy.examined_ledger import examine_ledger
from admin.site.policy.ledger_page import ledger_page
from fedaid.flare.store.hash_chain import Head, broken_links
from hospital_policy.rules import PolicyFault, Rules
from hospital_policy.site_record import FOLDER, LEDGER, STATE, VARIABLE, SiteRecord

RULES = Rules(clip=1.0, noise=2.0, epsilon=3.0, statistics="withhold")


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A kit with a ledger of five lines."""
    record = SiteRecord(tmp_path)
    for number in range(5):
        record.add({"kind": "update", "job": f"job-{number % 2}", "bytes": 10, "norm": float(number), "keys": ["w"]})
    return tmp_path


def lines(kit: Path) -> list[bytes]:
    return (kit / FOLDER / LEDGER).read_bytes().splitlines(keepends=True)


def rewrite(kit: Path, changed: list[bytes]) -> None:
    (kit / FOLDER / LEDGER).write_bytes(b"".join(changed))


def test_a_ledger_as_it_was_written_is_whole(kit: Path) -> None:
    assert broken_links(kit / FOLDER / LEDGER) == []
    found = examine_ledger(kit).summary()
    assert (found["whole"], found["lines"], found["bytes"]) == (True, 5, 50)
    assert [job["updates"] for job in found["jobs"]] == [3, 2]
    assert found["jobs"][0]["largest_norm"] == 4.0


CHANGES: dict[str, Any] = {
    "altered": lambda found: [found[0].replace(b'"bytes":10', b'"bytes":11'), *found[1:]],
    "the last line altered": lambda found: [*found[:-1], found[-1].replace(b'"bytes":10', b'"bytes":11')],
    "a line removed": lambda found: [*found[:2], *found[3:]],
    "truncated": lambda found: found[:3],
    "empty": lambda found: [],
    "reordered": lambda found: [found[1], found[0], *found[2:]],
    "cut within a line": lambda found: [*found[:-1], found[-1][:20]],
    "a line twice": lambda found: [*found, found[-1]],
    "not JSON": lambda found: [*found[:2], b"x\n", *found[3:]],
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_ledger_is_found_and_nothing_more_leaves(case: str, kit: Path) -> None:
    rewrite(kit, CHANGES[case](lines(kit)))
    assert examine_ledger(kit).problems
    if case not in ("altered", "reordered", "not JSON"):  # the site looks at the end only; the officer at all of it
        try:
            SiteRecord(kit).add({"kind": "update"})
        except PolicyFault:
            return
        assert examine_ledger(kit).problems, "a later line must not hide it"


def test_a_missing_state_is_found_and_nothing_more_leaves(kit: Path) -> None:
    (kit / FOLDER / STATE).unlink()
    assert examine_ledger(kit).problems
    with pytest.raises(PolicyFault, match="state file"):
        SiteRecord(kit).add({"kind": "update"})


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"lines":-1,"size":0,"sha256":"","releases":{}}'])
def test_a_damaged_state_stops_the_budget(text: str, kit: Path) -> None:
    (kit / FOLDER / STATE).write_text(text)
    with pytest.raises(PolicyFault):
        SiteRecord(kit).spend(RULES)
    assert examine_ledger(kit).problems


def test_an_end_that_was_noted_elsewhere_shows_a_ledger_that_was_written_anew(kit: Path, tmp_path: Path) -> None:
    noted = examine_ledger(kit).head
    SiteRecord(kit).add({"kind": "update"})
    assert not examine_ledger(kit, noted=noted).problems
    for name in (LEDGER, STATE):
        (kit / FOLDER / name).unlink()
    SiteRecord(kit).add({"kind": "update"})
    assert not examine_ledger(kit).problems
    assert "lines are missing" in examine_ledger(kit, noted=noted).problems[0]
    assert "is not the one" in examine_ledger(kit, noted=Head(1, "0" * 64)).problems[0]


def test_a_line_that_a_killed_process_left_counts_and_half_a_line_does_not(kit: Path) -> None:
    state = (kit / FOLDER / STATE).read_bytes()
    SiteRecord(kit).add({"kind": "update", "bytes": 1})
    (kit / FOLDER / STATE).write_bytes(state)  # killed between the line and the state
    with (kit / FOLDER / LEDGER).open("ab") as file:
        file.write(b'{"half')
    SiteRecord(kit).add({"kind": "update", "bytes": 2})
    found = examine_ledger(kit)
    assert (found.problems, found.head.lines) == ([], 7)


def test_jobs_at_the_same_time_share_one_chain(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: SiteRecord(tmp_path).add({"kind": "update", "n": number}), range(20)))
    found = examine_ledger(tmp_path)
    assert (found.problems, found.head.lines) == ([], 20)


def test_the_budget_is_spent_before_and_kept(tmp_path: Path) -> None:
    """σ = 2 at δ = 1e-5: ε is 1.993, 2.943 and 3.709 after one, two and three releases (dp-accounting 0.6.0)."""
    spent = [SiteRecord(tmp_path).spend(RULES) for _ in range(2)]
    assert spent == pytest.approx([1.99309, 2.94323], abs=1e-4)
    for _ in range(2):
        with pytest.raises(PolicyFault, match=r"one more update has epsilon 3.71, and this hospital allows 3.0"):
            SiteRecord(tmp_path).spend(RULES)
    assert SiteRecord(tmp_path).epsilon(RULES.delta) == pytest.approx(2.94323, abs=1e-4)
    files = [path for path in (tmp_path / FOLDER).iterdir()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700


def test_the_page_stands_alone_and_escapes(kit: Path) -> None:
    SiteRecord(kit).add({"kind": "blocked", "job": "<script>x</script>", "reason": "<b>"})
    page = ledger_page(examine_ledger(kit), site="a & b")
    assert "<script" not in page
    assert "a &amp; b" in page
    assert "http" not in page
    assert "The ledger is as it was written." in page
    rewrite(kit, lines(kit)[:2])
    assert "NOT as it was written" in ledger_page(examine_ledger(kit), site="a")
    assert json.dumps(examine_ledger(kit).summary())


def test_a_ledger_that_would_be_gone_after_the_job_is_refused(
    tmp_path: Path, other_file_system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = other_file_system
    (kit / "local").symlink_to(tmp_path)
    with pytest.raises(PolicyFault, match="must outlive the job, got a kit in memory"):
        SiteRecord(kit)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "absent"))
    with pytest.raises(PolicyFault, match=f"{VARIABLE} must be the absolute path of a folder that exists"):
        SiteRecord(kit)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    SiteRecord(kit).add({"kind": "update", "bytes": 3})
    assert examine_ledger(kit).summary()["bytes"] == 3
    assert not (kit / FOLDER).exists()


def test_the_command_says_where_a_ledger_is_missing(
    kit: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "/absent")
    assert main(["ledger", str(kit)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "ledger must be in a lasting folder" in line


def test_ledger_and_budget_go_on_in_a_kit_with_a_new_name(tmp_path: Path) -> None:
    old, new = tmp_path / "hospital-north", tmp_path / "hospital-north-2"
    before = SiteRecord(old)
    before.spend(RULES)
    before.spend(RULES)
    before.add({"kind": "update", "job": "job-1", "bytes": 10})
    noted = Head(1, examine_ledger(old).head.sha256)
    new.mkdir()
    shutil.move(old / FOLDER, new / FOLDER)
    after = SiteRecord(new)
    with pytest.raises(PolicyFault, match="the privacy budget of this hospital is spent"):
        [after.spend(RULES) for _ in range(3)]
    after.add({"kind": "update", "job": "job-2", "bytes": 10})
    assert examine_ledger(new, noted=noted).summary()["whole"]


@pytest.mark.parametrize(("moved", "text"), [(LEDGER, "must have its state file"), (STATE, "lines are missing")])
def test_half_of_a_moved_folder_lets_nothing_leave(moved: str, text: str, kit: Path, tmp_path: Path) -> None:
    new = tmp_path / "hospital-north-2"
    (new / FOLDER).mkdir(parents=True)
    shutil.copy(kit / FOLDER / moved, new / FOLDER / moved)
    with pytest.raises(PolicyFault, match=text):
        SiteRecord(new).spend(RULES)
    assert not examine_ledger(new).summary()["whole"]


def test_a_whole_new_kit_begins_anew_but_a_noted_end_shows_it(kit: Path, tmp_path: Path) -> None:
    noted = examine_ledger(kit).head
    new = tmp_path / "hospital-north-2"
    SiteRecord(new).add({"kind": "update", "job": "job-3", "bytes": 10})
    assert not examine_ledger(new, noted=noted).summary()["whole"]
