"""Trainings that end between the publication of their bundles and the promotion of one: killed, or unable to show their
result. Nothing is promoted early, and the next run ends as one that was never interrupted."""

import json
import os
import signal
import subprocess
import sys

import pytest

from quorate.ensemble.bundle.bundle_store import BundleStore

NAME = "SYNA/USDT:USDT"
ONE = ("--to", "2024-01-12")
SERIES = ("--to", "2024-02-01", "--rolling", "7d", "--window", "20d")
SETTINGS = {
    "QUORATE_TRAIN__THREADS": "1",
    "QUORATE_MODELS__XGBOOST__TREES": "3",
    "QUORATE_MODELS__LIGHTGBM__TREES": "3",
    "QUORATE_BUNDLE__EVIDENCE": "1",
}

# A process that ends itself just before an operation of the system, such as opening a file of a name.
KILLED = """
import os, re, signal, sys
event, named = sys.argv.pop(1), re.compile(sys.argv.pop(1))
def watch(seen, arguments):
    if seen == event and named.search(str(arguments[0])):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
"""

# A process whose result cannot be shown.
UNSHOWN = """
from quorate.workflows.results.{module} import {result}
def broken(self):
    raise TypeError("no figure")
{result}.to_json = broken
"""

RUN = "from quorate.cli.app import run; run()"


def train(world, out, *options, first="", watched=()):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("QUORATE_")}
    command = [sys.executable, "-c", first + RUN, *watched, "train", "--data", world.data, "--symbols", NAME]
    return subprocess.run(
        [*map(str, command), "--models", "xgboost,lightgbm", "--out", str(out), *options],
        capture_output=True,
        text=True,
        check=False,
        env={**inherited, **SETTINGS},
    )


@pytest.fixture(scope="module")
def whole(world, tmp_path_factory):
    """What is in a folder after each kind of training that was not interrupted."""
    made = {}
    for options in (ONE, SERIES):
        out = tmp_path_factory.mktemp("whole")
        done = train(world, out, *options, "--json")
        assert done.returncode == 0, done.stderr
        made[options] = (BundleStore(out).ids(), BundleStore(out).champion(), names(out))
    return made


def names(out):
    """Names in a folder of bundles."""
    return sorted(path.name for path in out.iterdir())


def changes(store):
    return [entry.action for entry in store.history() if entry.action != "publish"]


@pytest.mark.parametrize(
    ("options", "watched", "logged"),
    [
        (ONE, ("shutil.rmtree", r"/\.unfinished/\w+$"), ["promote"]),
        (ONE, ("open", r"/\.champion\."), ["promote", "interrupted", "promote"]),
        (ONE, ("os.rename", r"/\.champion\."), ["promote", "interrupted", "promote"]),
        (SERIES, ("open", r"/\.series\.json\."), ["promote"]),
        (SERIES, ("open", r"/\.champion\."), ["promote", "interrupted", "promote"]),
    ],
)
def test_a_training_that_was_killed_before_its_promotion_ends_with_the_right_champion(
    world, whole, tmp_path, options, watched, logged
):
    killed = train(world, tmp_path, *options, first=KILLED, watched=watched)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    store, (ids, champion, files) = BundleStore(tmp_path), whole[options]
    assert store.ids() == ids, "all of them were published before the kill"
    assert store.champion() is None
    again = train(world, tmp_path, *options, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["champion"]["id"] == champion == store.champion()
    assert store.ids() == ids
    assert [entry.id for entry in store.history() if entry.action == "publish"].count(champion) == 1
    assert changes(store) == logged
    assert [name for name in names(tmp_path) if not name.startswith(".champion.")] == files


@pytest.mark.parametrize(
    ("options", "module", "result"), [(ONE, "training", "TrainResult"), (SERIES, "training_series", "SeriesResult")]
)
def test_a_training_whose_result_cannot_be_shown_promotes_nothing(world, whole, tmp_path, options, module, result):
    failed = train(world, tmp_path, *options, "--json", first=UNSHOWN.format(module=module, result=result))
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["error"]["found"] == "an internal error (TypeError)"
    assert "no figure" in failed.stderr
    assert "error: internal error in quorate; run again with --debug and report it" in failed.stderr
    store, (ids, champion, files) = BundleStore(tmp_path), whole[options]
    assert store.champion() is None
    assert store.ids() == ids
    assert {entry.action for entry in store.history()} == {"publish"}
    assert names(tmp_path) == [name for name in files if name != "champion"]
    again = train(world, tmp_path, *options, "--json")
    assert again.returncode == 0, again.stderr
    assert store.champion() == champion
    assert store.ids() == ids
    assert changes(store) == ["promote"]
