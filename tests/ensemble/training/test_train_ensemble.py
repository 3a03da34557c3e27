"""Training of an ensemble: determinism, no look-ahead, and members that fail."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from quorate import load_bundle
from quorate.core.clock import HOUR_MS
from quorate.core.errors import ModelError
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket
from quorate.models import registry
from quorate.models.trees import lightgbm


def again(world, out, panel=None, **kwargs):
    defaults = {"models": ("xgboost", "lightgbm"), "settings": world.settings, "end": world.seam}
    two = dict(list((panel or world.panel).items())[:2])
    return train_ensemble(two, "1h", TrainingSpec(measure=lambda *_: {"log_loss": 1.0}, **{**defaults, **kwargs}), out)


def test_the_same_seed_gives_the_same_bundle_and_another_seed_another(world, tmp_path):
    first, second = again(world, tmp_path / "a"), again(world, tmp_path / "b")
    assert first.manifest.id == second.manifest.id
    other = replace(world.settings, train=replace(world.settings.train, seed=8))
    assert again(world, tmp_path / "c", settings=other).manifest.id != first.manifest.id


def test_candles_after_the_end_do_not_change_the_bundle(world, tmp_path):
    poisoned = {}
    for symbol, candles in world.panel.items():
        late = candles.time >= world.seam
        columns = {n: np.where(late, 3.0, 1.0) * getattr(candles, n) for n in ("open", "high", "low", "close")}
        poisoned[symbol] = replace(candles, **columns)
    assert again(world, tmp_path, poisoned).manifest.id == again(world, tmp_path).manifest.id


def poisoned_after(world, last):
    """The panel with other prices after a bar."""
    changed = {}
    for symbol, candles in world.panel.items():
        factor = np.where(candles.time > last, 3.0, 1.0)
        changed[symbol] = replace(
            candles, **{name: factor * getattr(candles, name) for name in ("open", "high", "low", "close")}
        )
    return changed


def files_of(trained, names=None):
    return {name: digest for name, digest in trained.manifest.files.items() if names is None or name in names}


def test_a_training_is_described_by_rows_that_were_used(world, tmp_path):
    described = []

    def describe(names, X, time, held_out):
        described.append((names, X, time, held_out))
        return {"description.json": b"{}"}

    trained = again(world, tmp_path, settings=world.calibrated_settings, describe=describe).manifest
    ((names, X, time, held_out),) = described
    assert names == trained.feature_names
    assert X.shape == (len(time), len(names))
    assert "description.json" in trained.files
    # The test part is watched and measured later: it sets no limit.
    assert time.max() < held_out.time.max() <= trained.used_until
    assert len(held_out.y) == len(held_out.time) == len(held_out.probabilities) > 0


def test_nothing_but_figures_depends_on_bars_after_those_that_were_used(world, calibrated, tmp_path):
    known = calibrated.manifest
    assert known.training_start < known.fitted_until < known.used_until < known.training_end
    settings, native = world.calibrated_settings, [member.native for member in known.members]
    after_all = again(world, tmp_path, poisoned_after(world, known.used_until), settings=settings)
    assert files_of(after_all) == files_of(calibrated)
    after_fit = again(world, tmp_path, poisoned_after(world, known.fitted_until), settings=settings)
    assert files_of(after_fit, native) == files_of(calibrated, native)
    assert files_of(after_fit)["calibration.json"] != files_of(calibrated)["calibration.json"]
    before = again(world, tmp_path, poisoned_after(world, known.fitted_until - 100 * HOUR_MS), settings=settings)
    assert not set(files_of(before, native).values()) & set(files_of(calibrated, native).values())


def test_the_parts_are_purged(world):
    rows = world.trained.manifest.rows
    assert rows["labelled"] > rows["train"] + rows["validation"] + rows["test"]
    # Two symbols, five rows of horizon purged at each of two boundaries.
    assert rows["labelled"] - rows["train"] - rows["validation"] - rows["test"] == 2 * 2 * 5
    assert sum(world.trained.manifest.class_prior) == pytest.approx(1)


class Broken(lightgbm.LightGBM):
    name = "broken"

    def fit(self, X, y, **_):
        raise ModelError("fit broken", found="a member that cannot learn")


@pytest.fixture
def with_broken(monkeypatch):
    monkeypatch.setitem(registry._BUILT_IN, "broken", ("broken_member", "Broken"))
    monkeypatch.setitem(sys.modules, "broken_member", SimpleNamespace(Broken=Broken))


@pytest.mark.usefixtures("with_broken")
def test_a_member_that_fails_does_not_stop_the_others(world, tmp_path):
    trained = again(world, tmp_path, models=("xgboost", "broken", "lightgbm"))
    assert trained.mode == "partial"
    assert [member.ok for member in trained.members] == [True, False, True]
    assert "cannot learn" in trained.members[1].failure
    bundle = load_bundle(trained.path)
    assert bundle.mode == "partial"
    assert bundle.status() == {"xgboost": True, "broken": False, "lightgbm": True}
    signal = bundle.predict(world.panel["SYNA/USDT:USDT"], now=world.now)
    assert [(a.model, "cannot learn" in a.reason) for a in signal.abstentions] == [("broken", True)]


@pytest.mark.usefixtures("with_broken")
def test_fewer_than_two_members_are_an_error_with_the_reasons(world, tmp_path):
    with pytest.raises(ModelError, match="broken: could not fit broken: found a member that cannot learn"):
        again(world, tmp_path, models=("broken", "lightgbm"))
    assert not list(tmp_path.iterdir())


def test_one_member_alone_is_a_full_ensemble_of_one(world, tmp_path):
    assert again(world, tmp_path, models=("lightgbm",)).mode == "full"


@pytest.mark.parametrize("models", [(), ("xgboost", "xgboost"), ("nobody",)])
def test_invalid_models_are_an_error(world, tmp_path, models):
    with pytest.raises(ModelError):
        again(world, tmp_path, models=models)


@pytest.mark.parametrize(("edge", "found"), [(0.0, False), (0.3, True)])
def test_direction_is_learned_from_a_market_with_an_edge_and_not_from_a_random_walk(world, tmp_path, edge, found):
    market = SyntheticMarket(seed=11, symbols=6, bars=1_500, edge=edge)
    z_scores = []

    def measure(y, scores, prior, time, forward_return):
        # Labels of five bars overlap, so about every fifth row is independent.
        ic = np.corrcoef(scores[:, 2] - scores[:, 0], forward_return)[0, 1]
        z_scores.append(ic * np.sqrt(len(y) / 5))
        return {}

    train_ensemble(
        market.panel(), "1h", TrainingSpec(models=("lightgbm",), settings=world.settings, measure=measure), tmp_path
    )
    assert len(z_scores) == 2
    assert (min(z_scores) > 4) if found else (max(np.abs(z_scores)) < 4)
