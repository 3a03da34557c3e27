"""`features="auto"` in training and in a walk-forward, as functions and on the command line."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

import quorate
from quorate.cli.app import main
from quorate.core.errors import ArgumentError, FeatureError
from quorate.features import feature_names
from quorate.workflows.runs.trials import RunRecord
from quorate.workflows.train import train
from quorate.workflows.train_rolling import train_rolling
from quorate.workflows.walk_forward import walk_forward
from workflows.conftest import SMALL

SYMBOLS = ("SYNA/USDT:USDT", "SYNB/USDT:USDT")
ONE = {"models": "lightgbm,xgboost", "features": "auto", "symbols": SYMBOLS}
FEW_FITS = {
    "QUORATE_AUTO_FEATURES__CANDIDATES": "core14",
    "QUORATE_AUTO_FEATURES__FOLDS": "2",
    "QUORATE_AUTO_FEATURES__REPEATS": "1",
    "QUORATE_AUTO_FEATURES__TREES": "5",
    "QUORATE_AUTO_FEATURES__FEWEST": "3",
}


@pytest.fixture(autouse=True)
def few_fits(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FEW_FITS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def walked(world: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("auto"))
        for name, value in (SMALL | FEW_FITS).items():
            patch.setenv(name, value)
        return walk_forward(world.data, folds=2, record=RunRecord(log=False), **ONE)


def test_a_bundle_says_what_was_chosen_and_why(
    world: SimpleNamespace, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    made = train(world.data, tmp_path / "made", end=world.end, **ONE)
    manifest = made.manifest
    assert 3 <= len(manifest.feature_names) < 14
    assert manifest.features == "+".join(("columns", *manifest.feature_names))
    assert [name for name in feature_names("core14") if name in manifest.feature_names] == list(manifest.feature_names)
    chosen = manifest.metrics["features"]
    assert chosen["kept"]["columns"] == len(manifest.feature_names)
    assert sorted(name for group in chosen["groups"] for name in group["kept"]) == sorted(manifest.feature_names)
    again = train(world.data, tmp_path / "again", end=world.end, **ONE)
    assert again.id == made.id
    signal = quorate.load_bundle(made.path).predict(world.market.candles(SYMBOLS[0]))
    assert len(signal.votes) == 2
    assert main(["bundle", "show", made.id, "--bundles", str(tmp_path / "made")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "of 14 columns chosen: rise of the loss x 1,000" in shown
    assert f"a list of its own, chosen in training, {len(manifest.feature_names)} columns" in shown
    assert "removed" in shown
    assert f"columns: {', '.join(manifest.feature_names)}" in shown
    card = (made.path / "card.md").read_text()
    assert "chosen in training" in card
    assert "[auto_features]" in card


def test_a_walk_chooses_in_every_fold(walked: Any, tmp_path: Any) -> None:
    found = walked.document["feature_selection"]
    assert json.loads(json.dumps(found)) == found
    assert [fold["fold"] for fold in found["folds"]] == [1, 2]
    assert {row["column"] for row in found["columns"]} == set(feature_names("core14"))
    assert walked.document["features"] == "auto"
    page = tmp_path / "page.html"
    walked.report(page)
    text = page.read_text()
    assert "Columns chosen by fold: " in text
    assert "top 10 of 14 columns" in text
    assert "Nogueira" in text


def test_a_series_has_the_columns_of_its_first_window(world: SimpleNamespace, tmp_path: Any) -> None:
    series = train_rolling(world.data, tmp_path, every="7d", window="20d", end="2024-01-29", **ONE)
    first, *later = (bundle.manifest for bundle in series.bundles)
    assert later
    assert first.features.startswith("columns+")
    assert {manifest.feature_hash for manifest in later} == {first.feature_hash}
    assert "features" in first.metrics
    assert all("features" not in manifest.metrics for manifest in later)


def test_a_stack_is_fitted_on_the_rows_that_would_choose(world: SimpleNamespace, tmp_path: Any) -> None:
    with pytest.raises(FeatureError, match="a stack is fitted on predictions of the rows"):
        train(world.data, tmp_path, recipe="stack", end=world.end, **ONE)


def test_nothing_is_fitted_on_scores_of_the_rows_that_choose(world: SimpleNamespace, tmp_path: Any) -> None:
    made = train(world.data, tmp_path, end=world.end, **ONE)
    found = made.manifest.metrics["probabilities"]
    assert found["rows"]["out_of_fold"] == 0
    assert found["evidence"]["left_out"] == dict.fromkeys(("lightgbm", "xgboost"), 'policy.refit "none"')


def test_what_cannot_be_a_feature_set_is_refused(
    world: SimpleNamespace, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ArgumentError, match='"auto" to have columns chosen'):
        train(world.data, tmp_path, features=["rsi_14"], symbols=SYMBOLS)  # type: ignore[arg-type]
    with pytest.raises(FeatureError, match=r"columns\+NAME\+NAME"):
        walk_forward(world.data, features="core15", symbols=SYMBOLS)
    asked = ["evaluate", "--data", str(world.data), "--bundle", str(world.bundle), "--features", "auto"]
    assert main(asked) == 2
    assert "found --features; expected none of" in " ".join(capsys.readouterr().err.split())
