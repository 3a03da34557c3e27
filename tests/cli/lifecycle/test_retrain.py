"""`quorate retrain`: documents, lines, exit codes, and the end by a signal."""

import json
import shutil
import signal
import subprocess
import sys

import pytest

from quorate.cli.app import main
from quorate.lifecycle.retrain.run_log import RunLog
from stubs.retraining import market, synthetic_market, train_champion


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retrained")
    synthetic_market(74).write(folder / "data")
    train_champion(folder / "bundles", market(74))
    return folder


@pytest.fixture
def folder(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = {
        "POLICY__NAME": "classic",
        "POLICY__REFIT": "none",
        "EVALUATION__RESAMPLES": "60",
        "BUNDLE__EVIDENCE": "50",
        "RETRAIN__MARGIN": "0.9",
        "RETRAIN__ECE": "0.9",
    }
    for name, value in small.items():
        monkeypatch.setenv(f"QUORATE_{name}", value)
    shutil.copytree(trained / "bundles", tmp_path / "bundles")
    shutil.copytree(trained / "data", tmp_path / "data")
    return tmp_path


def say(capsys, *arguments):
    capsys.readouterr()
    code = main(["retrain", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def test_twice_now_and_then_the_status(folder, capsys):
    code, out, _ = say(capsys, "--data", "data", "--now", "--to", "2024-03-08", "--json")
    assert code == 0
    first = json.loads(out)
    assert (first["state"], first["run"], first["span"]["to"]) == ("promoted", 1, "2024-03-08T00:00:00Z")
    assert first == {"folder": "bundles", **json.loads((folder / "bundles/retraining/0001.json").read_text())}
    code, out, _ = say(capsys, "--data", "data", "--now")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("Run 2: promoted. log-loss ")
    assert f"champion {RunLog(folder / 'bundles').runs()[1].bundle}" in lines
    assert [line.split()[1] for line in lines if line.startswith("  passed")] == [
        "rows:",
        "members:",
        "loss:",
        "calibration:",
    ]
    code, out, _ = say(capsys, "--status", "--json")
    status = json.loads(out)
    assert [run["state"] for run in status["runs"]] == ["promoted", "promoted"]
    assert status["at_work"] is False
    code, out, _ = say(capsys, "--status")
    assert code == 0
    assert "Next: " in out
    assert out.splitlines()[0] == f"Retraining of bundles: 2 runs, champion {status['champion']}"


def test_a_run_that_fails_ends_with_one_and_an_error(folder, capsys):
    code, out, err = say(capsys, "--data", "none", "--now", "--json")
    assert code == 1
    assert "error" in json.loads(out)
    assert err.startswith("error: could not ")
    code, out, _ = say(capsys, "--status", "--json")
    assert json.loads(out)["runs"][0]["state"] == "failed"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no --data"),
        (("--status", "--now"), "--now"),
        (("--data", "data", "--json"), "--json"),
        (("--data", "data", "--to", "2024-03-08"), "--to"),
    ],
)
def test_options_that_do_not_belong_together_are_wrong_usage(folder, capsys, arguments, words):
    code, _, err = say(capsys, *arguments)
    assert code == 2
    assert words in err


def test_it_waits_for_the_schedule_and_ends_by_a_signal(folder, monkeypatch):
    monkeypatch.setenv("QUORATE_RETRAIN__CRON", "0 0 29 2 *")
    process = subprocess.Popen(
        [sys.executable, "-c", "from quorate.cli.app import run; run()", "retrain", "--data", "data"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    first = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    # The champion's training span ends on 2024-02-29, after the time of that day.
    assert first == "next retraining: 2028-02-29 00:00 UTC, the first since the champion's training span\n"
    assert RunLog(folder / "bundles").runs() == ()
