import json

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.market.files.listing import list_folder
from quorate.market.synthetic import SyntheticMarket

START = parse_ms("2024-01-01")


def test_every_file_is_listed(tmp_path, hourly, write_feather):
    write_feather(tmp_path / "BTC_USDT-1h.feather", hourly(24))
    (tmp_path / "ETH_USDT-1h.json").write_text("[]")
    (tmp_path / "LTC_USDT-1h.feather").write_bytes(b"nothing")
    (tmp_path / "notes.txt").write_text("")
    SyntheticMarket(symbols=1, bars=10).write(tmp_path)
    listed = list_folder(tmp_path)
    assert [(file.symbol, file.kind, file.format, file.rows) for file in listed] == [
        ("BTC/USDT", "spot", "feather", 24),
        ("ETH/USDT", "spot", "json", 0),
        ("LTC/USDT", "spot", "feather", 0),
        ("SYNA/USDT:USDT", "funding_rate", "feather", 2),
        ("SYNA/USDT:USDT", "futures", "feather", 10),
    ]
    assert (listed[0].start, listed[0].end) == (START, START + 23 * HOUR_MS)
    assert listed[0].size == (tmp_path / "BTC_USDT-1h.feather").stat().st_size
    assert (listed[1].start, listed[1].error) == (None, "")
    assert "LTC_USDT-1h.feather" in listed[2].error
    assert [file.synthetic for file in listed] == [False, False, False, True, True]
    document = json.loads(json.dumps([file.to_json() for file in listed]))
    assert document[0]["start"] == "2024-01-01T00:00:00Z"
    assert document[0]["error"] is None
    assert document[3]["synthetic"] is True
