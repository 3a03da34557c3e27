"""Records of runs: what is written is read again, and what cannot be read does not stop the next run."""

from dataclasses import replace

import pytest

from quorate.core.clock import parse_ms
from quorate.lifecycle.retrain.result import RetrainStatus, verdict_line
from quorate.lifecycle.retrain.run_log import FOLDER, RetrainRun, RunLog
from quorate.lifecycle.retrain.status import retraining_status
from stubs.retraining import SETTINGS

RUN = RetrainRun(
    number=3,
    started=parse_ms("2026-03-02T03:00"),
    why="on schedule",
    champion="a",
    state="promoted",
    stage="end",
    attempts=2,
    ended=parse_ms("2026-03-02T03:20"),
    reason="better by 0.01",
    span=(parse_ms("2025-09-01"), parse_ms("2026-03-02")),
    bundle="b",
    gate={"passed": True, "figures": {"upper": -0.01}},
    removed=("c", "d"),
    planned=parse_ms("2026-03-09T03:00"),
)


def test_a_record_is_read_as_it_was_written(tmp_path):
    log = RunLog(tmp_path)
    assert (log.runs(), log.next_number()) == ((), 1)
    for run in (RUN, RetrainRun(4, RUN.ended, "on request", "b")):
        assert log.write(run) == run
    assert log.runs() == (RUN, RetrainRun(4, RUN.ended, "on request", "b"))
    assert log.next_number() == 5


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"\xff", b'{"run": 3}', b"null", b'{"run": 3, "state": "won", "stage": "end"}']
)
def test_a_record_that_cannot_be_read_is_left_out_with_a_warning(tmp_path, content, caplog):
    log = RunLog(tmp_path)
    log.write(replace(RUN, number=2))
    (log.folder / "0003.json").write_bytes(content)
    assert [run.number for run in log.runs()] == [2]
    assert "0003.json cannot be read" in caplog.text
    assert log.next_number() == 4


def test_a_record_of_another_number_is_left_out(tmp_path):
    log = RunLog(tmp_path)
    log.write(RUN)
    (log.folder / "0003.json").rename(log.folder / "0005.json")
    assert log.runs() == ()


def test_other_files_are_no_records(tmp_path):
    log = RunLog(tmp_path)
    log.write(RUN)
    for name in ("0004.json.old", "4.json", "notes.txt", ".0003.json.aaaaaaaaaaaa"):
        (log.folder / name).write_text("{}")
    assert log.runs() == (RUN,)
    assert log.next_number() == 4


@pytest.mark.parametrize(
    ("run", "at_work", "line"),
    [
        (RUN, False, "2026-03-02 03:00: promoted: better by 0.01"),
        (replace(RUN, state="kept"), False, "2026-03-02 03:00: champion kept: better by 0.01"),
        (replace(RUN, state="failed"), False, "2026-03-02 03:00: failed, champion kept: better by 0.01"),
        (replace(RUN, state="running", stage="gate"), True, "2026-03-02 03:00: at work, gate"),
        (
            replace(RUN, state="running", stage="gate"),
            False,
            "2026-03-02 03:00: ended in the stage gate without a verdict; it continues",
        ),
    ],
)
def test_a_line_says_when_what_and_why(run, at_work, line):
    assert verdict_line(run, at_work=at_work) == line


def test_the_status_has_the_last_run_and_the_next(world):
    assert retraining_status(world.bundles).line == ""
    log = RunLog(world.bundles)
    log.write(RUN)
    found = retraining_status(world.bundles)
    told = "Last retraining, 2026-03-02 03:00: promoted: better by 0.01"
    assert found.line == f"{told} Next: 2026-03-09 03:00 UTC, as the last run planned."
    wednesdays = replace(SETTINGS, retrain=replace(SETTINGS.retrain, cron="0 5 * * 3"))
    by_settings = retraining_status(world.bundles, settings=wednesdays)
    assert by_settings.next_line == "Next: 2026-03-04 05:00 UTC, on schedule."
    assert by_settings.to_json()["next"] == {"time": "2026-03-04T05:00:00Z", "why": "on schedule"}
    assert [row[2] for row in found.lines.rows] == ["promoted"]
    assert isinstance(found, RetrainStatus)
    assert (world.bundles / FOLDER / "0003.json").is_file()
