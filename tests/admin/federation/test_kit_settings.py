from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.federation.kit_settings import bind_to_loopback, set_server_store, write_data_root


@pytest.fixture
def server_kit(tmp_path: Path) -> Path:
    """The parts of a server's kit that are changed."""
    server = {"service": {"target": "fl-server:8002", "scheme": "http"}, "admin_port": 8002}
    resources = {
        "servers": [{"heart_beat_timeout": 600}],
        "snapshot_persistor": {"args": {"storage": {"args": {"root_dir": "/shared/snapshot-storage"}}}},
        "components": [
            {"id": "job_scheduler", "args": {"max_jobs": 4}},
            {"id": "job_manager", "args": {"uri_root": "/shared/jobs-storage"}},
        ],
    }
    for name, content in (
        ("startup/fed_server.json", {"servers": [server]}),
        ("local/resources.json.default", resources),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))
    return tmp_path


def test_the_server_is_bound_to_loopback_and_its_port(server_kit: Path) -> None:
    bind_to_loopback(server_kit, 9123)
    server = json.loads((server_kit / "startup/fed_server.json").read_text())["servers"][0]
    assert server == {"service": {"target": "127.0.0.1:9123", "scheme": "http"}, "admin_port": 9123}


def test_jobs_and_snapshots_go_to_a_store_of_its_own(server_kit: Path, tmp_path: Path) -> None:
    set_server_store(server_kit, tmp_path / "store", heart_beat_timeout=45)
    text = (server_kit / "local/resources.json").read_text()
    content = json.loads(text)
    assert "/shared" not in text
    assert content["components"][1]["args"]["uri_root"] == str(tmp_path / "store" / "jobs")
    assert content["servers"][0]["heart_beat_timeout"] == 45


def test_a_site_is_told_an_absolute_data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "local").mkdir()
    monkeypatch.chdir(tmp_path)
    write_data_root(tmp_path, Path("data"))
    assert json.loads((tmp_path / "local/fedaid_site.json").read_text()) == {"data_root": str(tmp_path / "data")}
