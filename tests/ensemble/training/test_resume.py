"""A training that is killed: what was finished is not trained again, and the bundle is the one that would have been."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import quorate
from quorate.core.settings import LightGBMSettings, ModelSettings, Settings, TrainSettings, XGBoostSettings
from quorate.ensemble.training.resume import FOLDER, FittedMember, UnfinishedTraining
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket
from quorate.workflows.results.training import TrainResult

SETTINGS = replace(
    Settings(),
    models=ModelSettings(
        xgboost=XGBoostSettings(trees=20, l2_share=0.0), lightgbm=LightGBMSettings(trees=20, l2_share=0.0)
    ),
    train=TrainSettings(threads=1),
)

KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_resume import run

def tell(what, done, total):
    if what.startswith("lightgbm") and done >= 3:
        os.kill(os.getpid(), signal.SIGKILL)

run(Path(sys.argv[2]), tell)
"""

AGAIN = """
import sys
from pathlib import Path
import quorate
assert Path(quorate.__file__).is_relative_to(sys.argv[3]), quorate.__file__
sys.path.insert(0, sys.argv[1])
from test_resume import told_by

print(*sorted(told_by(Path(sys.argv[2]))[1]))
"""


def mean_loss(y, scores, prior, time, forward_return):
    del prior, time, forward_return
    return {"log_loss": float(-np.log(scores[np.arange(len(y)), y]).mean())}


def run(out, tell=lambda *_: None, settings=SETTINGS):
    panel = SyntheticMarket(seed=6, symbols=1, bars=500, edge=0.3).panel()
    return train_ensemble(
        panel,
        "1h",
        TrainingSpec(models=("xgboost", "lightgbm"), settings=settings, measure=mean_loss),
        out,
        progress=tell,
    )


def told_by(out, **changed):
    """A second run: the bundle, and the members that it trained."""
    heard = set()
    trained = run(out, lambda what, *_: heard.add(what.split()[0]), **changed)
    return trained, heard


@pytest.fixture(scope="module")
def killed(tmp_path_factory, request):
    """A folder of bundles whose only training was killed while LightGBM trained, XGBoost finished."""
    out = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-c", KILLED, str(request.path.parent), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return out


@pytest.fixture
def left(killed, tmp_path):
    return shutil.copytree(killed, tmp_path / "out")


def test_after_a_kill_the_finished_member_is_taken_and_the_bundle_is_the_same(left, tmp_path):
    (kept,) = left.glob(f"{FOLDER}/*/xgboost.finished")
    seconds = json.loads((kept / "member.json").read_text())["seconds"]
    trained, heard = told_by(left)
    assert heard == {"lightgbm"}
    assert [(member.model, member.earlier) for member in trained.members] == [("xgboost", True), ("lightgbm", False)]
    assert trained.members[0].seconds == seconds
    assert trained.members[0].metrics.keys() == {"validation", "test"}
    assert not kept.exists()
    told = TrainResult(trained).to_json()["models"]
    assert (told["xgboost"]["earlier"], told["lightgbm"]["earlier"]) == (True, False)
    whole, heard = told_by(tmp_path / "whole")
    assert heard == {"xgboost", "lightgbm"}
    assert whole.manifest.id == trained.manifest.id


def test_with_other_settings_everything_is_trained(left):
    _, heard = told_by(left, settings=replace(SETTINGS, train=replace(SETTINGS.train, seed=SETTINGS.train.seed + 1)))
    assert heard == {"xgboost", "lightgbm"}


@pytest.mark.parametrize("spoiled", ["xgboost.ubj", "xgboost.onnx", "member.json", None])
def test_what_is_not_whole_is_trained_again(left, spoiled, caplog):
    (kept,) = left.glob(f"{FOLDER}/*/xgboost.finished")
    if spoiled is None:
        (kept / "xgboost.onnx").unlink()
    else:
        content = (kept / spoiled).read_bytes()
        (kept / spoiled).write_bytes(content[:-20])
    trained, heard = told_by(left)
    assert heard == {"xgboost", "lightgbm"}
    assert not any(member.earlier for member in trained.members)
    assert "xgboost" in caplog.text
    assert "trained again" in caplog.text


@pytest.mark.parametrize(("changed", "trained"), [(False, "lightgbm"), (True, "lightgbm xgboost")])
def test_other_code_trains_everything(left, tmp_path, request, changed, trained):
    source = shutil.copytree(Path(quorate.__file__).parent, tmp_path / "src" / "quorate")
    if changed:
        with (source / "features" / "price.py").open("a") as file:
            file.write("\n# another line\n")
    command = [sys.executable, "-c", AGAIN, str(request.path.parent), str(left), str(source)]
    environment = {**os.environ, "PYTHONPATH": str(source.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == trained


def test_a_member_that_cannot_be_kept_costs_no_training(tmp_path, caplog):
    (tmp_path / FOLDER).write_text("no folder")
    unfinished = UnfinishedTraining(tmp_path, "f")
    unfinished.keep("m", FittedMember({"m.x": b"1"}, {}, 1.0))
    assert "not kept for another run" in caplog.text
    assert unfinished.finished("m") is None
