"""`quorate tune`: killed and resumed, shown, and wrong options."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from cli.conftest import SMALL
from quorate.cli.app import main
from quorate.evaluation.statistics.trial_log import TrialLog
from quorate.market.synthetic import SyntheticMarket

QUICK = {
    "QUORATE_TUNE__FEATURES": "[]",
    "QUORATE_TUNE__HORIZONS": "[4]",
    "QUORATE_TUNE__FOLDS": "2",
    "QUORATE_TUNE__BLOCK_DAYS": "1",
    "QUORATE_EVALUATION__RESAMPLES": "50",
}


def test_a_killed_search_goes_on_and_counts_every_trial_once(quorate_program, tmp_path, monkeypatch, capsys):
    study, ledger = tmp_path / "study", {"QUORATE_EVALUATION__LEDGER": str(tmp_path / "trials.jsonl")}
    SyntheticMarket(seed=3, symbols=2, bars=1_000, edge=0.3).write(tmp_path / "data")
    asked = [
        "tune", "--data", str(tmp_path / "data"), "--symbols", "SYNA/USDT:USDT,SYNB/USDT:USDT", "--models", "qda",
        "--study", str(study), "--minutes", "1000",
    ]  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", "from quorate.cli.app import run; run()", *asked],
        env={**os.environ, **SMALL, **QUICK, **ledger},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as killed:
        journal, until = study / "trials.journal", time.monotonic() + 120
        while not journal.exists() or journal.read_bytes().count(b'"result"') < 2:
            assert time.monotonic() < until
            assert killed.poll() is None
            time.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
    assert not (study / "judgement.json").exists()
    done = quorate_program(*asked, "--trials", "4", "--workers", "2", "--json", **QUICK, **ledger)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["trials"]["ended"] >= 4
    assert found["repeated"] <= 1
    trials = TrialLog(tmp_path / "trials.jsonl").read().trials
    searched = [trial.id for trial in trials if trial.configuration["kind"] == "search"]
    assert len(set(searched)) == len(searched) == found["trials"]["complete"] + found["trials"]["pruned"]
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["tune", "--study", str(study), "--status"]) == 0
    shown = capsys.readouterr().out
    assert f"[SYNTHETIC] {found['verdict']}" == shown.splitlines()[0]
    assert "as they are" in shown


@pytest.mark.parametrize(
    ("given", "named"),
    [((), "--data"), (("--data", "x", "--status"), "--data")],
)
def test_options_that_do_not_go_together(capsys, given, named):
    assert main(["tune", *given]) == 2
    assert named in capsys.readouterr().err
