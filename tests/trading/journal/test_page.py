"""docs/journal.md: its queries and code run as shown on a journal with records of every kind that they read."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import quorate
from quorate.core.types import Action
from quorate.trading import Trade
from quorate.trading.account.costs import Fill
from quorate.trading.journal import RECORDS, ClosedRecord, DecidedRecord, Journal, ValuedRecord

PAGE = (Path(quorate.__file__).parents[2] / "docs" / "journal.md").read_text(encoding="utf-8")
DAY = 86_400_000
TRADE = Trade(
    "BTC/USDT:USDT", 1, 0.01, 5.0, 20.0, 0.8, 0, 0, 100.0, 0, 110.0, 95.0, 112.5, "target", 0.1, 0.01, 0.002, -0.003,
    True, True,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Journal.open("sqlite:///paper/journal.sqlite", "paper") as journal:
        journal.append([ValuedRecord(0, "close", 1_000.0, 1_000.0), ValuedRecord(3_600_000, "close", 1_001.0, 1_000.0)])
        journal.append(
            [ValuedRecord(DAY, "close", 1_002.0, 1_000.0), ClosedRecord(DAY, "a1", TRADE, Fill(110.0, 110.0, 0.0, 0.0))]
        )
        for bar, consensus in enumerate(("strong", "strong", "split")):
            journal.append([DecidedRecord(bar, "A", Action.BUY, 0.8, 0.7, consensus, "vote", "line", None, "full")])
    return tmp_path


def test_the_queries_of_the_page_answer(folder):
    trades, equity, consensus = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    with closing(sqlite3.connect(folder / "paper" / "journal.sqlite")) as connection:
        ((bar, symbol, reason, net),) = connection.execute(trades)
        assert (bar, symbol, reason) == ("1970-01-02 00:00:00", "BTC/USDT:USDT", "target")
        assert net == pytest.approx(TRADE.net_usd)
        days = connection.execute(equity).fetchall()
        assert [day[:2] for day in days] == [("1970-01-01", 1_001.0), ("1970-01-02", 1_002.0)]
        assert connection.execute(consensus).fetchall() == [("split", 1), ("strong", 2)]


def test_the_code_of_the_page_runs(folder, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {})
    assert capsys.readouterr().out.split()[:2] == ["4", "BTC/USDT:USDT"]


def test_every_kind_of_record_is_explained():
    (table,) = re.findall(r"\| kind \| \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE)
    assert set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines()))) == set(RECORDS)
