"""Wrong arguments of the public functions are refused by name, before any work begins."""

import pytest

import quorate
from quorate.core.errors import ArgumentError, ModelError
from quorate.workflows.runs import RunRecord

OFF = RunRecord(log=False)
TWO = "SYNA/USDT:USDT,SYNB/USDT:USDT"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": "xgboost"}, "call train: found the unknown argument `model`.*Did you mean 'models'"),
        ({"symbol": TWO}, "unknown argument `symbol`.*Did you mean 'symbols'"),
        ({"settings": "quorate.toml"}, "use `settings`: found an object of type str; expected a quorate.Settings"),
        ({"recipe": "votes"}, "choose the `recipe`: found 'votes'.*Did you mean 'vote'"),
        ({"recipe": "stack", "method": "rigde"}, "choose the `method`: found 'rigde'.*Did you mean 'ridge'"),
        ({"method": "ridge"}, "choose the `method`: found `recipe` vote"),
        ({"models": 5}, "use `models`: found 5"),
        ({"out": None}, "use `out`: found None; expected the path of a folder"),
    ],
)
def test_train(world, tmp_path, calls, arguments, words):
    given = {"out": tmp_path / "bundles", "symbols": TWO, "progress": calls} | arguments
    with pytest.raises(ArgumentError, match=words):
        quorate.train(world.data, **given)
    assert calls.calls == []
    assert not (tmp_path / "bundles").exists()


def test_an_unknown_model_is_refused_before_reading(world, tmp_path, calls):
    with pytest.raises(ModelError, match="Did you mean 'xgboost'"):
        quorate.train(world.data, tmp_path / "bundles", models="xgbost", symbols=TWO, progress=calls)
    assert calls.calls == []


@pytest.mark.parametrize("function", [quorate.evaluate, quorate.backtest], ids=["evaluate", "backtest"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"policy": "loud"}, "choose the `policy`: found 'loud'; expected one of classic, calibrated"),
        ({"bundle": 5}, "use `bundle`: found an object of type int; expected the path of a bundle"),
        ({"bundle": None}, "use `bundle`"),
        ({"allow_training_spam": True}, "Did you mean 'allow_training_span'"),
        ({"top": 3, "start": "2024-01-30"}, "`top` with a trained bundle"),
        ({"settings": {}}, "use `settings`: found an object of type dict"),
    ],
)
def test_evaluate_and_backtest(world, function, arguments, words):
    with pytest.raises(ArgumentError, match=words):
        function(**({"bundle": world.bundle, "data": world.data, "record": OFF} | arguments))


def test_bundle_and_data_in_the_wrong_order(world):
    with pytest.raises(ArgumentError, match="use `bundle`: found an object of type dict"):
        quorate.signals(world.market.panel(), world.bundle)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"folds": 0}, "use `folds`: found 0; expected a whole number, at least 1"),
        ({"folds": "2"}, "use `folds`: found '2'"),
        ({"policy": "loud"}, "choose the `policy`"),
        ({"fold": 2}, "call walk_forward: found the unknown argument `fold`.*Did you mean 'folds'"),
    ],
)
def test_walk_forward(world, calls, arguments, words):
    with pytest.raises(ArgumentError, match=words):
        quorate.walk_forward(world.data, symbols=TWO, record=OFF, progress=calls, **arguments)
    assert calls.calls == []


def test_paper(world, tmp_path):
    account = quorate.PaperAccount("x", journal=f"sqlite:///{tmp_path / 'journal.db'}")
    with pytest.raises(ArgumentError, match=r"call PaperAccount.run: found the unknown argument `begin`.*guards"):
        account.run(world.bundle, world.data, begin="2024-01-30")
    with pytest.raises(ArgumentError, match="use `settings`"):
        quorate.PaperAccount("x", settings="quorate.toml")
    assert not list(tmp_path.glob("journal*"))


def test_no_market_at_all(tmp_path):
    with pytest.raises(quorate.QuorateError, match="found no market of 1h in `data`"):
        quorate.train({}, tmp_path / "bundles")


def test_features_of_a_frame(world):
    candles = world.market.candles("SYNA/USDT:USDT")
    with pytest.raises(ArgumentError, match=r"found `candles` of type DataFrame.*Candles\.from_pandas"):
        quorate.features(candles.to_pandas(), "core14")


def test_frames_of_synthetic_candles_keep_their_mark(world, tmp_path):
    frame = world.market.candles("SYNA/USDT:USDT").to_pandas()
    made = quorate.evaluate(
        world.bundle, frame, symbols="SYNA/USDT:USDT", start=world.start, record=OFF, policy="classic"
    )
    assert made.synthetic
    again = quorate.Candles.from_pandas(frame, "SYNA/USDT:USDT", "1h")
    assert again.synthetic
    assert "synthetic" not in quorate.Candles.from_pandas(frame, "A/USDT", "1h").to_pandas().columns
    frame.attrs.clear()
    assert not quorate.Candles.from_pandas(frame, "SYNA/USDT:USDT", "1h").synthetic


def test_a_span_too_short_for_a_label_is_stated_in_the_headline(world):
    made = quorate.evaluate(world.bundle, world.data, start=world.end + 198 * 3_600_000, record=OFF)
    assert made.document["rows"] == 0
    assert "no labelled bar of 3 markets, 1h: the span is too short" in str(made)
