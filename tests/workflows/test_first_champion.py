"""Who is champion after a training: nobody before it is complete and measured on enough rows, and never by surprise."""

import base64
import json
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from quorate.core.errors import BundleError
from quorate.core.settings import (
    BundleSettings,
    LightGBMSettings,
    ModelSettings,
    Settings,
    TrainSettings,
    XGBoostSettings,
)
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.workflows.bundles import promote_bundle
from quorate.workflows.train import train
from quorate.workflows.train_rolling import train_rolling

NAME = "SYNA/USDT:USDT"
SHORT = {"models": "xgboost,lightgbm", "symbols": NAME}


# A rolling training that is killed in its second window.
KILLED = f"""
import os, signal, sys
from quorate.core.settings import (
    BundleSettings, LightGBMSettings, ModelSettings, Settings, TrainSettings, XGBoostSettings,
)
from quorate.workflows.train_rolling import train_rolling

few = ModelSettings(xgboost=XGBoostSettings(trees=3), lightgbm=LightGBMSettings(trees=3))

def kill(stage, done, total):
    if stage.startswith("bundle 2/2"):
        os.kill(os.getpid(), signal.SIGKILL)

train_rolling(
    sys.argv[1], sys.argv[2], every="7d", window="20d", end="2024-02-01", models="xgboost,lightgbm",
    symbols={NAME!r}, progress=kill,
    settings=Settings(models=few, train=TrainSettings(threads=1), bundle=BundleSettings(evidence=1)),
)
"""


def settings(evidence):
    few = ModelSettings(xgboost=XGBoostSettings(trees=3), lightgbm=LightGBMSettings(trees=3))
    return Settings(models=few, train=TrainSettings(threads=1), bundle=BundleSettings(evidence=evidence))


def roll(world, out, **options):
    return train_rolling(world.data, out, every="7d", window="20d", end="2024-02-01", **SHORT, **options)


def test_eleven_days_are_published_with_na_and_not_champion(world, tmp_path):
    made = train(world.data, tmp_path, end="2024-01-12", settings=settings(100), **SHORT)
    assert made.manifest.rows["test"] < 100
    assert made.champion.id is None
    assert f"not champion: measured on {made.manifest.rows['test']} test rows" in made.champion.note
    assert f"quorate bundle promote {made.id} --bundles {tmp_path}" in made.champion.note
    assert json.loads(json.dumps(made.to_json()))["champion"] == {"id": None, "note": made.champion.note}
    assert str(made)
    assert made.path.is_dir()
    assert BundleStore(tmp_path).champion() is None
    promote_bundle(tmp_path, made.id)
    assert train(world.data, tmp_path, end="2024-01-12", settings=settings(100), **SHORT).champion.id == made.id


def test_a_later_training_leaves_the_champion_and_names_it(world, tmp_path):
    first = train(world.data, tmp_path, end="2024-01-12", settings=settings(1), **SHORT)
    assert first.champion.id == first.id == BundleStore(tmp_path).champion()
    second = train(world.data, tmp_path, end="2024-01-13", settings=settings(1), **SHORT)
    assert second.champion.id == first.id != second.id
    note = f"champion is still {first.id}; promote the new bundle with: quorate bundle promote {second.id}"
    assert second.champion.note.startswith(note)
    assert BundleStore(tmp_path).champion() == first.id


def test_a_first_bundle_that_loading_would_refuse_is_published_and_not_champion(world, tmp_path):
    key = base64.b64encode(bytes(range(32))).decode()
    given = replace(settings(1), bundle=BundleSettings(evidence=1, trusted_keys=(key,)))
    made = train(world.data, tmp_path, end="2024-01-12", settings=given, **SHORT)
    assert BundleStore(tmp_path).ids() == (made.id,)
    assert made.champion.id is BundleStore(tmp_path).champion() is None
    assert made.champion.note == (
        "not champion: found no signature; expected a signature by a key of the setting bundle.trusted_keys, or the "
        "key that was given; there is no champion. Sign it, if it is yours: quorate bundle sign BUNDLE --key "
        f"private.pem. Then: quorate bundle promote {made.id} --bundles {tmp_path}"
    )


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_series_that_was_killed_ends_with_the_newest_unless_one_was_promoted(world, tmp_path, by_hand):
    done = subprocess.run([sys.executable, "-c", KILLED, world.data, tmp_path], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    store = BundleStore(tmp_path)
    (oldest,) = store.ids()
    assert store.champion() is None
    if by_hand:
        store.promote(oldest)
    series = roll(world, tmp_path, settings=settings(1))
    newest = series.bundles[-1].id
    assert series.bundles[0].id == oldest
    assert store.champion() == series.champion.id == (oldest if by_hand else newest)
    assert series.to_json()["champion"]["id"] == series.champion.id
    assert (f"still {oldest}" in series.champion.note) == by_hand


def test_a_damaged_pointer_is_an_error_before_the_training(world, tmp_path):
    (tmp_path / "champion").write_text("gone\n")
    stages = []
    with pytest.raises(BundleError, match="'gone'"):
        train(world.data, tmp_path, progress=lambda *args: stages.append(args), end="2024-01-12", **SHORT)
    assert not stages
