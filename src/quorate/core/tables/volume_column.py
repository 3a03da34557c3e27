"""Which column of a table is the volume, and what it counts: coins, money, or price changes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from quorate.core.tables.table import RawTable, TableColumn

# Currencies that a column of volumes names when it is money, not coins.
_FIAT = ("USD", "EUR", "GBP", "JPY", "KRW", "TRY", "BRL", "AUD", "CAD", "CHF", "RUB", "INR")
_MONEY = frozenset((*_FIAT, "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "DAI"))


def volume_column(
    table: RawTable, roles: Sequence[tuple[str, str]], found: list[int], mine: Sequence[int], hints: Sequence[str]
) -> tuple[int | None, str, bool]:
    """Place of the volume, the column's name if it counts money, and whether it counts price changes.

    Args:
        table: the table.
        roles: role of each column, and the unit that its name states.
        found: columns whose role is the volume.
        mine: columns of the market.
        hints: what is known of the market's symbol, which tells coins from money.
    """
    money = [n for n in found if _is_money(roles[n][1], hints)]
    coins = [n for n in found if n not in money]
    if any(roles[n][0] == "market_cap" for n in mine):  # of sites that show all in dollars
        money, coins = [*coins, *money], []
    ticks = [n for n in mine if roles[n][0] == "tick_volume"]
    coins.sort(key=lambda n: roles[n][1] != "")
    if coins and not (ticks and _is_zero(table.columns[coins[0]])):
        return coins[0], "", False
    if ticks:
        return ticks[0], "", True
    money += [n for n in mine if roles[n][0] == "quote_volume"]
    return (money[0], table.columns[money[0]].name, False) if money else (None, "", False)


def _is_money(unit: str, hints: Sequence[str]) -> bool:
    bare = [re.sub(r"[^A-Z0-9]", "", hint.partition(":")[0].upper()) for hint in hints]
    if unit and any(hint.startswith(unit) for hint in bare):
        return False
    return bool(unit) and (unit in _MONEY or any(hint.endswith(unit) for hint in bare))


def _is_zero(column: TableColumn) -> bool:
    if column.kind == "O":
        return all(text.strip() in ("", "0") for text in column.values if text)
    return not np.nan_to_num(column.values.astype(np.float64)).any()
