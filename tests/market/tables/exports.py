# ruff: noqa: E501, T201 - a table of files, in the letters of their languages
"""Export files as programs and spreadsheets write them, all made from one table of true candles.

`python tests/market/tables/exports.py` prints each file with the result of its import; `--page` writes docs/imports.md.
"""

import csv
import io
import json
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

START = datetime(2025, 4, 28, tzinfo=UTC)  # a Monday, so that days reach from 28 to 31 and on
BARS = 96
HOUR = timedelta(hours=1)


def truth(bars=BARS, step=HOUR, start=START):
    """True candles: open times, and rows of open, high, low, close and volume, each of two decimals."""
    close = np.round(94_000 + 900 * np.sin(np.arange(bars + 1) / 7) + 40 * np.cos(np.arange(bars + 1)), 2)
    rows = []
    for bar in range(bars):
        first, last = close[bar], close[bar + 1]
        high, low = round(max(first, last) + 31.25, 2), round(min(first, last) - 27.5, 2)
        rows.append((start + bar * step, first, high, low, last, round(300 + 1_500 * abs(np.sin(bar / 3)), 2)))
    return rows


def number(value, decimal=".", thousands="", digits=2):
    """A number in the convention of a country."""
    text = f"{value:,.{digits}f}"
    return text.translate(str.maketrans({",": thousands, ".": decimal}))


def table(rows, form, header, delimiter=",", newest_first=False, quote=csv.QUOTE_MINIMAL, **numbers):
    """A text table: times in a format of strftime or by a function, then the five values."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quote, lineterminator="\n")
    if header:
        writer.writerow(header.split(delimiter) if isinstance(header, str) else header)
    for time, *values in reversed(rows) if newest_first else rows:
        moment = form(time) if callable(form) else time.strftime(form)
        writer.writerow(
            [*([moment] if isinstance(moment, str | int) else moment), *(number(value, **numbers) for value in values)]
        )
    return out.getvalue()


def frame(rows):
    return pd.DataFrame(rows, columns=["date", "open", "high", "low", "close", "volume"])


def epoch(unit):
    return lambda time: int(time.timestamp() * unit)


def excel(names, form, decimal=",", thousands=".", delimiter=";"):
    return lambda: table(
        truth(),
        form,
        delimiter.join(["\ufeff" + names.split()[0], *names.split()[1:]]),
        delimiter,
        decimal=decimal,
        thousands=thousands,
    )


def investing(names, form, decimal, thousands, suffix="K"):
    def make():
        rows = truth(40, timedelta(days=1))
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(names.split("|"))
        for time, first, high, low, last, volume in reversed(rows):
            prices = [number(value, decimal, thousands) for value in (last, first, high, low)]
            writer.writerow(
                [
                    time.strftime(form),
                    *prices,
                    number(volume / 1_000, decimal, "", 5) + suffix,
                    number(0.34, decimal) + "%",
                ]
            )
        return "\ufeff" + out.getvalue()

    return make


def workbook(names="Date Open High Low Close Volume", texts=False, formula=False):
    def make():
        from openpyxl import Workbook

        book, out = Workbook(), io.BytesIO()
        sheet = book.active
        sheet.append(["Exported by a person"])
        sheet.append(names.split())
        for time, *values in truth():
            shown = [number(value, ",", ".") for value in values] if texts else [float(value) for value in values]
            sheet.append([time.strftime("%d.%m.%Y %H:%M") if texts else time.replace(tzinfo=None), *shown])
        if formula:
            sheet["B3"] = "=B4-1"
        book.save(out)
        return out.getvalue()

    return make


def binary(write):
    def make():
        out = io.BytesIO()
        write(out)
        return out.getvalue()

    return make


def klines(unit, header):
    names = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
    lines = [names] if header else []
    for time, *values in truth():
        opened = int(time.timestamp() * unit)
        lines.append(",".join(map(str, (opened, *values, opened + 3_600 * unit - 1, 1.5e7, 100, 2.5, 3.5, 0))))
    return "\n".join(lines) + "\n"


def archive(name, text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(name, text)
    return out.getvalue()


def yahoo():
    lines = ["Price,Close,High,Low,Open,Volume", "Ticker" + ",BTC-USD" * 5, "Datetime,,,,,"]
    lines += [
        f"{time:%Y-%m-%d %H:%M:%S}+00:00,{last},{high},{low},{first},{volume}"
        for time, first, high, low, last, volume in truth()
    ]
    return "\n".join(lines)


def bybit():
    rows = [[str(int(time.timestamp() * 1000)), *map(str, values), "1"] for time, *values in reversed(truth())]
    return json.dumps({"retCode": 0, "result": {"category": "spot", "symbol": "BTCUSDT", "list": rows}})


def coinbase():
    return json.dumps(
        [
            [int(t.timestamp()), low, high, first, last, volume]
            for t, first, high, low, last, volume in reversed(truth())
        ]
    )


def answer(of_row, wrap=lambda rows: rows):
    """An exchange's answer: rows without names, in its own order."""
    return lambda: json.dumps(wrap([of_row(int(time.timestamp()), *values) for time, *values in truth()]))


def kraken(rows):
    return {"error": [], "result": {"XXBTZUSD": rows, "last": rows[-1][0]}}


def deribit():
    time, *values = zip(*truth(), strict=True)
    columns = dict(zip(("open", "high", "low", "close", "volume"), values, strict=True))
    return json.dumps({"result": {"ticks": [epoch(1000)(each) for each in time], **columns, "status": "ok"}})


def polygon():
    lines = ["ticker,volume,open,close,high,low,window_start,transactions"]
    lines += [f"X:BTCUSD,{v},{o},{c},{h},{low},{epoch(1_000_000_000)(t)},33" for t, o, h, low, c, v in truth()]
    return "\n".join(lines)


def coinmarketcap():
    lines = ["timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp"]
    for time, *prices, coins in reversed(truth(40, timedelta(days=1))):
        day, values = f"{time:%Y-%m-%d}T", (*prices, coins * prices[-1])
        moments = (f'"{day}{clock}Z"' for clock in ("00:00:00.000", "23:59:59.999", "03:10:00.000", "19:05:00.000"))
        lines.append(";".join((*moments, '"2781"', *map(str, values), "1.9e12", f'"{day}23:59:59.999Z"')))
    return "\n".join(lines)


def berlin(time):
    return time.astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%d %H:%M:%S")


def two_symbols():
    rows = [(name, *row) for name in ("BTCUSDT.P", "ETHUSDT.P") for row in truth()]
    out = io.StringIO()
    pd.DataFrame(rows, columns=["ticker", "time", "open", "high", "low", "close", "volume"]).to_csv(out, index=False)
    return out.getvalue()


def levels(out):
    made = frame(truth()).set_index("date")
    made.columns = pd.MultiIndex.from_product([made.columns.str.title(), ["BTC-USDT"]], names=["Price", "Ticker"])
    made.to_csv(out)


def split_header(time):
    return [time.strftime("%Y.%m.%d"), time.strftime("%H:%M")]


def tab(time):
    return [time.strftime("%Y.%m.%d"), time.strftime("%H:%M:%S")]


ENGLISH = "date,open,high,low,close,volume"
SPOT = ("--spot",)
BTC = ("--symbol", "BTC/USDT")

#: File -> how it is made, options of the import, and the result: None where the true candles are imported, else words of
#: the refusal.
EXPORTS = {
    "BTCUSD60.csv": (lambda: table(truth(), split_header, ""), (), None),
    "BTCUSD1440.txt": (lambda: table(truth(40, timedelta(days=1)), split_header, ""), (), None),
    "BTCUSD_H1_202504280000_202505012300.csv": (
        lambda: table(truth(), tab, "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>", "\t"), (), None),
    "BINANCE_BTCUSDT, 60.csv": (lambda: table(truth(), epoch(1), "time,open,high,low,close,Volume"), (), None),
    "BYBIT_BTCUSDT.P, 60_1a2b3.csv": (lambda: table(truth(), "%Y-%m-%dT%H:%M:%SZ", "time,open,high,low,close,Volume"), (), None),
    "BTCUSDT_short.csv": (lambda: table(truth(), epoch(1000), "t,o,h,l,c,v"), SPOT, None),
    "BTCUSDT_unasked.csv": (lambda: table(truth(), epoch(1000), "t,o,h,l,c,v"), (), "can be spot"),
    "BTCUSDT-1h-2025-04.csv": (lambda: klines(1000, True), SPOT, None),
    "BTCUSDT-1h-2025-05.zip": (lambda: archive("BTCUSDT-1h-2025-05.csv", klines(1_000_000, False)), ("--perpetual",), None),
    "BTCUSDT bybit.json": (bybit, SPOT, None),
    "BTC-USD coinbase.json": (coinbase, (), None),
    "BTC-USD kraken.json": (answer(lambda t, o, h, low, c, v: [t, *map(str, (o, h, low, c, (h + low) / 2, v)), 5], kraken), (), None),
    "BTC-USDT kucoin.json": (answer(lambda t, o, h, low, c, v: [*map(str, (t, o, c, h, low, v, c * v))]), (), None),
    "BTC_USDT gate.json": (answer(lambda t, o, h, low, c, v: [*map(str, (t, c * v, c, h, low, o, v)), "true"]), (), None),
    "BTC_USDT-202504.csv": (lambda: "".join(f"{epoch(1)(t)},{v},{c},{h},{low},{o}\n" for t, o, h, low, c, v in truth()), (), None),
    "btc deribit.json": (deribit, ("--symbol", "BTC/USDT:USDT"), None),
    "BTCUSD ticks.csv": (lambda: "\n".join(f"{line},{'ticks' if not n else 30 + n}" for n, line in enumerate(table(truth(), "%d.%m.%Y %H:%M", ENGLISH).splitlines())), (), None),
    "X_BTCUSD polygon.csv": (polygon, (), None),
    "Bitcoin_historical_data_coinmarketcap.csv": (coinmarketcap, ("--symbol", "BTC/USD"), None),
    "Binance_BTCUSDT_1h.csv": (
        lambda: "https://www.CryptoDataDownload.com\n" + table(truth(), lambda time: [epoch(1000)(time), f"{time:%Y-%m-%d %H:%M:%S}", "BTCUSDT"],
        "Unix,Date,Symbol,Open,High,Low,Close,Volume BTC", newest_first=True), (), None),
    "Coinbase_BTCUSD_1h.csv": (
        lambda: "https://www.CryptoDataDownload.com\n" + table(truth(), lambda time: [f"{time:%Y-%m-%d %I-%p}", "BTCUSD"],
        "Date,Symbol,Open,High,Low,Close,Volume BTC", newest_first=True), (), None),
    "XBTUSDT_60.csv": (lambda: table(truth(), epoch(1), ""), SPOT, None),
    "Bitcoin Historical Data.csv": (investing("Date|Price|Open|High|Low|Vol.|Change %", "%m/%d/%Y", ".", ","), BTC, None),
    "Bitcoin Historische Daten.csv": (investing("Datum|Zuletzt|Eröffn.|Hoch|Tief|Vol.|+/- %", "%d.%m.%Y", ",", "."), BTC, None),
    "Bitcoin Données Historiques.csv": (investing("Date|Dernier|Ouv.| Plus Haut|Plus Bas|Vol.|Variation %", "%d/%m/%Y", ",", "."), BTC, None),
    "Bitcoin - Datos históricos.csv": (investing("Fecha|Último|Apertura|Máximo|Mínimo|Vol.|% var.", "%d.%m.%Y", ",", "."), BTC, None),
    "Bitcoin Dati Storici.csv": (investing("Data|Ultimo|Apertura|Massimo|Minimo|Vol.|Var. %", "%d.%m.%Y", ",", "."), BTC, None),
    "Bitcoin Dados Históricos.csv": (investing("Data|Último|Abertura|Máxima|Mínima|Vol.|Var%", "%d.%m.%Y", ",", "."), BTC, None),
    "Прошлые данные - BTC.csv": (investing("Дата|Цена|Откр.|Макс.|Мин.|Объём|Изм. %", "%d.%m.%Y", ",", "."), BTC, None),
    "btc 历史数据.csv": (investing("日期|收盘|开盘|高|低|交易量|涨跌幅", "%Y-%m-%d", ".", ","), BTC, None),
    "btc-usd-max.csv": (
        lambda: "snapped_at,price,market_cap,total_volume\n" + "".join(f"{t:%Y-%m-%d 00:00:00 UTC},{o},1.9e12,3e10\n" for t, o, *_ in truth(9, timedelta(days=1))),
        (), "prices of single moments"),
    "bitcoin_ohlc.csv": (lambda: "\n".join(line.rsplit(",", 1)[0] for line in table(truth(), epoch(1000), "timestamp,open,high,low,close,volume").splitlines()), (), "no volume"),
    "BTC-USD.csv": (yahoo, (), None),
    "BTC-USDT levels.csv": (lambda: (lambda out: (levels(out), out.getvalue())[1])(io.StringIO()), (), None),
    "btc_us.csv": (lambda: table(truth(), "%m/%d/%Y %H:%M", ENGLISH, thousands=","), BTC, None),
    "btc_us_12h.csv": (lambda: table(truth(), "%m/%d/%Y %I:%M %p", ENGLISH, thousands=","), BTC, None),
    "btc_de.csv": (excel("Datum Eröffnung Hoch Tief Schluss Volumen", "%d.%m.%Y %H:%M"), BTC, None),
    "btc_fr.csv": (excel("Date Ouverture Haut Bas Clôture Volume", "%d/%m/%Y %H:%M", ",", "\u202f"), BTC, None),
    "btc_es.csv": (excel("Fecha Apertura Máximo Mínimo Cierre Volumen", "%d/%m/%Y %H:%M:%S"), BTC, None),
    "btc_it.csv": (excel("Data Apertura Massimo Minimo Chiusura Volume", "%d/%m/%Y %H.%M"), BTC, None),
    "btc_pt.csv": (excel("Data Abertura Máxima Mínima Fechamento Volume", "%d/%m/%Y %H:%M"), BTC, None),
    "btc_nl.csv": (excel("Datum Opening Hoogste Laagste Slot Volume", "%d-%m-%Y %H:%M"), BTC, None),
    "btc_ru.csv": (lambda: table(truth(), "%d.%m.%Y %H:%M", "Дата;Открытие;Максимум;Минимум;Закрытие;Объём", ";", decimal=",", thousands=" ").encode("cp1251"), BTC, None),
    "btc_cn.csv": (lambda: table(truth(), "%Y/%m/%d %H:%M", "日期,开盘价,最高价,最低价,收盘价,成交量").encode("gb18030"), BTC, None),
    "btc_ch.tsv": (lambda: table(truth(), "%d.%m.%Y %H:%M", "Datum\tEröffnung\tHoch\tTief\tSchluss\tVolumen", "\t", thousands="'").encode("utf-16"), BTC, None),
    "btc_unclear.csv": (lambda: table(truth(24, start=START + 3 * 24 * HOUR + timedelta(days=1)), "%m/%d/%Y %H:%M", ENGLISH), BTC, "day and month can be either"),
    "btc_mdy.csv": (lambda: table(truth(), "%m/%d/%Y %H:%M", ENGLISH), (*BTC, "--date-format", "mdy"), None),
    "btc_serial.csv": (lambda: table(truth(), lambda time: f"{(time - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(days=1):.6f}", ENGLISH), BTC, None),
    "BTC_USDT_1h_rounded.csv": (lambda: table(truth(), lambda time: f"{time.timestamp() * 1000:.5E}", "timestamp,open,high,low,close,volume"), (), "a spreadsheet has rounded"),
    "btc.xlsx": (workbook(), BTC, None),
    "btc_texts.xlsx": (workbook("Datum Eröffnung Hoch Tief Schluss Volumen", texts=True), BTC, None),
    "btc_formula.xlsx": (workbook(formula=True), BTC, "a formula without a value in cell B3"),
    "BTC_USDT berlin.csv": (lambda: table(truth(), berlin, ENGLISH), ("--tz", "Europe/Berlin"), None),
    "BTC_USDT renamed.csv": (lambda: table(truth(), "%Y-%m-%d %H:%M", "Wann,A,B,C,D,E"), ("--columns", "date=Wann,open=A,high=B,low=C,close=D,volume=E"), None),
    "BTC_USDT unknown.csv": (lambda: table(truth(), "%Y-%m-%d %H:%M", "Wann,A,B,C,D,E"), (), "no time, open, high, low, close, volume in its columns"),
    "markets.csv": (two_symbols, (), None),
    "eth_as_btc.csv": (lambda: two_symbols().replace("BTCUSDT.P", "ETHUSDT.P"), ("--symbol", "BTC/USDT:USDT"), "rows of ETHUSDT.P"),
    "BTC_USDT pandas index.csv": (lambda: frame(truth()).set_index("date").rename_axis(None).to_csv(), (), None),
    "BTC_USDT pandas rows.csv": (lambda: frame(truth()).to_csv(), (), None),
    "BTC_USDT polars.csv": (lambda: table(truth(), "%Y-%m-%dT%H:%M:%S.000000+0000", ENGLISH), (), None),
    "BTC_USDT pandas.parquet": (binary(frame(truth()).assign(date=lambda made: made["date"].dt.tz_convert("Asia/Tokyo")).set_index("date").to_parquet), (), None),
    "BTC_USDT seconds.parquet": (binary(frame(truth()).assign(date=lambda made: made["date"].dt.tz_localize(None).astype("datetime64[s]")).to_parquet), (), None),
    "BTC_USDT index.feather": (binary(frame(truth()).assign(symbol="BTC/USDT").to_feather), (), None),
    "BTC_USDT records.json": (lambda: frame(truth()).to_json(orient="records", date_format="iso"), (), None),
    "BTC_USDT columns.json": (lambda: frame(truth()).set_index("date").to_json(date_format="iso"), (), None),
    "BTC_USDT lines.jsonl": (lambda: frame(truth()).to_json(orient="records", lines=True, date_format="iso"), (), None),
}  # fmt: skip


def write_exports(folder):
    """Write every export into a folder."""
    for name, (make, _, _) in EXPORTS.items():
        content = make()
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def run(folder, name):
    """Import one export by the command line's workflow: the result."""
    from quorate.workflows.import_candles import import_each

    flags = {"--spot": ("perpetual", False), "--perpetual": ("perpetual", True)}
    given, options = iter(EXPORTS[name][1]), {}
    for flag in given:
        key, value = flags[flag] if flag in flags else (flag[2:].replace("-", "_"), next(given))
        options[key] = value
    return import_each(folder / name, folder / "store" / name, **options)


def outcome(result):
    """What happened, in a line of the matrix."""
    if result.markets:
        return "; ".join(f"{market.symbol} {market.timeframe}, {market.merged.added} bars" for market in result.markets)
    (refused,) = result.refused
    return f"refused: {refused.error.found}"


def run_all(folder):
    """Write and import every export: file -> result."""
    write_exports(folder)
    return {name: run(folder, name) for name in EXPORTS}


def page(results):
    """The page of the documentation."""
    lines = [
        "# Files that can be imported",
        "",
        "What `quorate data import` does with exports of other programs. The tests make each of these files from one table of",
        "true candles, import it with the options named, and compare the result with the truth. This page is written by",
        "`python tests/market/tables/exports.py --page`.",
        "",
        "| file | options | result |",
        "|---|---|---|",
    ]
    for name, result in results.items():
        given = " ".join(EXPORTS[name][1])
        lines.append(f"| {name} | {f'`{given}`' if given else ''} | {outcome(result)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        text = page(run_all(Path(scratch)))
    if "--page" in sys.argv:
        (Path(__file__).parents[3] / "docs/imports.md").write_text(text, encoding="utf-8")
    else:
        print(text)
