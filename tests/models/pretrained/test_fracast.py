"""Fracast as a member: against the package's own forecasts, its files, offline, and bars that its weights may know."""

import json
import socket
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import parse_ms
from quorate.core.errors import ModelError, PretrainingError, SettingsError
from quorate.core.settings import EvaluationSettings, FracastSettings, ModelSettings, Settings, SplitSettings
from quorate.evaluation.walk_forward import WalkOptions, build_rows
from quorate.evaluation.walk_forward.walk import walk
from quorate.features import feature_set
from quorate.market.synthetic import SyntheticMarket
from quorate.models.model_files import load_bytes, native_bytes
from quorate.models.pretraining import Pretraining, marks, require_unseen
from quorate.models.registry import build
from quorate.models.runtime import OnnxSession
from quorate.targets import ForwardClass
from stubs.tiny_fracast import package_weights, write_release

torch = pytest.importorskip("torch")
pytest.importorskip("fracast")

COLUMNS = ("high_low_range", "price_change")
DAY_MS = 86_400_000
PUBLISHED = parse_ms("2026-09-26")


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return write_release(tmp_path_factory.mktemp("fracast"))


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def member(**own):
    settings = ModelSettings(fracast=FracastSettings(**own))
    return build("fracast", "class", settings, seed=1, threads=1, features=COLUMNS)


def windows(rows, context, seed=0):
    """Windows of two columns, the second one the change of a price, and that price."""
    random = np.random.default_rng(seed)
    X = random.normal(scale=0.01, size=(rows, context, 2)).astype(np.float32)
    return X, 30_000 * np.cumprod(1 + X[:, :, 1].astype(np.float64), axis=1)


@pytest.fixture(scope="module")
def fitted():
    """The real weights, fitted on a few rows."""
    X, _ = windows(30, 48)
    return member(context=48, rows=12).fit(X, np.arange(30) % 3), X


def test_the_network_forecasts_as_the_package_does():
    from fracast import FracastModel

    model, price = member(context=48), windows(3, 48, seed=4)[1]
    price[0] += 900 * np.sin(2 * np.pi * np.arange(48) / 12)  # a period that stands out
    reference = FracastModel.from_pretrained(package_weights(), weights="fp32").forecast_batch(price, horizon=48)
    with torch.inference_mode():
        found = model._the_network()(torch.from_numpy(price)).numpy()
    # The package reads prices in float32.
    assert np.abs(found - reference).max() < 1e-3 * np.ptp(price, axis=1).min()
    assert np.isclose(found, reference, rtol=2e-6).all()


def test_the_head_reads_median_spread_and_skewness_of_the_forecast():
    from fracast import FracastModel

    from quorate.models.pretrained.forecast_scores import ForecastInputs

    model, (X, price) = member(context=48), windows(2, 48)
    forecast = FracastModel.from_pretrained(package_weights(), weights="fp32").forecast_batch(price, horizon=48)
    with torch.inference_mode():
        found = ForecastInputs(model._the_network(), 1, (1, 24))(torch.from_numpy(X)).numpy()
    for row in range(2):
        for place, step in enumerate((1, 24)):
            low, middle, high = np.log(forecast[row, step - 1, [0, 4, 8]] / price[row, -1])
            wanted = (middle, np.log(high - low), (high + low - 2 * middle) / (high - low))
            np.testing.assert_allclose(found[row, place::2], wanted, atol=2e-3)


def test_its_graph_gives_the_same_scores_and_nothing_is_downloaded(fitted, no_network):
    model, X = fitted
    member(context=48)._the_network()
    graph = model.to_onnx()
    session = OnnxSession(graph, 2, "fracast")
    np.testing.assert_allclose(session.run(X[:5]), model.predict_proba(X[:5]), atol=1e-5)
    assert session.window == 48
    with pytest.raises(ModelError, match=r"ztxtech/fracast-0/config.json"):  # an address on a hub is a folder here
        _ = member(weights="ztxtech/fracast-0").pretraining


def test_it_loads_with_the_weights_it_was_fitted_on_only(fitted, release):
    model, X = fitted
    content = native_bytes(model)
    again = load_bytes(member(context=999), content)  # the file has the context
    assert (again.window, again.predict_proba(X[:2]).tolist()) == (48, model.predict_proba(X[:2]).tolist())
    with pytest.raises(ModelError, match=r"weights of SHA-256 .*train it again"):
        load_bytes(member(weights=str(release)), content)
    for key, value in (("format", "other"), ("place", 2), ("settings", {"context": 48, "steps": [1]})):
        changed = json.dumps({**json.loads(content), key: value}).encode()
        with pytest.raises(ModelError):
            load_bytes(member(), changed)


def test_columns_and_settings_that_do_not_fit_are_refused(release):
    X, _ = windows(12, 8)
    settings = ModelSettings(fracast=FracastSettings(context=8, weights=str(release), steps=(1, 4)))
    with pytest.raises(ModelError, match="columns without names"):
        build("fracast", "class", settings, seed=1).fit(X, np.arange(12) % 3)
    for own, words in (({"steps": (1, 5)}, "5 steps ahead"), ({"context": 17}, "a context of 17 bars")):
        one = member(**{"context": 8, "weights": str(release), **own})
        with pytest.raises(ModelError, match=words):
            one.fit(windows(12, one.window)[0], np.arange(12) % 3)
    for own in ({"steps": ()}, {"steps": (5, 1)}, {"cutoff": "soon"}, {"context": 2}):
        with pytest.raises(SettingsError):
            FracastSettings(**own)


def test_a_network_of_other_parts_is_refused(release, tmp_path):
    config = json.loads((release / "config.json").read_text())
    config["model"]["head_output_mode"] = "last_obs"
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes((release / "model.safetensors").read_bytes())
    with pytest.raises(ModelError, match="head_output_mode"):
        member(weights=str(tmp_path), context=8)._the_network()


def test_what_is_known_of_the_weights(release):
    stated, own = member().pretraining, member(weights=str(release)).pretraining
    assert (stated.version, stated.licence, stated.cutoff, stated.released) == ("0.1.0", "Apache-2.0", None, PUBLISHED)
    assert (own.until, own.digest != stated.digest) == (None, True)
    told = member(weights=str(release), cutoff="2025-01-31").pretraining
    assert told.until == parse_ms("2025-01-31")
    for each in (stated, own, told):
        assert Pretraining.from_json(json.loads(json.dumps(each.to_json()))) == each


@pytest.mark.parametrize(
    ("cutoff", "released", "start", "known"),
    [
        (None, None, 50, True),
        (None, 40, 39, True),
        (None, 40, 40, False),
        (30, 40, 30, False),
        (30, 40, 29, True),
        (30, 40, None, True),
    ],
)
def test_bars_before_the_cutoff_or_else_the_publication_may_be_known(cutoff, released, start, known):
    weights = Pretraining("a", "1", "MIT", "", cutoff, released)
    assert weights.may_know(start) is known
    assert len(marks({"member": weights}, start)) == known
    if start is not None and known:
        with pytest.raises(PretrainingError, match="member"):
            require_unseen({"member": weights}, start)


@pytest.fixture(scope="module")
def rows():
    market = SyntheticMarket(seed=4, symbols=1, bars=500)
    candles = market.candles(market.names[0])
    return build_rows({candles.symbol: candles}, feature_set("core14"), ForwardClass(5, 0.005)), candles


def walked(rows, release, pretrained, cutoff=""):
    own = FracastSettings(context=8, steps=(1, 4), weights=str(release), cutoff=cutoff)
    settings = replace(
        Settings(), models=ModelSettings(fracast=own), evaluation=EvaluationSettings(pretrained=pretrained),
        split=SplitSettings(train=0.6, validation=0.3),
    )  # fmt: skip
    return walk(rows, ("fracast",), settings, WalkOptions(folds=1))


def test_a_walk_over_bars_that_it_may_know_is_refused_or_marked(rows, release):
    with pytest.raises(PretrainingError, match=r"walk forward with fracast .*whose end is not known.*\"mark\""):
        walked(rows[0], release, "refuse")
    found = walked(rows[0], release, "mark")
    (mark,) = marks(found.pretrained, found.start)
    assert mark.startswith("PRETRAINED: fracast is fracast")
    free = walked(rows[0], release, "refuse", cutoff="2010-01-01")
    assert marks(free.pretrained, free.start) == []
    np.testing.assert_array_equal(free.scores["fracast"], found.scores["fracast"])


def test_later_bars_change_no_score(rows, release):
    inputs = rows[0].inputs_of(rows[0].columns)
    settings = ModelSettings(fracast=FracastSettings(context=8, steps=(1, 4), weights=str(release)))
    model = build("fracast", "class", settings, seed=1, threads=1, features=rows[0].columns)
    able = np.flatnonzero(inputs.whole(8) & (rows[0].y >= 0))
    model.fit(inputs.at(able, 8), rows[0].y[able])
    candles = rows[1]
    poisoned = replace(candles, close=np.where(np.arange(len(candles)) >= 300, candles.close * 3, candles.close),
                       high=np.where(np.arange(len(candles)) >= 300, candles.high * 4, candles.high))  # fmt: skip
    other = build_rows({candles.symbol: poisoned}, feature_set("core14"), ForwardClass(5, 0.005))
    before = able[rows[0].time[able] < candles.time[300]]
    others = np.flatnonzero(np.isin(other.time, rows[0].time[before]))
    expected, found = (
        model.predict_proba(one.inputs_of(one.columns).at(at, 8)) for one, at in ((rows[0], before), (other, others))
    )
    np.testing.assert_array_equal(found, expected)
