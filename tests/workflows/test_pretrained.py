"""Marks of results whose bars the pretrained weights of a member may know."""

import json

import pytest

from quorate.core.clock import HOUR_MS, iso_ms
from quorate.core.configuration import load_settings
from quorate.core.errors import BundleError, PretrainingError
from quorate.ensemble.bundle.manifest import Manifest
from quorate.market.synthetic import SyntheticMarket
from quorate.workflows.backtest import backtest
from quorate.workflows.evaluate import evaluate
from quorate.workflows.runs.trials import RunRecord
from quorate.workflows.train import train
from quorate.workflows.walk_forward import walk_forward
from stubs.tiny_fracast import write_release
from workflows.conftest import SMALL

pytest.importorskip("fracast")

UNLOGGED = RunRecord(log=False)


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """Candles, a bundle of fracast alone, its settings, and the first bar that it was not trained on."""
    folder = tmp_path_factory.mktemp("pretrained")
    made = SyntheticMarket(seed=3, symbols=1, bars=420, edge=0.3)
    made.write(folder / "data")
    end = int(made.candles(made.names[0]).time[0]) + 360 * HOUR_MS
    own = {"CONTEXT": "8", "STEPS": "[1, 4]", "WEIGHTS": str(write_release(folder / "weights"))}
    settings = load_settings(environment={**SMALL, **{f"QUORATE_MODELS__FRACAST__{k}": v for k, v in own.items()}})
    chosen = {"models": "fracast", "settings": settings, "symbols": "SYNA/USDT:USDT"}
    found = train(folder / "data", folder / "bundles", end=iso_ms(end), **chosen)
    return folder / "data", found, settings, iso_ms(end)


def test_a_training_its_card_and_its_manifest_say_so(market):
    _, trained, _, _ = market
    (mark,) = trained.warnings
    assert mark.startswith("PRETRAINED: fracast is fracast")
    assert mark in str(trained)
    assert mark in trained.to_json()["warnings"]
    assert mark in (trained.path / "card.md").read_text()
    assert trained.manifest.pretrained["fracast"].licence == "as the weights say"


def test_an_evaluation_and_a_backtest_of_the_bundle_say_so(market):
    data, trained, settings, end = market
    for run in (evaluate, backtest):
        found = run(trained.path, data, settings=settings, record=UNLOGGED, start=end)
        (mark,) = [text for text in found.to_json()["warnings"] if text.startswith("PRETRAINED")]
        assert mark in str(found)
        assert found.to_json()["pretrained"]["fracast"]["may_know"] is True


def test_a_walk_forward_is_refused(market):
    data, _, settings, _ = market
    with pytest.raises(PretrainingError, match=r"evaluation\.pretrained"):
        walk_forward(data, models="fracast", folds=1, settings=settings, record=UNLOGGED, symbols="SYNA/USDT:USDT")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"other": {}}, "licence is None|name is None"),
        ({"fracast": {"licence": 3}}, "licence is 3"),
        ({"fracast": {"cutoff": "soon"}}, "soon"),
        ({"fracast": {"version": "\x1b[31m"}}, "control characters"),
    ],
)
def test_a_manifest_with_other_weights_is_refused(market, change, words):
    _, trained, _, _ = market
    tree = json.loads((trained.path / "manifest.json").read_text())
    for name, own in change.items():
        tree["pretrained"][name] = {**tree["pretrained"].get(name, {}), **own}
    with pytest.raises(BundleError, match=words):
        Manifest.parse(json.dumps(tree).encode(), trained.path)
