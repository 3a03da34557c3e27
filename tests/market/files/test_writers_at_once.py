"""Several processes that write different spans of the same markets into one folder."""

import subprocess
import sys

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.trading.account.contracts import read_contracts

WRITERS, PARTS, ROWS = 4, 12, 50

# Writer w has the parts w, w + 4, ... of the span, and a contradicting row of the first bar of each.
WRITER = """
import sys, time
import numpy as np
from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.types import Candles, Funding
from quorate.market.files.candle_store import merge_candles, merge_funding
from quorate.trading.account.contract import Contract
from quorate.trading.account.contracts import write_contracts

folder, writer, writers, parts, rows = sys.argv[1], *map(int, sys.argv[2:])
print("ready", flush=True)
sys.stdin.readline()
for part in range(writer, parts, writers):
    place = np.arange(part * rows, (part + 1) * rows)
    time_ = parse_ms("2024-01-01") + HOUR_MS * place
    for change in (0.0, 0.5):
        price = 100.0 + place
        price[0] += change
        for symbol in ("BTC/USDT", "BTC/USDT:USDT"):
            candles = Candles(symbol, "1h", time_, price, price, price, price, np.ones(rows))
            merge_candles(folder, candles, source=f"part {part}")
        marks = Candles(symbol, "1h", time_, price, price, price, price, np.zeros(rows))
        merge_candles(folder, marks, source=f"part {part}", mark=True)
    merge_funding(folder, Funding("BTC/USDT:USDT", time_, place * 1e-6), source="here")
    write_contracts(folder, [Contract(f"C{part}/USDT:USDT", lot=1e-3, tick=1e-2, minimum_usd=5.0)])
"""


@pytest.mark.integration
def test_no_row_is_lost(tmp_path):
    given = [str(tmp_path / "data"), *map(str, (WRITERS, PARTS, ROWS))]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, given[0], str(writer), *given[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for writer in range(WRITERS)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.close()
    for process in processes:
        assert process.wait(timeout=120) == 0
        process.stdout.close()
    folder, rows = FreqtradeFolder(tmp_path / "data"), PARTS * ROWS
    for candles in (
        folder.candles("BTC/USDT", "1h"),
        folder.candles("BTC/USDT:USDT", "1h"),
        folder.mark("BTC/USDT:USDT", "1h"),
    ):
        assert len(candles) == rows
        assert (np.diff(candles.time) == HOUR_MS).all()
        assert candles.close.tolist() == (100.0 + np.arange(rows)).tolist()
    assert folder.funding("BTC/USDT:USDT").rate.tolist() == (np.arange(rows) * 1e-6).tolist()
    assert set(read_contracts(folder.path)) == {f"C{part}/USDT:USDT" for part in range(PARTS)}
    for name in (
        "BTC_USDT-1h",
        "futures/BTC_USDT_USDT-1h-futures",
        "futures/BTC_USDT_USDT-1h-mark",
    ):
        lines = (folder.path / f"{name}.quarantine.csv").read_text().splitlines()
        assert len(lines) == 1 + PARTS
