"""Names of candle columns in the languages and programs that people export from."""
# ruff: noqa: RUF001 - letters of other alphabets are meant

from __future__ import annotations

import re
import unicodedata
from functools import cache

_NAMES = {
    "open_time": (
        "open time|open_time|time open|start|start time|start at|period start|begin|"
        "candle begin time|time period start|kline open time|open timestamp|window start|bar start|"
        "开盘时间|開始時刻"
    ),
    "close_time": "close time|close_time|end|end time|time close|time high|time low|kline close time|收盘时间",
    "epoch": "unix|unix time|unix timestamp|epoch|ts|mts|timestamp ms",
    "date": (
        "date|datum|datetime|date time|date utc|datetime utc|utc|gmt time|utc time|time utc|local time|snapped at|"
        "day|fecha|data|fecha y hora|data e ora|data e hora|datum uhrzeit|datum und uhrzeit|"
        "date et heure|datum en tijd|datum tijd|дата|дата и время|дата время|日期|日期时间|交易日期|日付|日時|날짜|"
        "일자|일시|tarih|data i czas|dátum|dato|tanggal|ngày|päivämäärä|pvm|ημερομηνία|วันที่|תאריך|"
        "التاريخ"
    ),
    "time": (
        "time|t|zeit|zeitpunkt|uhrzeit|hora|heure|ora|tijd|время|时间|時間|时刻|時刻|시간|saat|godzina|czas|"
        "čas|tid|aika|ώρα|waktu|giờ"
    ),
    "timestamp": "timestamp|time stamp|zeitstempel|horodatage|marca de tiempo|tijdstempel|временная метка|时间戳",
    "open": (
        "open|o|open price|opening|opening price|price open|eröffnung|eröffn|eröffnungskurs|"
        "eröffnungspreis|eroeffnung|ouverture|ouv|apertura|aper|abertura|abert|openingskoers|откр|"
        "открытие|цена откр|цена открытия|开盘|开盘价|开|开盘价格|始値|시가|açılış|otwarcie|otw|nyitó|otevření|"
        "öppen|öppning|åbning|åpning|avaus|άνοιγμα|mở|mở cửa|pembukaan|เปิด|פתיחה|الافتتاح|فتح"
    ),
    "high": (
        "high|h|high price|max|maximum|price high|hoch|höchst|höchstkurs|höchster|tageshoch|hoechst|"
        "plus haut|haut|p haut|máximo|máx|alto|massimo|máxima|hoog|hoogste|макс|максимум|макс цена|"
        "максимальная цена|最高|最高价|高|高値|고가|yüksek|en yüksek|maks|najwyższy|najwyższa|maximális|"
        "nejvyšší|högst|högsta|høj|høy|ylin|υψηλό|cao|cao nhất|tertinggi|สูงสุด|גבוה|الأعلى|مرتفع"
    ),
    "low": (
        "low|l|low price|min|minimum|price low|tief|tiefst|tiefstkurs|tiefster|tagestief|niedrig|"
        "plus bas|bas|p bas|mínimo|mín|bajo|basso|minimo|mínima|baixo|laag|laagste|мин|минимум|"
        "мин цена|минимальная цена|最低|最低价|低|安値|저가|düşük|en düşük|najniższy|najniższa|nejnižší|lägst|"
        "lägsta|lav|alin|χαμηλό|thấp|thấp nhất|terendah|ต่ำสุด|נמוך|الأدنى|منخفض"
    ),
    "close": (
        "close|c|close price|closing|closing price|price close|schluss|schlusskurs|schluß|schlußkurs|"
        "clôture|clôt|fermeture|cierre|chiusura|chius|fechamento|fecho|slot|slotkoers|sluiting|закр|"
        "закрытие|цена закр|цена закрытия|收盘|收盘价|收|收盘价格|終値|종가|kapanış|zamknięcie|zamk|záró|zavření|"
        "stängning|stängt|lukk|lukning|päätös|κλείσιμο|đóng cửa|penutupan|ปิด|סגירה|إغلاق"
    ),
    "price": (
        "price|prices|last|last price|zuletzt|letzter|letzte|preis|kurs|dernier|prix|cours|último|"
        "precio|ultimo|prezzo|preço|laatste|prijs|koers|цена|ostatnio|cena|şimdi|senast|seneste|"
        "siste|最新价|现价|现在値|lần cuối|terakhir|ล่าสุด"
    ),
    "volume": (
        "volume|v|vol|volumes|base volume|volume base|volumefrom|volume from|base asset volume|"
        "volumen|volum|volym|volume traded|объём|объем|成交量|交易量|出来高|거래량|hacim|hac|wolumen|wol|objem|όγκος|"
        "khối lượng|kl|real volume|menge|handelsvolumen|volumen de negociación"
    ),
    "tick_volume": "tickvol|tick vol|tick volume|tickvolume|тиковый объём",
    "quote_volume": (
        "quote volume|volume quote|quote asset volume|volumeto|volume to|turnover|total volume|"
        "umsatz|成交额|volccyquote|quote vol"
    ),
    "symbol": (
        "symbol|pair|ticker|instrument|instrument id|instid|product id|market|trading pair|symbole|"
        "símbolo|simbolo|symbool|paar|тикер|инструмент|交易对|代码|sym"
    ),
    "timeframe": "interval|timeframe|time frame|tf|granularity|resolution|per",
    "market_cap": "market cap|marketcap",
}


def plain(text: str) -> str:
    """A name without case, accents, punctuation, spaces and units in brackets.

    >>> plain("<OPEN>"), plain("Eröffn."), plain("Volume (BTC)"), plain("Open_time")
    ('open', 'eroffn', 'volume', 'opentime')
    """
    bare = re.sub(r"[(\[\uff08].*?[)\]\uff09]", "", text)
    decomposed = unicodedata.normalize("NFKD", (bare if bare.strip() else text).casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


@cache
def _roles() -> dict[str, str]:
    return {plain(name): role for role, names in _NAMES.items() for name in names.split("|")}


def role_of(head: str) -> tuple[str, str] | None:
    """Role of a column by its header, and the currency that it names; None for an unknown header.

    >>> role_of("Öffnung") is None, role_of("Eröffnung"), role_of("Volume BTC"), role_of("Vol. (USDT)")
    (True, ('open', ''), ('volume', 'BTC'), ('volume', 'USDT'))
    """
    name = plain(head)
    role = _roles().get(name) or _roles().get(re.sub(r"^(?:price|ohlc|kline|candle)", "", name))
    bracket = re.search(r"[(\[]([A-Za-z0-9]{2,10})[)\]]", head)
    unit = bracket[1].upper() if bracket else ""
    if role is not None:
        return role, unit
    words = head.replace("_", " ").split()
    if len(words) == 2 and _roles().get(plain(words[0])) == "volume" and re.fullmatch(r"[A-Za-z0-9]{2,10}", words[1]):
        return "volume", words[1].upper()
    return None


def roles_in(heads: list[str]) -> int:
    """How many different roles of candles a line of headers names."""
    found = {role for role in map(role_of, heads) if role is not None}
    return len({role for role, _ in found})
