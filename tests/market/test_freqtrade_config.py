"""A user's own Freqtrade configuration, read as Freqtrade reads it: by hand, and against Freqtrade itself."""

import json
import os
import subprocess
from pathlib import Path

import pyarrow.feather
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import DataError, SettingsError, UnknownTimeframeError
from quorate.market.commented_json import parse_commented_json, set_value
from quorate.market.configured_markets import read_markets
from quorate.market.files.formats import WRITERS
from quorate.market.freqtrade_config import read_config
from quorate.market.synthetic import SyntheticMarket
from stubs import freqtrade

PERPETUALS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT", "1000PEPE/USDT:USDT", "BTC/USDC:USDC")

MAIN = """{
    // which market
    "trading_mode": "futures", "stake_currency": "USDT", /* of
    the stakes */
    "timeframe": "1h",
    "add_config_files": ["more/exchange.json",],
    "exchange": {"pair_whitelist": ["BTC/.*", "eth/usdt:usdt",], "note": "https://x // no comment"},
}"""
MORE = '{"timeframe": "5m", "exchange": {"name": "Binance", "pair_blacklist": ["SOL/.*"], "pair_whitelist": ["X/Y"]}}'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "config.json").write_text(MAIN)
    (tmp_path / "more" / "exchange.json").write_text(MORE)
    (tmp_path / "data" / "binance").mkdir(parents=True)
    return tmp_path


def test_what_training_needs_is_read_from_all_files(folder):
    config = read_config([folder / "config.json"])
    assert config.exchange == "binance"
    assert (config.trading_mode, config.stake_currency, config.timeframe) == ("futures", "USDT", "1h")
    assert config.whitelist == ("BTC/.*", "eth/usdt:usdt")
    assert config.blacklist == ("SOL/.*",)
    assert config.data == folder / "data" / "binance"
    assert [path.name for path in config.files] == ["config.json", "exchange.json"]


def test_pairs_are_expressions_in_the_stake_currency_without_the_blacklist(folder):
    config = read_config([folder / "config.json"])
    assert config.pairs(PERPETUALS) == ("BTC/USDT:USDT", "ETH/USDT:USDT")
    every = folder / "every.json"
    every.write_text('{"exchange": {"pair_whitelist": [".*", "BTC/USDT:USDT", "DOGE/USDT:USDT"]}}')
    config = read_config([folder / "config.json", every])
    assert config.pairs(PERPETUALS) == ("BTC/USDT:USDT", "ETH/USDT:USDT", "1000PEPE/USDT:USDT")
    assert config.without_candles(PERPETUALS) == ("DOGE/USDT:USDT",)


def test_where_the_candles_are(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("here")
    (elsewhere / "user_data" / "data" / "binance").mkdir(parents=True)
    assert read_config([folder / "config.json"], here=elsewhere).data == elsewhere / "user_data/data/binance"
    assert read_config([folder / "config.json"], data=Path("x"), here=elsewhere).data == Path("x")
    named = folder / "named.json"
    named.write_text(json.dumps({"user_data_dir": str(elsewhere / "user_data")}))
    assert read_config([folder / "config.json", named]).data == elsewhere / "user_data/data/binance"
    (folder / "data" / "binance").rmdir()
    with pytest.raises(DataError, match="Give their folder as `data`"):
        read_config([folder / "config.json"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", r"line 1, column 2: Expecting property name"),
        ('{"a": 1\n "b": 2}', r"line 2, column 2: Expecting ',' delimiter"),
        ('{"a": "//", /* \n */ "b" 2}', r"line 2, column 9: Expecting ':' delimiter"),
        ('{"a": [,]}', "Expecting value"),
        ("[]", "a list; expected an object"),
        ('{"add_config_files": "x"}', "add_config_files 'x'; expected a list of file names"),
        ('{"add_config_files": ["absent.json"]}', "No such file"),
        ('{"add_config_files": ["config.json"]}', "include each other"),
        ('{"exchange": []}', r"exchange \[\]; expected an object"),
        ("{}", "no exchange.name"),
        ('{"exchange": {"name": 3}}', "exchange.name 3; expected a string"),
        ('{"exchange": {"name": "b", "pair_whitelist": [1]}}', r"1 in exchange.pair_whitelist"),
        ('{"exchange": {"name": "b"}, "trading_mode": "margin"}', "trading_mode 'margin'"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, text, found):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(SettingsError, match=found):
        read_config([tmp_path / "config.json"])


def test_a_timeframe_that_is_none_and_pairs_that_match_nothing(folder):
    wrong = folder / "wrong.json"
    wrong.write_text('{"timeframe": "1 hour"}')
    with pytest.raises(UnknownTimeframeError):
        read_config([folder / "config.json", wrong])
    for entries, error, found in (
        (["BTX/USDT:USDT"], DataError, "Did you mean 'BTC/USDT:USDT'"),
        ([], DataError, "an empty exchange.pair_whitelist"),
        (["*/USDT"], SettingsError, "regular expression such as"),
    ):
        wrong.write_text(json.dumps({"exchange": {"pair_whitelist": entries}}))
        with pytest.raises(error, match=found):
            read_config([folder / "config.json", wrong]).pairs(PERPETUALS)


THEIRS = """
import json, sys
from freqtrade.configuration.load_config import load_from_files
from freqtrade.plugins.pairlist.pairlist_helpers import expand_pairlist
config = load_from_files(sys.argv[2:])
pairs = json.loads(sys.argv[1])
wanted = expand_pairlist(config["exchange"]["pair_whitelist"], pairs)
banned = expand_pairlist(config["exchange"].get("pair_blacklist", []), pairs)
print(json.dumps([config["timeframe"], config["exchange"]["name"].lower(), [p for p in wanted if p not in banned]]))
"""


def test_freqtrade_reads_the_same(folder):
    home = freqtrade.require()
    over = folder / "over.json"
    over.write_text(
        '{"timeframe": "15m", "exchange": {"pair_whitelist": [".*USDT"]}, "add_config_files": ["low.json"]}'
    )
    (folder / "low.json").write_text('{"timeframe": "4h", "stake_currency": "USDT", "exchange": {"name": "kraken"}}')
    known = [pair for pair in PERPETUALS if "USDC" not in pair]
    for files in (["config.json"], ["config.json", "over.json"], ["over.json", "config.json"]):
        paths = [folder / name for name in files]
        told = subprocess.run(
            [home / "bin" / "python", "-c", THEIRS, json.dumps(known), *map(str, paths)],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": ""},
        )
        timeframe, exchange, pairs = json.loads(told.stdout)
        ours = read_config(paths, data=Path("x"))
        assert (ours.timeframe, ours.exchange) == (timeframe, exchange)
        assert ours.stake_currency == "USDT"
        assert list(ours.pairs(known)) == list(dict.fromkeys(pairs))


@pytest.mark.parametrize("text", ['{"a": 1}', '["x, ]", 1]', '"/* a */"', r'"\" // "', "[1, [2, {}], 3.5e1, null]"])
def test_plain_json_is_read_as_it_is(text):
    assert parse_commented_json(text, "x") == json.loads(text)


def test_the_markets_with_candles_are_read_beside_the_names_without(folder):
    market = SyntheticMarket(seed=1, symbols=2, bars=50)
    market.write(folder / "data" / "binance")
    config = folder / "config.json"
    config.write_text(
        '{"trading_mode": "futures", "stake_currency": "USDT",'
        ' "exchange": {"name": "binance", "pair_whitelist": ["SYNB/.*", "SYNA/USDT:USDT", "ETH/USDT:USDT"]}}'
    )
    with pytest.raises(SettingsError, match=r"Give `timeframe`.* There are 1h of 2 pairs"):
        read_markets([config])
    found = read_markets([config], timeframe="1h")
    assert found.timeframe == "1h"
    assert found.symbols == ("SYNB/USDT:USDT", "SYNA/USDT:USDT")
    assert found.without_candles == ("ETH/USDT:USDT",)
    assert found.config.data == folder / "data" / "binance"
    with pytest.raises(DataError, match=r"no 4h candles of SYNB/.*; there are 1h of 2 pairs.*Give `timeframe` 1h"):
        read_markets([config], timeframe="4h")
    config.write_text(config.read_text().replace("SYN", "NYS"))
    with pytest.raises(DataError, match="none of 0 futures pairs"):
        read_markets([config], timeframe="4h")


def test_candles_are_read_in_the_configured_format(folder):
    data = folder / "data" / "binance"
    SyntheticMarket(symbols=1, bars=50).write(data)
    (source,) = data.rglob("*-futures.feather")
    table = pyarrow.feather.read_table(source)
    WRITERS[".parquet"](table.slice(0, 40), source.with_suffix(".parquet"))
    symbol = SyntheticMarket(symbols=1, bars=50).symbols("1h")[0]
    named = folder / "named.json"
    lengths = {}
    for text in ("{}", '{"dataformat_ohlcv": "parquet"}', '{"dataformat_ohlcv": "feather"}'):
        named.write_text(text)
        lengths[text] = len(read_config([folder / "config.json", named]).source.candles(symbol, "1h"))
    # Freqtrade's own default is feather.
    assert list(lengths.values()) == [50, 40, 50]
    named.write_text('{"dataformat_ohlcv": "jsongz", "exchange": {"pair_whitelist": [".*"]}}')
    with pytest.raises(DataError, match=r"0 futures pairs.*json.gz \(dataformat_ohlcv\)"):
        read_markets([folder / "config.json", named])
    named.write_text('{"dataformat_ohlcv": "hdf5"}')
    with pytest.raises(SettingsError, match="feather, parquet, jsongz, json"):
        read_config([folder / "config.json", named])


DOCUMENTS = st.recursive(
    st.one_of(st.integers(), st.text('{}",/', max_size=3), st.lists(st.integers(), max_size=2)),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


@given(
    document=st.dictionaries(st.sampled_from("abc"), DOCUMENTS, max_size=3),
    value=DOCUMENTS,
    keys=st.lists(st.sampled_from("abc"), min_size=1, max_size=3),
    indent=st.sampled_from([None, 1]),
    comment=st.sampled_from(["", ' // "a": {,', " /* } */"]),
)
def test_a_value_is_set_in_a_commented_document_and_nothing_else(document, value, keys, indent, comment):
    text = "\n".join(line + comment for line in json.dumps(document, indent=indent).split("\n"))
    changed = set_value(text, keys, value)
    place = document
    for key in keys[:-1]:
        if not isinstance(place.get(key), dict):
            place[key] = {}
        place = place[key]
    place[keys[-1]] = value
    assert parse_commented_json(changed, "x") == document


def test_comments_and_order_stay_where_a_value_is_set():
    text = """{  // one
    /* two */ "a": {"b": 1, "c": 2}, // three
    "d": [1, 2], // four
}
"""
    assert set_value(text, ("a", "b"), 5) == text.replace("1, ", "5, ", 1)
    assert set_value(text, ("e",), 5) == text.replace(" // four", ' // four\n    "e": 5')
