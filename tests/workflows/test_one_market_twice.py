"""One market named twice, in two spellings, or stored as spot and as perpetual, is one market to every verb."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest

from quorate.core.errors import ArgumentError, DataError
from quorate.market import write_candles
from quorate.workflows.backtest import backtest
from quorate.workflows.download import download
from quorate.workflows.evaluate import evaluate
from quorate.workflows.paper import PaperAccount
from quorate.workflows.signals import signals
from quorate.workflows.train import train
from quorate.workflows.train_rolling import train_rolling
from quorate.workflows.walk_forward import walk_forward

A, B = "SYNA/USDT:USDT", "SYNB/USDT:USDT"


@pytest.fixture
def verbs(world, tmp_path):
    """Name of a verb -> a call of it with data and `symbols`."""
    unseen = {"start": world.start}
    out = tmp_path / "out"
    return {
        "train": lambda data, **markets: train(data, out, end=world.end, **markets),
        "train_rolling": lambda data, **markets: train_rolling(data, out, every="10d", window="20d", **markets),
        "evaluate": lambda data, **markets: evaluate(world.bundle, data, **unseen, **markets),
        "walk_forward": lambda data, **markets: walk_forward(data, folds=2, **markets),
        "backtest": lambda data, **markets: backtest(world.bundle, data, **unseen, **markets),
        "signals": lambda data, **markets: signals(world.bundle, data, all_markets=not markets, **markets),
        "paper": lambda data, **markets: PaperAccount("a", f"sqlite:///{tmp_path}/j.db").run(
            world.bundle, data, **unseen, **markets
        ),
    }


VERBS = ("train", "train_rolling", "evaluate", "walk_forward", "backtest", "signals", "paper")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    "symbols", ["SYNA/USDT:USDT,syna/usdt:usdt", ["SYNB/USDT:USDT", "SYNA/USDT.P", "SYNA/USDT:USDT"]]
)
def test_two_spellings_are_refused_by_every_verb(world, verbs, verb, symbols):
    with pytest.raises(ArgumentError, match="two names of one market; expected each market once"):
        verbs[verb](world.data, symbols=symbols)


def test_two_spellings_are_refused_before_a_download(tmp_path):
    with pytest.raises(ArgumentError, match="two names of one market"):
        download(tmp_path / "none", symbols="SYNA/USDT:USDT,syna/usdt:usdt", days=2)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("verb", ["evaluate", "walk_forward", "backtest", "signals", "paper", "train"])
def test_two_names_in_frames_are_refused_by_every_verb(world, verbs, verb):
    candles = world.market.candles(A)
    frames = {A: candles.to_pandas(), "syna/usdt:usdt": candles.to_pandas()}
    with pytest.raises(DataError, match="two names of one market, which would be counted twice"):
        verbs[verb](frames)
    rows = pd.concat([frame.assign(symbol=name) for name, frame in frames.items()])
    with pytest.raises(DataError, match="two names of one market, which would be counted twice"):
        verbs[verb](rows)


def test_the_same_name_twice_counts_once(world, verbs):
    once, twice = (verbs["train"](world.data, symbols=symbols) for symbols in (f"{A},{B}", f"{A},{B},{A}"))
    assert twice.to_json()["rows"] == once.to_json()["rows"]
    assert len(verbs["signals"](world.data, symbols=[A, B, A])) == 2
    names = list(world.market.names)
    once, twice = (verbs["backtest"](world.data, symbols=symbols) for symbols in (names, names * 2))
    assert money(twice) == money(once)


def money(made):
    """What a backtest came to; it has trades."""
    document = made.to_json()
    assert document["trades"]
    return {name: document[name] for name in ("symbols", "trades", "equity", "stats")}


@pytest.fixture
def both(world, tmp_path):
    """The world's perpetuals, and spot of the first two pairs with the same candles."""
    folder = tmp_path / "both"
    shutil.copytree(world.data, folder)
    for name in (A, B):
        write_candles(folder, replace(world.market.candles(name), symbol=name.partition(":")[0]))
    return folder


def test_a_bundle_of_perpetuals_leaves_spot_of_the_same_folder_out(both, verbs, world):
    assert [each.symbol for each in verbs["signals"](both)] == sorted(world.market.names)
    assert money(verbs["backtest"](both)) == money(verbs["backtest"](world.data))


def test_top_takes_perpetuals_only(both, world, verbs):
    made = verbs["train"](both, top=3, start="2024-01-10")
    assert made.to_json()["rows"] == verbs["train"](world.data, top=3, start="2024-01-10").to_json()["rows"]


@pytest.mark.parametrize("verb", ["train", "walk_forward"])
def test_spot_and_perpetual_in_memory_have_to_be_chosen(world, verbs, verb):
    candles = world.market.candles(A)
    pair = A.partition(":")[0]
    data = {A: candles, pair: replace(candles, symbol=pair)}
    with pytest.raises(ArgumentError, match="spot and perpetual of SYNA/USDT; expected one of the two kinds"):
        verbs[verb](data)
