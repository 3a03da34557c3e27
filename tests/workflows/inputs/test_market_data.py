"""Sources from the forms of candles that users have, and candles read from them."""

from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import ArgumentError, DataError, TrainingSpanError
from quorate.core.types import CANDLE_COLUMNS
from quorate.ensemble.inference.predictor import LIVE_BARS
from quorate.ensemble.series import load
from quorate.market.memory import MemorySource
from quorate.workflows.inputs import market_data
from quorate.workflows.inputs.market_data import data_name, open_source, read_panel, require_unseen


def same(left, right):
    return all(np.array_equal(getattr(left, name), getattr(right, name)) for name in ("time", *CANDLE_COLUMNS))


@pytest.fixture
def frames(world):
    return {name: world.market.candles(name).to_pandas() for name in world.market.names}


def joined(frames, column):
    import pandas as pd

    return pd.concat([frame.assign(**{column: name}) for name, frame in frames.items()])


KINDS = {
    "folder": lambda world, _: world.data,
    "text": lambda world, _: str(world.data),
    "source": lambda world, _: world.market,
    "mapping of candles": lambda world, _: world.market.panel(),
    "mapping of frames": lambda _, frames: frames,
    "one frame with symbols": lambda _, frames: joined(frames, "symbol"),
    "one frame with pairs": lambda _, frames: joined(frames, "Pair"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_data_gives_the_same_candles(world, frames, kind):
    source = open_source(KINDS[kind](world, frames))
    assert source.symbols("1h") == world.market.names
    for name in world.market.names:
        assert same(source.candles(name, "1h"), world.market.candles(name))


def test_one_market_needs_a_name_only_as_a_frame(world, frames):
    name = world.market.names[0]
    truth = world.market.candles(name)
    assert same(open_source(truth).candles(name, "1h"), truth)
    assert same(open_source(frames[name], [name]).candles(name, "1h"), truth)
    for symbols in ([], world.market.names[:2]):
        with pytest.raises(ArgumentError, match="Name the market with `symbols`"):
            open_source(frames[name], symbols)


@pytest.mark.parametrize("data", [3, None, ["SYNA"], {"SYNA/USDT:USDT": [1, 2]}], ids=str)
def test_other_data_is_refused_by_its_type(data):
    with pytest.raises(ArgumentError, match="use `data`: found an object of type"):
        open_source(data)


def test_candles_under_another_symbol_are_refused(world):
    with pytest.raises(ArgumentError, match="found candles of SYNA/USDT:USDT"):
        open_source({"SYNB/USDT:USDT": world.market.candles("SYNA/USDT:USDT")})


def test_documents_name_the_folder_or_the_kind_of_object(world, frames):
    assert data_name(world.data) == data_name(str(world.data)) == data_name(open_source(world.data)) == str(world.data)
    assert data_name(frames) == "dict"
    assert data_name(world.market) == "SyntheticMarket"


def test_only_folders_have_contracts(world, frames):
    assert market_data.read_contracts(open_source(world.data)) == {}
    assert market_data.read_contracts(open_source(frames)) == {}


def test_a_panel_has_the_bars_before_the_span_that_warm_features_up(world, calls):
    start, end = world.end, world.end + 50 * HOUR_MS
    panel = read_panel(world.market, "1h", world.market.names, calls, start=start, end=end)
    assert list(panel) == list(world.market.names)
    for candles in panel.values():
        assert candles.time[0] == start - LIVE_BARS * HOUR_MS
        assert candles.time[-1] == end - HOUR_MS
    assert calls.calls == [("reading candles", number, 3) for number in (1, 2, 3)]


def test_a_span_without_bars_is_refused(world):
    with pytest.raises(
        DataError,
        match="reach from 2024-01-01 00:00 to 2024-02-07 11:00; expected bars from 2030-01-01 00:00 to the newest",
    ):
        read_panel(world.market, "1h", world.market.names, start=1_893_456_000_000)


def test_the_training_span_is_refused_or_marked(world):
    bundle = load(world.bundle)
    last = bundle.manifest.training_end
    assert not require_unseen(bundle, last, None, allow=False)
    for start, end in ((None, None), (last - HOUR_MS, None), (None, last)):
        with pytest.raises(TrainingSpanError, match=r"`allow_training_span=True`"):
            require_unseen(bundle, start, end, allow=False)
        assert require_unseen(bundle, start, end, allow=True)


def test_a_missing_folder_is_refused():
    with pytest.raises(DataError, match="nowhere"):
        open_source(Path("/nowhere"))
    assert isinstance(open_source({}), MemorySource)
