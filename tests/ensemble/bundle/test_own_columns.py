"""Bundles trained on user-defined columns: the manifest, and loading."""

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from ensemble.conftest import SETTINGS
from quorate.core.clock import HOUR_MS
from quorate.core.errors import BundleError, FeatureError
from quorate.core.settings import FeatureSettings
from quorate.core.user_modules import source_digest
from quorate.ensemble.bundle import BundleStore
from quorate.ensemble.bundle import bundle_files as storage
from quorate.ensemble.bundle.manifest import FILE_NAME, Manifest
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.series import load, publish
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.features import build, feature_set
from quorate.market.synthetic import SyntheticMarket

SOURCE = """
from quorate.features.own import feature


@feature(name="gap", warmup=1)
def gap(bars):
    return bars.open[1:] / bars.close[:-1] - 1


@feature(name="distance_60", warmup=59)
def distance(bars):
    return bars.close[59:] / bars.mean_close(60) - 1
"""

FEATURES = "core14+gap+distance_60"
TRAIN_BARS = 700


def files(folder, text=SOURCE, name="my_features.py"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return FeatureSettings([str(path)])


def train(panel, settings, out, end):
    given = replace(SETTINGS, features=settings, train=replace(SETTINGS.train, features=FEATURES))
    return train_ensemble(panel, "1h", TrainingSpec(models=("xgboost", "lightgbm"), settings=given, end=end), out)


@pytest.fixture(scope="module")
def owned(tmp_path_factory):
    """A bundle with own columns, the settings that provide them, and candles that it was not trained on."""
    folder = tmp_path_factory.mktemp("own")
    market = SyntheticMarket(seed=5, symbols=2, bars=1_000, edge=0.3)
    panel, settings = market.panel(), files(folder)
    end = int(market.candles(market.names[0]).time[TRAIN_BARS])
    trained = train(panel, settings, folder / "bundles", end)
    return SimpleNamespace(
        trained=trained, settings=settings, panel=panel, candles=market.candles(market.names[0]), end=end
    )


def test_the_manifest_records_the_columns_and_the_digest_of_their_source(owned):
    tree = json.loads((owned.trained.path / FILE_NAME).read_text())
    digest = source_digest(SOURCE.encode())
    wanted = feature_set(FEATURES, owned.settings)
    assert tree["features"] == {
        "set": FEATURES,
        "names": list(wanted.names),
        "hash": wanted.hash,
        "own": [
            {"name": "gap", "warmup": 1, "module": "my_features.py", "digest": digest},
            {"name": "distance_60", "warmup": 59, "module": "my_features.py", "digest": digest},
        ],
    }
    manifest, _ = storage.read(owned.trained.path)
    assert manifest == owned.trained.manifest
    assert manifest.own_columns == wanted.own
    # 59 warm-up rows instead of 49, and 5 without a future, of each symbol.
    assert manifest.rows["labelled"] == 2 * (TRAIN_BARS - 59 - 5)


def test_a_bundle_without_own_columns_records_none(world):
    tree = json.loads((world.trained.path / FILE_NAME).read_text())
    assert set(tree["features"]) == {"set", "names", "hash"}


def test_the_same_source_in_another_folder_gives_the_same_bundle(owned, tmp_path):
    again = train(owned.panel, files(tmp_path / "elsewhere"), tmp_path / "bundles", owned.end)
    assert again.manifest.id == owned.trained.manifest.id


def test_live_and_frame_read_the_own_columns(owned):
    bundle = load_bundle(owned.trained.path, features=owned.settings)
    candles = owned.candles
    X = build(candles, feature_set(FEATURES, owned.settings))
    scores = bundle.members.sessions["xgboost"].run(X[-1:])
    signal = bundle.predict(candles.tail(498), now=int(candles.time[-1]) + HOUR_MS)
    vote = next(vote for vote in signal.votes if vote.model == "xgboost")
    assert vote.score == pytest.approx(float(scores.max()), rel=1e-5)
    frame = bundle.predict_frame(candles)
    np.testing.assert_allclose(frame.scores["xgboost"][-1], scores[0], rtol=1e-6)
    # The trees use them: other values give other scores.
    rows, run = X[100:], bundle.members.sessions["xgboost"].run
    moved = rows.copy()
    moved[:, -2:] = moved[::-1, -2:]
    assert (run(rows) != run(moved)).any()


def test_a_bundle_is_refused_where_its_columns_are_missing(owned):
    with pytest.raises(BundleError) as refused:
        load_bundle(owned.trained.path)
    for word in (
        f"load the bundle {owned.trained.path}",
        "no column gap, distance_60;",
        "gap of my_features.py, distance_60 of my_features.py",
        "[features] modules = ",
    ):
        assert word in str(refused.value)


def test_one_missing_column_is_named_alone(owned, tmp_path):
    half = SOURCE[: SOURCE.index('@feature(name="distance_60"')]
    with pytest.raises(BundleError, match=r"no column distance_60; expected .*: distance_60 of my_features\.py"):
        load_bundle(owned.trained.path, features=files(tmp_path, half))


@pytest.mark.parametrize(
    "text", [SOURCE + "# a comment\n", SOURCE.replace("warmup=59", "warmup=60"), SOURCE.replace("open[1:]", "high[1:]")]
)
def test_a_bundle_is_refused_where_their_source_has_changed(owned, tmp_path, text):
    with pytest.raises(BundleError) as refused:
        load_bundle(owned.trained.path, features=files(tmp_path, text))
    was, found = source_digest(SOURCE.encode())[:16], source_digest(text.encode())[:16]
    for word in ("the column gap of my_features.py", found, was, "Restore my_features.py as it was, or train again"):
        assert word in str(refused.value)


def test_a_file_of_other_line_ends_is_the_same_source(owned, tmp_path):
    path = tmp_path / "windows.py"
    path.write_bytes(SOURCE.replace("\n", "\r\n").encode())
    assert load_bundle(owned.trained.path, features=FeatureSettings([str(path)])).mode == "full"


def test_a_store_lists_and_verifies_without_the_columns(owned):
    # In a process of its own: here they have been loaded already.
    code = f"""
import sys
from pathlib import Path
from quorate.ensemble.bundle import BundleStore
store = BundleStore(Path({str(owned.trained.path.parent)!r}))
(name,) = store.ids()
print(store.verify(name).own_columns[0].name, store.manifest(name).id == name)
print([name for name in sys.modules if "my_features" in name])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["gap True", "[]"]


def test_an_altered_record_is_refused(owned, tmp_path):
    content = (owned.trained.path / FILE_NAME).read_text()
    for before, after, words in (
        ('"module": "my_features.py"', '"module": 3', "features.own.0.module is 3"),
        ('"name": "gap",', "", "features.own.0.name is None"),
        ('"name": "gap",', '"name": "gaps",', "the column 'gap' neither in the catalogue"),
        (source_digest(SOURCE.encode()), "0" * 64, "feature hash"),
    ):
        assert before in content
        with pytest.raises(BundleError) as refused:
            Manifest.parse(content.replace(before, after, 1).encode(), tmp_path / FILE_NAME)
        assert words in f"{refused.value}"


def test_a_column_that_leaks_trains_no_bundle(owned, tmp_path):
    leak = SOURCE.replace("bars.open[1:] / bars.close[:-1] - 1", "bars.close / bars.close.mean() - 1")
    with pytest.raises(FeatureError, match=r"'gap' of my_features\.py: found in the check 'truncation'"):
        train(owned.panel, files(tmp_path, leak), tmp_path / "bundles", owned.end)
    assert not (tmp_path / "bundles").exists()


def test_a_series_needs_them_as_its_bundles_do(owned, tmp_path):
    out = tmp_path / "bundles"
    ids = [train(owned.panel, owned.settings, out, owned.end + days * 24 * HOUR_MS).manifest.id for days in (0, 4)]
    path, _ = publish(BundleStore(out), ids)
    series = load(path, features=owned.settings)
    frame = series.predict_frame(owned.candles)
    for bundle, part in series.parts(frame):
        alone = bundle.predict_frame(owned.candles).between(int(part.time[0]), int(part.time[-1]) + 1)
        np.testing.assert_array_equal(alone.scores["lightgbm"], part.scores["lightgbm"])
    # Its file is read without them; its bundles are not loaded.
    with pytest.raises(BundleError, match="no column gap, distance_60;"):
        load(path).predict_frame(owned.candles)


def test_no_file_of_the_settings_is_read_for_other_bundles(world, tmp_path):
    missing = FeatureSettings([str(tmp_path / "missing.py")])
    assert load_bundle(world.trained.path, features=missing).mode == "full"
