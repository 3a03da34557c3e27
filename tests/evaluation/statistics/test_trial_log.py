from __future__ import annotations

import json
import math
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quorate.core.errors import EvaluationError
from quorate.evaluation.statistics.deflated_sharpe import Moments
from quorate.evaluation.statistics.trial_log import Trial, TrialLog


def trial(floor: float = 0.69, sharpe: float = 0.05, **more: Any) -> Trial:
    fields: dict[str, Any] = {
        "time": "2026-11-20T12:00:00Z",
        "code": "0.1.0+abc",
        "verb": "evaluate",
        "name": "classic",
        "configuration": {"members": ["xgboost"], "policy": {"floor": floor}},
        "data": "0123",
        "synthetic": False,
        "moments": Moments(sharpe, 250, -0.5, 4.0),
        "headline": {"trades": 12},
    }
    return Trial(**{**fields, **more})


def test_what_was_recorded_is_read_again(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "deep" / "trials.jsonl")
    assert log.read().trials == ()
    undefined = trial(0.7, moments=Moments(math.nan, 1, math.nan, math.nan))
    log.record([trial(), undefined])
    log.record([trial(0.8)])
    first, second, third = log.read().trials
    assert (first, third) == (trial(), trial(0.8))
    assert math.isnan(second.moments.sharpe)
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert lines[0]["id"] == first.id
    assert lines[1]["sharpe"] is None
    assert {
        "time", "code", "verb", "configuration", "data", "sharpe", "observations", "skewness", "kurtosis", "headline",
    } <= set(lines[0])  # fmt: skip


def test_the_same_configuration_twice_is_one_trial_and_the_newest_counts(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "trials.jsonl")
    again = trial(sharpe=0.07, time="2026-11-21T12:00:00Z", code="0.1.0+def", data="4567", verb="backtest")
    log.record([trial(), trial(0.8), again, trial(0.9, synthetic=True)])
    real = log.read().distinct(synthetic=False)
    assert [one.moments.sharpe for one in real] == [0.07, 0.05]
    assert len(log.read().distinct(synthetic=True)) == 1
    turned = replace(trial(), configuration={"policy": {"floor": 0.69}, "members": ["xgboost"]})
    assert turned.id == trial().id  # the order of keys is no choice
    assert trial(0.690001).id != trial().id


def test_a_torn_line_is_counted_and_costs_no_other(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "trials.jsonl")
    log.record([trial(), trial(0.8)])
    whole = log.path.read_bytes()
    log.path.write_bytes(whole[:-40])
    assert len(log.read().trials) == 1
    assert log.read().torn == 1
    log.record([trial(0.9)])
    history = log.read()
    assert [one.configuration["policy"]["floor"] for one in history.trials] == [0.69, 0.9]
    assert history.torn == 1
    log.path.write_bytes(log.path.read_bytes() + b'\n\xff\xfe\n{"id": 1}\n[]\n\n')
    assert log.read().torn == 4


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        "{" + '"a":{' * 50_000,
        "9" * 5000,
        "null",
        '"text"',
        "[1, 2]",
        '{"time": NaN}',
        "\\ud800",
        "OBSERVATIONS:1e999",
        "OBSERVATIONS:" + "9" * 400,
        "OBSERVATIONS:true",
        "OBSERVATIONS:-1",
        "SHARPE:" + "9" * 400,
        'SHARPE:"inf"',
        "SHARPE:[]",
        "NAME:\\ud800",
    ],
)
def test_a_hostile_line_is_skipped_and_named(tmp_path: Path, caplog: Any, line: str) -> None:
    log = TrialLog(tmp_path / "trials.jsonl")
    log.record([trial()])
    good = log.path.read_text()
    field, _, value = line.partition(":")
    if field.isupper():
        document = json.dumps({**json.loads(good), field.lower(): "PLACE"})
        line = document.replace('"PLACE"', f'"{value}"' if field == "NAME" else value)
    log.path.write_text(good + line + "\n" + good)
    history = log.read()
    assert (len(history.trials), history.torn) == (2, 1)
    assert "line 2 (" in caplog.text


def test_a_log_that_is_a_named_pipe_or_a_device_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        log = TrialLog(path)
        for use in (log.read, log.require_writable, lambda log=log: log.record([trial()])):
            with pytest.raises(EvaluationError, match="not a regular file"):
                use()


def _many(path: str, worker: int) -> None:
    for number in range(40):
        TrialLog(Path(path)).record([trial(worker + number / 1000), trial(worker + number / 1000 + 0.0005)])


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    workers = [multiprocessing.get_context("fork").Process(target=_many, args=(str(path), n)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    history = TrialLog(path).read()
    assert (len(history.trials), history.torn) == (320, 0)
    assert len(history.distinct(synthetic=False)) == 320


def test_a_log_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "trials.jsonl", tmp_path):
        with pytest.raises(EvaluationError, match="trial log"):
            TrialLog(path).require_writable()
        with pytest.raises(EvaluationError, match="every evaluation is recorded"):
            TrialLog(path).record([trial()])
    with pytest.raises(EvaluationError):
        TrialLog(tmp_path).read()
