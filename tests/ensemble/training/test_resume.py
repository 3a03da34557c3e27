"""Resuming a killed training: finished members are not trained again, and the bundle is the same."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import quorate
from quorate.ensemble.training.resume import FOLDER, FittedMember, UnfinishedTraining
from quorate.workflows.results.training import TrainResult
from stubs.small_training import SETTINGS, run_again

TESTS = Path(__file__).resolve().parents[2]

KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from stubs.small_training import run

def progress(title, done, total):
    if title.startswith("lightgbm") and done >= 3:
        os.kill(os.getpid(), signal.SIGKILL)

run(Path(sys.argv[2]), progress)
"""

AGAIN = """
import sys
from pathlib import Path
import quorate
assert Path(quorate.__file__).is_relative_to(sys.argv[3]), quorate.__file__
sys.path.insert(0, sys.argv[1])
from stubs.small_training import run_again

print(*sorted(run_again(Path(sys.argv[2]))[1]))
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder of bundles whose training was killed after XGBoost, during LightGBM."""
    out = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-c", KILLED, str(TESTS), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return out


@pytest.fixture
def interrupted(killed, tmp_path):
    return shutil.copytree(killed, tmp_path / "out")


def test_a_finished_member_is_not_trained_again_and_the_bundle_is_the_same(interrupted, tmp_path):
    (saved,) = interrupted.glob(f"{FOLDER}/*/xgboost.finished")
    seconds = json.loads((saved / "member.json").read_text())["seconds"]
    trained, names = run_again(interrupted)
    assert names == {"lightgbm"}
    assert [(member.model, member.earlier) for member in trained.members] == [("xgboost", True), ("lightgbm", False)]
    assert trained.members[0].seconds == seconds
    assert trained.members[0].metrics.keys() == {"validation", "test"}
    assert not saved.exists()
    models = TrainResult(trained).to_json()["models"]
    assert (models["xgboost"]["earlier"], models["lightgbm"]["earlier"]) == (True, False)
    whole, names = run_again(tmp_path / "whole")
    assert names == {"xgboost", "lightgbm"}
    assert whole.manifest.id == trained.manifest.id


def test_all_members_are_trained_after_a_change_of_settings(interrupted):
    _, names = run_again(
        interrupted, settings=replace(SETTINGS, train=replace(SETTINGS.train, seed=SETTINGS.train.seed + 1))
    )
    assert names == {"xgboost", "lightgbm"}


@pytest.mark.parametrize("altered", ["xgboost.ubj", "xgboost.onnx", "member.json", None])
def test_an_altered_or_incomplete_member_is_trained_again(interrupted, altered, caplog):
    (saved,) = interrupted.glob(f"{FOLDER}/*/xgboost.finished")
    if altered is None:
        (saved / "xgboost.onnx").unlink()
    else:
        content = (saved / altered).read_bytes()
        (saved / altered).write_bytes(content[:-20])
    trained, names = run_again(interrupted)
    assert names == {"xgboost", "lightgbm"}
    assert not any(member.earlier for member in trained.members)
    assert "xgboost" in caplog.text
    assert "trained again" in caplog.text


@pytest.mark.parametrize(("changed", "trained"), [(False, "lightgbm"), (True, "lightgbm xgboost")])
def test_all_members_are_trained_after_a_change_of_code(interrupted, tmp_path, changed, trained):
    source = shutil.copytree(Path(quorate.__file__).parent, tmp_path / "src" / "quorate")
    if changed:
        with (source / "features" / "price.py").open("a") as file:
            file.write("\n# another line\n")
    command = [sys.executable, "-c", AGAIN, str(TESTS), str(interrupted), str(source)]
    environment = {**os.environ, "PYTHONPATH": str(source.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == trained


def test_a_member_that_cannot_be_saved_does_not_stop_the_training(tmp_path, caplog):
    (tmp_path / FOLDER).write_text("no folder")
    unfinished = UnfinishedTraining(tmp_path, "f")
    unfinished.save("m", FittedMember({"m.x": b"1"}, {}, 1.0))
    assert "not saved for a resumed run" in caplog.text
    assert unfinished.finished("m") is None
