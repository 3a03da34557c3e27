"""Trainings that run at the same time, and what killed ones leave: one writer each, and nothing left for good."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quorate.core.errors import DataError
from quorate.ensemble.training.resume import FOLDER, FittedMember, UnfinishedTraining
from stubs.small_training import run, run_again

TESTS = Path(__file__).resolve().parents[2]
DAY_S = 86_400

# A training that stops in its second member until it is killed.
PAUSED = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from stubs.small_training import run

def progress(title, done, total):
    if title.startswith("lightgbm"):
        print("paused", flush=True)
        time.sleep(600)

run(Path(sys.argv[2]), progress)
"""


@pytest.fixture(scope="module")
def paused(tmp_path_factory):
    """A training in another process that is in its second member, and its folder of bundles."""
    out = tmp_path_factory.mktemp("paused")
    command = [sys.executable, "-c", PAUSED, str(TESTS), str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "paused\n"
    yield process, out
    process.kill()
    process.wait()
    process.stdout.close()


def age(folder, days):
    """Make everything in a folder so old."""
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (time.time() - days * DAY_S,) * 2)


def killed(out, name, days):
    """The folder of a training that was killed so long ago."""
    training = UnfinishedTraining(out, name)
    with training.running():
        training.save("m", FittedMember({"m.x": b"1"}, {}, 1.0))
    age(training.folder, days)
    return training.folder


def test_the_same_training_is_refused_while_it_runs_and_resumed_after_a_kill(paused):
    process, out = paused
    (state,) = (out / FOLDER).iterdir()
    before = sorted(path.name for path in state.iterdir())
    with pytest.raises(DataError, match="another process that is writing into it") as caught:
        run(out)
    assert str(state) in str(caught.value)
    assert "Wait for the other training of the same bundle, or end it." in str(caught.value)
    assert sorted(path.name for path in state.iterdir()) == before
    age(state, 15)
    with UnfinishedTraining(out, "another").running():
        assert state.is_dir(), "however long a member takes: it is running"
    process.send_signal(signal.SIGKILL)
    process.wait()
    trained, names = run_again(out)
    assert names == {"lightgbm"}
    assert [member.earlier for member in trained.members] == [True, False]
    assert not state.exists()


def test_abandoned_folders_are_removed_by_the_next_training(tmp_path):
    abandoned, recent = killed(tmp_path, "abandoned", 15), killed(tmp_path, "recent", 13)
    changed = killed(tmp_path, "changed", 15)
    os.utime(changed / "m.finished" / "m.x", (time.time() - 13 * DAY_S,) * 2)
    mine = killed(tmp_path, "mine", 15)
    elsewhere = shutil.copytree(recent, tmp_path / "elsewhere")
    age(elsewhere, 15)
    (tmp_path / FOLDER / "link").symlink_to(elsewhere)
    with UnfinishedTraining(tmp_path, "mine").running():
        assert not abandoned.exists()
        assert recent.is_dir()
        assert changed.is_dir()
        assert (mine / "m.finished").is_dir(), "it is resumed, however old"
    assert (elsewhere / "m.finished").is_dir()


def test_a_training_ends_by_removing_its_own_folder_only(tmp_path):
    training, other = UnfinishedTraining(tmp_path, "mine"), killed(tmp_path, "other", 1)
    with training.running():
        training.remove()
    assert sorted((tmp_path / FOLDER).iterdir()) == [other]
    shutil.rmtree(other)
    with training.running():
        training.remove()
    assert not (tmp_path / FOLDER).exists()


def test_a_folder_that_cannot_be_created_is_refused_before_the_training(tmp_path):
    (tmp_path / FOLDER).write_text("no folder")
    stages = []
    with pytest.raises(DataError, match="expected a writable folder"):
        run(tmp_path, lambda *stage: stages.append(stage))
    assert not stages
