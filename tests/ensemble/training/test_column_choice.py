"""A bundle whose columns were chosen in training: which rows choose, and what is stored, loaded and refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.errors import BundleError, FeatureError
from quorate.core.progress import silent
from quorate.core.settings import AutoFeatureSettings, PolicySettings, Settings, TrainSettings
from quorate.ensemble.column_choice import CandidateRows, ColumnChoice
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.recipes import RECIPES
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.ensemble.training.training_data import prepare_training_data
from quorate.features import feature_set
from quorate.market import SyntheticMarket
from stubs.small_models import small_trees

MEMBERS = ("xgboost", "lightgbm")
COLUMNS = ("high_low_range", "rsi_14", "macd")
SETTINGS = replace(
    Settings(),
    models=small_trees(),
    train=TrainSettings(threads=1, features="auto", head="classes"),
    policy=PolicySettings(name="classic", refit="none"),
    auto_features=AutoFeatureSettings(candidates="core14"),
)


class Chooser:
    """Always the same columns; keeps the rows it was given."""

    def __init__(self, columns=COLUMNS):
        self.columns, self.seen = columns, None

    def __call__(self, rows: CandidateRows, progress) -> ColumnChoice:
        self.seen = rows
        return ColumnChoice(tuple(name for name in rows.columns if name in self.columns), {"folds": 3})


def prepared(panel, choose, models=MEMBERS, settings=SETTINGS):
    return prepare_training_data(panel, RECIPES["vote"], models, settings, None, None, choose, silent)


@pytest.fixture(scope="module")
def market():
    return SyntheticMarket(seed=5, symbols=2, bars=600, edge=0.3).panel()


@pytest.fixture(scope="module")
def trained(market, tmp_path_factory):
    chooser = Chooser()
    spec = TrainingSpec(models=MEMBERS, settings=SETTINGS, choose=chooser)
    return train_ensemble(market, "1h", spec, tmp_path_factory.mktemp("chosen"))


def test_columns_are_chosen_on_training_rows_alone(market):
    chooser = Chooser()
    data = prepared(market, chooser)
    seen = chooser.seen
    assert len(seen) == len(data.split.train)
    assert seen.columns == feature_set("core14").names
    later = data.dataset.time[np.concatenate([data.split.validation, data.split.test])]
    assert (seen.span_end < later.min()).all()
    # What follows the training part changes nothing of what the choice reads.
    seam = int(later.min())
    poisoned = {}
    for name, candles in market.items():
        after = candles.time >= seam
        shock = np.where(after, 3.0 + np.sin(np.arange(len(candles))), 1.0)
        parts = {side: getattr(candles, side) * shock for side in ("open", "high", "low", "close")}
        poisoned[name] = replace(candles, **parts)
    again = Chooser()
    prepared(poisoned, again)
    for field in ("X", "y", "time", "span_end", "symbol"):
        assert (getattr(again.seen, field) == getattr(seen, field)).all(), field


def test_members_that_look_columns_up_keep_them(market):
    chooser = Chooser()
    wide = replace(SETTINGS, auto_features=AutoFeatureSettings(candidates="core30"))
    prepared(market, chooser, ("lightgbm", "log_har"), wide)
    assert {"log_range_1", "log_range_24", "log_range_168"} <= chooser.seen.required
    assert not prepared(market, chooser).choice.figures.get("required")
    assert chooser.seen.required == frozenset()


def test_the_bundle_has_the_list_and_reads_no_other_column(trained, market):
    manifest = trained.manifest
    assert manifest.features == "columns+high_low_range+rsi_14+macd"
    assert manifest.feature_names == COLUMNS
    assert manifest.feature_hash == feature_set(manifest.features).hash
    assert manifest.metrics["features"] == {"folds": 3}
    assert manifest.settings["train"]["features"] == "auto"
    assert manifest.settings["auto_features"]["candidates"] == "core14"
    assert manifest.features_title == "a list of its own, chosen in training"
    bundle = load_bundle(trained.path)
    assert bundle.features.names == COLUMNS
    candles = next(iter(market.values()))
    assert len(bundle.predict(candles).votes) == 2


def test_a_bundle_trained_on_the_list_by_name_predicts_the_same(trained, market, tmp_path):
    """The rows differ by the warm-up alone, which here is that of a chosen column."""
    named = replace(SETTINGS, train=replace(SETTINGS.train, features=trained.manifest.features))
    start = int(trained.manifest.training_start)
    other = train_ensemble(market, "1h", TrainingSpec(models=MEMBERS, settings=named, start=start), tmp_path)
    candles = next(iter(market.values()))
    first, second = (
        load_bundle(path).predict_frame(candles, allow_training_span=True) for path in (trained.path, other.path)
    )
    for model in MEMBERS:
        np.testing.assert_array_equal(first.scores[model], second.scores[model])


def test_all_columns_are_the_set_itself(market):
    data = prepared(market, Chooser(feature_set("core14").names))
    assert data.features == feature_set("core14")
    assert data.choice is not None


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda features: features["names"].reverse(), "feature order: 'macd' at place 1"),
        (lambda features: features["names"].pop(), "2 features"),
        (lambda features: features.update(set="columns+high_low_range+macd+rsi_14"), "feature order"),
        (lambda features: features.update(set="columns"), "'columns'"),
        (lambda features: features.update(hash="0" * 64), "feature hash"),
    ],
)
def test_another_list_is_refused(trained, tmp_path, change, found):
    tree = json.loads((trained.path / "manifest.json").read_text())
    change(tree["features"])
    folder = tmp_path / "changed"
    folder.mkdir()
    for file in trained.path.iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    (folder / "manifest.json").write_text(json.dumps(tree, indent=1))
    with pytest.raises(BundleError, match=found):
        load_bundle(folder)


def test_auto_is_no_set_of_its_own(market):
    with pytest.raises(FeatureError, match="Only a training chooses columns"):
        feature_set("auto")
    with pytest.raises(FeatureError, match='"auto" without a function that chooses'):
        train_ensemble(market, "1h", TrainingSpec(models=MEMBERS, settings=SETTINGS), "nowhere")


def test_a_list_of_columns():
    found = feature_set("columns+rsi_14+obv")
    assert found.names == ("rsi_14", "obv")
    assert found.hash != feature_set("columns+obv+rsi_14").hash
    with pytest.raises(FeatureError, match="'rsi_14' twice"):
        feature_set("columns+rsi_14+rsi_14")
    with pytest.raises(FeatureError, match="neither in the catalogue"):
        feature_set("columns+rsi_15")
