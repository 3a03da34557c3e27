"""A series whose networks begin at the weights of an earlier bundle."""

from dataclasses import replace

import pytest

from quorate import load_bundle
from quorate.core.clock import DAY_MS
from quorate.core.settings import ModelSettings, NHiTSSettings, XGBoostSettings
from quorate.ensemble.bundle.bundle_files import read_file
from quorate.ensemble.training.earlier_training import EarlierTraining
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market import SyntheticMarket
from stubs.small_training import SETTINGS

DAYS = 25


def settings(warm_epochs=1):
    nhits = NHiTSSettings(window=12, hidden=(8, 8, 8), epochs=1, warm_epochs=warm_epochs)
    return replace(SETTINGS, models=ModelSettings(xgboost=XGBoostSettings(trees=5, depth=2), nhits=nhits))


@pytest.fixture(scope="module")
def market():
    return SyntheticMarket(seed=3, symbols=2, bars=24 * 60, edge=0.3).panel()


def trained(market, out, day, own, earlier=()):
    begin = int(next(iter(market.values())).time[0]) + day * DAY_MS
    spec = TrainingSpec(
        models=("xgboost", "nhits"), settings=own, start=begin, end=begin + DAYS * DAY_MS, earlier=tuple(earlier)
    )
    return train_ensemble(market, "1h", spec, out, promote=False)


def network(done):
    (native,) = (each.native for each in done.manifest.members if each.model == "nhits")
    return read_file(done.path, done.manifest, native)


def as_earlier(done):
    return EarlierTraining(done.path, done.manifest)


@pytest.fixture(scope="module")
def series(market, tmp_path_factory):
    """Bundles of windows that begin 21 days and one day before the one that is trained in the tests."""
    out = tmp_path_factory.mktemp("bundles")
    return [trained(market, out, day, settings()) for day in (0, 20)]


def test_it_begins_at_the_newest_bundle_whose_rows_end_before_those_that_judge(market, series, tmp_path):
    cold = trained(market, tmp_path, 21, settings())
    # Windows of 25 days, of which 17.5 train and 1.1 stop: those of the day before end where these begin to stop.
    warm = trained(market, tmp_path, 21, settings(), map(as_earlier, series))
    assert (cold.start, warm.start) == ("", series[0].manifest.id)
    assert warm.manifest.settings["start"] == series[0].manifest.id
    assert "start" not in cold.manifest.settings
    assert load_bundle(warm.path).manifest.settings["start"] == series[0].manifest.id
    assert network(warm) != network(cold)
    again = trained(market, tmp_path / "again", 21, settings(), map(as_earlier, series))
    assert again.manifest.id == warm.manifest.id


def test_what_leaks_is_never_a_start(market, series, tmp_path):
    warm = trained(market, tmp_path, 21, settings(), map(as_earlier, series[1:]))
    assert warm.start == ""


def test_without_warm_epochs_every_training_begins_anew(market, series, tmp_path):
    plain = settings(warm_epochs=0)
    with_earlier = trained(market, tmp_path, 21, plain, map(as_earlier, series))
    assert with_earlier.start == ""
    assert with_earlier.manifest.id == trained(market, tmp_path / "other", 21, plain).manifest.id
