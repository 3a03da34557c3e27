"""Files of candles as functions: listed, checked, imported and downloaded."""

import json
import shutil

import pytest

from quorate.cli.app import main
from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import ArgumentError, DataError, UnknownSymbolError
from quorate.core.settings import QualitySettings, Settings
from quorate.market import FreqtradeFolder, SyntheticMarket
from quorate.workflows.check import check, list_candles
from quorate.workflows.download import download
from quorate.workflows.import_candles import import_candles
from stubs.binance import BinanceStub

START = parse_ms("2024-01-01")
BARS = 24 * 40
END = START + BARS * HOUR_MS


def printed(capsys, *arguments):
    capsys.readouterr()
    code = main(["data", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def as_json(result):
    return json.loads(json.dumps(result.to_json()))


def test_list_and_check_are_those_of_the_command_line(world, capsys, calls):
    listed, checked = list_candles(world.data), check(world.data, progress=calls)
    assert capsys.readouterr() == ("", "")
    assert calls.calls == [("checking files", number, 6) for number in range(1, 7)]
    assert (0, as_json(listed)) == printed(capsys, "list", "--data", world.data)
    assert (0, as_json(checked)) == printed(capsys, "check", "--data", world.data)
    assert checked.ok
    assert checked.rejected == 0
    table = listed.to_pandas()
    assert len(table) == 6
    assert str(table["start"].dt.tz) == "UTC"
    assert set(checked.to_pandas()["ok"]) == {True}
    for made in (listed, checked):
        for text in (str(made), made._repr_html_()):
            assert "SYNTHETIC MARKET" in text
            assert "6 files" in text
    with pytest.raises(ArgumentError, match="files"):
        listed.to_pandas("rows")


def test_a_file_that_cannot_be_used_is_part_of_the_result(world, tmp_path, capsys):
    folder = tmp_path / "data"
    shutil.copytree(world.data, folder)
    (folder / "futures" / "SYNA_USDT_USDT-1h-futures.feather").write_bytes(b"no feather")
    checked = check(folder)
    assert not checked.ok
    assert checked.rejected == 1
    assert "rejected" in str(checked)
    assert (1, as_json(checked)) == printed(capsys, "check", "--data", folder)
    assert [file.symbol for file in list_candles(folder).files if file.error] == ["SYNA/USDT:USDT"]
    with pytest.raises(DataError):
        check(tmp_path / "nowhere")


def test_limits_of_a_spike_are_the_settings(world, tmp_path, capsys, monkeypatch):
    def spikes(documents):
        return sum(len(each["spikes"]) for each in documents)

    (few,) = {spikes(as_json(check(world.data))), spikes(printed(capsys, "check", "--data", world.data)[1])}
    limits = QualitySettings(spike=0.001, spike_moves=0.1)
    monkeypatch.setenv("QUORATE_QUALITY__SPIKE", "0.001")
    monkeypatch.setenv("QUORATE_QUALITY__SPIKE_MOVES", "0.1")
    (many,) = {
        spikes(as_json(check(world.data))),
        spikes(as_json(check(world.data, settings=limits))),
        spikes(printed(capsys, "check", "--data", world.data)[1]),
    }
    assert many > few
    assert spikes(as_json(check(world.data, settings=QualitySettings()))) == few
    with pytest.raises(ArgumentError, match=r"a QualitySettings, as settings\.quality"):
        check(world.data, settings=Settings())


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "BTCUSDT-1h-2024-01-01.csv"
    opened = [START + HOUR_MS * hour for hour in range(3)]
    path.write_text("".join(f"{time},100,110,90,101,5,{time + HOUR_MS - 1},0,1,0,0,0\n" for time in opened))
    return path


def test_an_import_is_that_of_the_command_line(table, tmp_path, capsys, calls):
    made = import_candles(table, tmp_path / "a", perpetual=True, progress=calls)
    assert capsys.readouterr() == ("", "")
    assert calls.calls == [("importing markets", 1, 1)]
    code, shown = printed(capsys, "import", table, "--data", tmp_path / "b", "--perpetual")
    assert code == 0
    own = as_json(made)
    (market,), (other,) = own["markets"], shown["markets"]
    assert market.pop("path").removeprefix(str(tmp_path / "a")) == other.pop("path").removeprefix(str(tmp_path / "b"))
    assert own == shown
    assert list(made.to_pandas()["added"]) == [3]
    assert "BTC/USDT:USDT" in str(made)
    assert "1 market" in made._repr_html_()
    again = import_candles([table], tmp_path / "a", perpetual=True)
    assert [each.merged.added for each in again.markets] == [0]
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "notes.csv").write_text("what\n")
    assert import_candles(tmp_path / "c", tmp_path / "a").skipped == (tmp_path / "c" / "notes.csv",)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    SyntheticMarket(seed=5, symbols=3, bars=BARS, start=START).write(folder)
    return folder


@pytest.fixture
def stub(served, monkeypatch):
    with BinanceStub(served, now=END + 60_000) as stub:
        monkeypatch.setenv("QUORATE_EXCHANGE__URL", stub.url)
        monkeypatch.setenv("QUORATE_EXCHANGE__ATTEMPTS", "2")
        monkeypatch.setenv("QUORATE_EXCHANGE__PAUSE_S", "0.01")
        yield stub


def test_a_download_is_that_of_the_command_line(stub, tmp_path, capsys, calls):
    made = download(tmp_path / "a", days=10, symbols=["SYNA/USDT:USDT", "SYNB/USDT:USDT"], progress=calls)
    assert capsys.readouterr() == ("", "")
    assert calls.calls[-1][0] == "downloading pages"
    assert made.ok
    asked = ("--days", "10", "--symbols", "SYNA/USDT:USDT,SYNB/USDT:USDT")
    code, shown = printed(capsys, "download", *asked, "--out", tmp_path / "b")
    assert code == 0
    own = as_json(made)
    for document, folder in ((own, "a"), (shown, "b")):
        for file in document["files"]:
            file["path"] = file["path"].removeprefix(str(tmp_path / folder))
        assert document.pop("folder") == str(tmp_path / folder)
    assert own == shown
    assert FreqtradeFolder(tmp_path / "a").symbols("1h") == ("SYNA/USDT:USDT", "SYNB/USDT:USDT")
    table = made.to_pandas().set_index(["symbol", "kind"])
    assert table.loc[("SYNA/USDT:USDT", "futures"), "rows"] == 240
    for text in (str(made), made._repr_html_()):
        assert str(tmp_path / "a") in text
        assert "SYNB/USDT:USDT" in text
    assert download(tmp_path / "a", days=10, symbols=["SYNA/USDT:USDT"]).added == 0


def test_top_markets_are_downloaded(stub, tmp_path):
    made = download(tmp_path, top=2, start="2024-01-05", end="2024-01-08")
    assert len(made.symbols) == 2
    assert "30 days" in made.rule
    assert {file.rows for file in made.files if file.kind == "futures"} == {72}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"days": 2}, "either `symbols` or `top`"),
        ({"days": 2, "symbols": "A", "top": 2}, "both `symbols` and `top`; expected either `symbols` or `top`"),
        ({"symbols": "A"}, "either `days` or `start`"),
        (
            {"symbols": "A", "days": 2, "start": "2024-01-01"},
            "both `days` and `start`; expected either `days` or `start`",
        ),
        ({"symbols": "A", "days": 2, "exchnage": "x"}, "unknown argument `exchnage`.*Did you mean 'exchange'"),
        ({"symbols": "A", "days": 0}, "use `days`: found 0"),
        ({"top": "5", "days": 2}, "use `top`: found '5'"),
        ({"symbols": "A", "days": 2, "settings": "quorate.toml"}, "quorate.load_settings"),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(tmp_path, arguments, words):
    with pytest.raises(ArgumentError, match=words):
        download(tmp_path, **arguments)


def test_an_unknown_market_is_refused_before_the_download(stub, tmp_path):
    with pytest.raises(UnknownSymbolError, match="Did you mean"):
        download(tmp_path / "none", symbols="SYNA/USDT", days=2)
    assert not (tmp_path / "none").exists()
