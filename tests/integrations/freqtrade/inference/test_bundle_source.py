"""Loading and replacement of a strategy's bundle."""

import logging
import shutil

import pytest

from integrations.freqtrade.conftest import train_trees
from quorate import load_bundle
from quorate.core.errors import FreqtradeError
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.series import publish
from quorate.integrations.freqtrade import BundleSource, Forecaster


@pytest.fixture
def bundles(world, tmp_path):
    """A folder of two bundles; the first is the champion."""
    folder = tmp_path / "bundles"
    shutil.copytree(world.bundles, folder)
    other = train_trees(world.panel, "1h", folder, world.train_end, trees=3)
    return folder, BundleStore(folder).champion(), other.manifest.id


def test_the_champion_is_loaded_and_replaced_by_a_new_one(make_options, bundles):
    folder, first, second = bundles
    source = BundleSource(make_options(bundle=str(folder)))
    assert source.bundle is None
    source.start()
    assert (source.id, source.mode, source.models, source.horizon) == (first, "full", ("xgboost", "lightgbm"), 5)
    assert not source.refresh()
    BundleStore(folder).promote(second)
    assert source.refresh()
    assert source.id == second
    assert not source.refresh()


def test_a_corrupt_bundle_is_not_used_and_is_logged_once(make_options, bundles, caplog):
    folder, first, second = bundles
    source = BundleSource(make_options(bundle=str(folder)))
    source.start()
    BundleStore(folder).promote(second)
    (folder / second / "lightgbm.onnx").write_bytes(b"no graph")
    with caplog.at_level(logging.ERROR):
        assert not source.refresh()
        assert not source.refresh()
    assert source.id == first
    messages = [record.message for record in caplog.records if "stays in use" in record.message]
    assert len(messages) == 1
    assert "lightgbm.onnx altered" in messages[0]
    assert first in messages[0]


def test_the_bundle_stays_in_use_without_a_valid_champion_or_folder(make_options, bundles):
    folder, first, _ = bundles
    source = BundleSource(make_options(bundle=str(folder)))
    source.start()
    (folder / "champion").write_text("nonsense\n")
    assert not source.refresh()
    assert source.id == first
    shutil.rmtree(folder)
    assert not source.refresh()
    assert source.id == first


def test_a_repaired_bundle_is_loaded(make_options, bundles):
    folder, _, second = bundles
    source = BundleSource(make_options(bundle=str(folder)))
    source.start()
    manifest = folder / second / "manifest.json"
    content = manifest.read_bytes()
    BundleStore(folder).promote(second)
    manifest.write_bytes(content[:-40])
    assert not source.refresh()
    manifest.write_bytes(content)
    assert source.refresh()
    assert source.id == second


def test_a_start_without_a_bundle_is_refused_unless_the_fallback_is_rules(make_options, tmp_path, caplog):
    with pytest.raises(FreqtradeError) as refused:
        BundleSource(make_options(bundle="nowhere")).start()
    assert "nowhere" in str(refused.value)
    assert "no such folder" in str(refused.value)
    assert "quorate train --out" in str(refused.value)
    source = BundleSource(make_options(bundle="nowhere", fallback="rules"))
    source.start()
    assert (source.id, source.mode, source.models) == ("rules", "none", ())
    assert "they are not a model" in caplog.text


def test_a_policy_that_the_bundle_does_not_have_is_refused(make_options):
    with pytest.raises(FreqtradeError, match="calibrated"):
        BundleSource(make_options(policy="calibrated")).start()


def test_a_series_decides_each_bar_by_the_newest_bundle_trained_before_it(world, make_options, tmp_path, caplog):
    folder, hour = tmp_path / "series", 3_600_000
    ids = [
        train_trees(world.panel, "1h", folder, world.train_end + later * hour).manifest.id for later in (0, 300, 600)
    ]
    path, name = publish(BundleStore(folder), ids)
    options = make_options(bundle=str(path))
    source = BundleSource(options)
    source.start()
    assert (source.id, source.models) == (name, ("xgboost", "lightgbm"))
    forecaster = Forecaster(options, source)
    pair = "BTC/USDT:USDT"
    columns = forecaster.columns(world.panel[pair].to_pandas(), pair, "1h")
    time = world.panel[pair].time
    # Labels end inside the training span: a bundle's first bar is the one after the last close that it was trained on.
    assert not columns["quorate_action"][time < world.train_end].any()
    assert "no entries before 2024-01-30 04:00" in caplog.text
    bundles = [load_bundle(folder / one) for one in ids]
    for bundle, first, last in zip(bundles, (0, 300, 600), (300, 600, 1_000), strict=True):
        rows = (time >= world.train_end + first * hour) & (time < world.train_end + last * hour)
        expected = bundle.predict_frame(world.panel[pair], allow_training_span=True)
        assert (columns["quorate_action"][rows] == expected.action[rows].astype(int) - 1).all()
        assert columns["quorate_action"][rows].any()


def test_a_series_without_its_bundles_is_refused(world, make_options, tmp_path):
    folder = tmp_path / "series"
    shutil.copytree(world.bundles, folder)
    path, _ = publish(BundleStore(folder), BundleStore(folder).ids())
    shutil.rmtree(folder / BundleStore(folder).ids()[0])
    with pytest.raises(FreqtradeError, match=r"load the series|find the bundle"):
        BundleSource(make_options(bundle=str(path))).start()
