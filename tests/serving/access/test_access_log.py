"""The access log: one line an event, no secret, bounded, readable after a kill, writable by several processes."""

import json
import os
import stat
import subprocess
import sys

import pytest

from quorate.core.errors import DataError
from quorate.core.redaction import register_secret
from quorate.serving.access.access_log import AccessLog


def log(folder, most_bytes=1_000_000, files=3):
    return AccessLog(folder, most_bytes=most_bytes, files=files)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_event_is_a_line_with_who_and_when(tmp_path):
    written = log(tmp_path / "state")
    written.write("login", who="Ann\nBob", address="127.0.0.1")
    written.write("request", who="token", address="::1", method="POST", path="/x", status=None, number=3)
    first, second = lines(written.path)
    assert first.pop("time").endswith("Z")
    assert first == {"event": "login", "who": "Ann\nBob", "address": "127.0.0.1"}
    assert second["number"] == 3
    assert second["status"] is None
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600


def test_secrets_are_removed_and_long_texts_cut(tmp_path):
    register_secret("CanaryOfTheLog77")
    written = log(tmp_path)
    written.write("request", who="CanaryOfTheLog77", address="x" * 1_000, path="/?token=CanaryOfTheLog77")
    text = written.path.read_text()
    assert "CanaryOfTheLog77" not in text
    assert len(lines(written.path)[0]["address"]) == 300


def test_full_files_are_renamed_and_the_oldest_removed(tmp_path):
    written = log(tmp_path, most_bytes=10_000)
    for number in range(400):
        written.write("event", who="w", address="a", number=number, filler="x" * 60)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["access.jsonl", "access.jsonl.1", "access.jsonl.2"]
    kept = [entry["number"] for name in reversed(names) for entry in lines(tmp_path / name)]
    assert kept == list(range(kept[0], 400))  # in order, the newest whole
    for name in names:
        assert (tmp_path / name).stat().st_size <= 10_000
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_one_file_is_replaced_where_one_is_kept(tmp_path):
    written = log(tmp_path, most_bytes=10_000, files=1)
    for number in range(400):
        written.write("event", who="w", address="a", number=number, filler="x" * 60)
    assert [path.name for path in tmp_path.iterdir()] == ["access.jsonl"]
    assert lines(written.path)[-1]["number"] == 399


def test_a_line_that_a_kill_cut_stays_apart(tmp_path):
    written = log(tmp_path)
    written.write("login", who="w", address="a")
    with written.path.open("a") as file:
        file.write('{"event": "half')
    written.write("login", who="w", address="a")
    first, half, second = written.path.read_text().splitlines()
    assert json.loads(first)["event"] == json.loads(second)["event"] == "login"
    assert half == '{"event": "half'


def test_a_log_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "access.jsonl").mkdir()
    with pytest.raises(DataError, match=r"access\.jsonl"):
        log(tmp_path).write("login", who="w", address="a")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("elsewhere")])
def test_pipes_and_links_are_refused(tmp_path, make):
    make(tmp_path / "access.jsonl")
    with pytest.raises(DataError):
        log(tmp_path).write("login", who="w", address="a")
    assert not (tmp_path / "elsewhere").exists()


WRITER = """
import sys
from pathlib import Path
from quorate.serving.access.access_log import AccessLog
log = AccessLog(Path(sys.argv[1]), most_bytes=20_000, files=100)
for number in range(200):
    log.write("event", who=sys.argv[2], address="a", number=number)
"""


@pytest.mark.integration
@pytest.mark.integration
def test_several_processes_lose_nothing(tmp_path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    entries = [entry for path in tmp_path.iterdir() for entry in lines(path)]
    for name in "ab":
        assert sorted(entry["number"] for entry in entries if entry["who"] == name) == list(range(200))
