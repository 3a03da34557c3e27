"""Faults of an exchange, enabled one by one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Faults of the connection: no HTTP response, or one that is not a page of rows.
CONNECTION = ("hang", "reset", "status", "refusal", "truncated", "body")

Rows = list[Any]


@dataclass
class Fault:
    """One fault.

    Attributes:
        kind: hang (no response for `seconds`), reset (the connection closes), status (HTTP `code` with `retry_after`),
            refusal (HTTP 400 with the exchange's error `code`, such as -1121),
            truncated (JSON cut in the middle), body (`body` unchanged), half_page (the first half of the rows),
            duplicates (every row twice), conflicts (every row twice, the second with another volume), reordered (newest
            first), revised (rows from `since` on with every price times `factor`), future (the last row stamped two
            bars ahead), missing (rows from `since` on are left out), empty (no rows).
        path: last part of the endpoint, such as klines, markPriceKlines, fundingRate or time; empty for all.
        symbol: the exchange's name, such as BTCUSDT; empty for all.
        times: number of responses it applies to; 0 for all until it is removed.
        after: number of responses before the first faulty one.
    """

    kind: str
    path: str = ""
    symbol: str = ""
    times: int = 1
    after: int = 0
    code: int = 503
    retry_after: float | None = None
    seconds: float = 5.0
    since: int = 0
    factor: float = 1.01
    columns: tuple[int, ...] = ()
    body: str = ""

    def __post_init__(self) -> None:
        if self.kind not in (*CONNECTION, *SPOILERS):
            raise ValueError(f"unknown fault {self.kind!r}; expected one of {', '.join((*CONNECTION, *SPOILERS))}")


class Faults:
    """Enabled faults."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, path: str, symbol: str) -> Fault | None:
        """First fault that applies to a request; counts as one use of it."""
        with self._lock:
            for fault in self._faults:
                if fault.path not in ("", path) or fault.symbol not in ("", symbol):
                    continue
                if fault.after:
                    fault.after -= 1
                    continue
                if fault.times == 1:
                    self._faults.remove(fault)
                elif fault.times:
                    fault.times -= 1
                return fault
        return None


def spoil(fault: Fault, rows: Rows) -> Rows:
    """Apply a fault to a page of klines or settlements."""
    return SPOILERS[fault.kind](fault, rows)


def _conflict(fault: Fault, rows: Rows) -> Rows:
    return [spoiled for row in rows for spoiled in (row, _scaled(row, fault.factor, (5,), "fundingRate"))]


def _revised(fault: Fault, rows: Rows) -> Rows:
    return [
        _scaled(row, fault.factor, (1, 2, 3, 4), "fundingRate") if _time(row) >= fault.since else row for row in rows
    ]


def _spike(fault: Fault, rows: Rows) -> Rows:
    return [_scaled(row, fault.factor, fault.columns, "") if _time(row) == fault.since else row for row in rows]


def _future(fault: Fault, rows: Rows) -> Rows:
    if not rows:
        return rows
    row = json.loads(json.dumps(rows[-1]))
    if isinstance(row, list):
        ahead = 2 * (row[6] + 1 - row[0])
        row[0], row[6] = row[0] + ahead, row[6] + ahead
    else:
        row["fundingTime"] += 86_400_000
    return [*rows[:-1], row]


def _scaled(row: Any, factor: float, columns: tuple[int, ...], key: str) -> Any:
    if isinstance(row, dict):
        return {**row, key: repr(float(row[key]) * factor)}
    return [repr(float(value) * factor) if at in columns else value for at, value in enumerate(row)]


def _time(row: Any) -> int:
    return int(row["fundingTime"] if isinstance(row, dict) else row[0])


SPOILERS: dict[str, Callable[[Fault, Rows], Rows]] = {
    "half_page": lambda _, rows: rows[: (len(rows) + 1) // 2],
    "duplicates": lambda _, rows: [row for row in rows for _ in range(2)],
    "conflicts": _conflict,
    "reordered": lambda _, rows: rows[::-1],
    "revised": _revised,
    "future": _future,
    "spike": _spike,
    "missing": lambda fault, rows: [row for row in rows if _time(row) < fault.since],
    "empty": lambda *_: [],
}
