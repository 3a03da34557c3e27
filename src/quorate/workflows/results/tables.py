"""Results as pandas frames. pandas is imported only where a frame is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.errors import ArgumentError, MissingExtraError, close_match
from quorate.core.types import CLASS_NAMES

if TYPE_CHECKING:
    import pandas as pd

    from quorate.core.types import DecisionFrame, IntArray
    from quorate.evaluation.metrics.equity import EquityCurve
    from quorate.trading.backtest.backtest_result import BacktestResult

_TRADE_TIMES = ("decided", "entry_time", "exit_time")
_INTERVAL = "_ci"


def table_of(tables: Mapping[str, Callable[[], pd.DataFrame]], name: str) -> pd.DataFrame:
    """One of several tables by its name.

    Args:
        tables: name -> what makes it.
        name: what the caller asked for.

    Raises:
        ArgumentError: no such table; all names are listed.
    """
    if name not in tables:
        raise ArgumentError(
            "make a pandas frame",
            found=f"`table` {name!r}",
            expected=f"one of {', '.join(tables)}",
            remedy=close_match(str(name), tables),
        )
    return tables[name]()


def pandas() -> Any:
    """The module pandas.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "make a pandas frame", found="pandas is not installed", remedy="Run: pip install pandas"
        ) from error
    return pd


def utc(time: IntArray | Sequence[int]) -> Any:
    """Times in ms since 1970 as a pandas index of times in UTC."""
    return pandas().to_datetime(time, unit="ms", utc=True)


def metric_table(rows: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A row for each name, a column for each number; intervals as columns `<number>_low` and `<number>_high`.

    Args:
        rows: name -> figures as in JSON; texts, lists and inner documents are left out, but for the parts of the
            skill, named `skill_volatility` and `skill_direction`. Missing numbers are NaN.
    """
    table = {name: _numbers(figures) | _numbers(_parts(figures)) for name, figures in rows.items()}
    return pandas().DataFrame.from_dict(table, orient="index", dtype=float)


def score_and_money(figures: Mapping[str, Any], trades: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Figures of one model or baseline in one row; `n` is the rows scored and `trades` the trades made.

    Args:
        figures: of its scores, or where these hold a return, of its account.
        trades: of its account, where that is apart.
    """
    if trades is None and "total_return" in figures:
        figures, trades = {}, figures
    money = {} if trades is None else dict(trades)
    count = {"trades": money.pop("n")} if "n" in money else {}
    scores = {name: value for name, value in figures.items() if name != "trades"}
    return {**scores, **count, **money}


def trade_table(result: BacktestResult) -> pd.DataFrame:
    """One row a trade, in the order they were closed; times in UTC."""
    columns = list(_columns_of_trades())
    frame = pandas().DataFrame([trade.to_json() for trade in result.trades], columns=columns)
    for name in _TRADE_TIMES:
        frame[name] = utc([getattr(trade, name) for trade in result.trades])
    return frame


def equity_table(result: BacktestResult, curves: Mapping[str, EquityCurve] | None = None) -> pd.DataFrame:
    """Equity in USD at the close of each bar by open time in UTC, and that of baselines beside it.

    Args:
        result: of the account.
        curves: name -> equity of a baseline; a column `<name>_usd` each, NaN on bars that it does not have.
    """
    pd = pandas()
    columns = {"equity_usd": pd.Series(result.equity_usd, utc(result.time), dtype=float)}
    for name, curve in (curves or {}).items():
        columns[f"{name}_usd"] = pd.Series(curve.equity, utc(curve.time), dtype=float)
    return pd.DataFrame(columns).rename_axis("time")


def decision_table(frames: Mapping[str, DecisionFrame] | Sequence[DecisionFrame]) -> pd.DataFrame:
    """One row a bar of each market: the decision, what it rests on, and each member's scores; times in UTC."""
    pd = pandas()
    parts = [_decisions(frame) for frame in (frames.values() if isinstance(frames, Mapping) else frames)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(_DECISIONS))


_DECISIONS = ("symbol", "time", "action", "confidence", "consensus", "rule", "policy", "volatility")


def _decisions(frame: DecisionFrame) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "symbol": frame.symbol,
        "time": utc(frame.time),
        "action": np.array(CLASS_NAMES)[frame.action],
        "confidence": frame.confidence,
        "consensus": frame.consensus,
        "rule": frame.rule,
        "policy": frame.policy,
        "volatility": frame.volatility,
    }
    if frame.probabilities is not None:
        columns |= _by_class("probability", frame.probabilities)
    if frame.predicted is not None:
        columns["predicted_return"] = frame.predicted
    for model, scores in frame.scores.items():
        columns |= _by_class(model, scores)
    columns |= {f"{model}_return": forecast for model, forecast in frame.forecasts.items()}
    return pandas().DataFrame(columns)


def _by_class(name: str, table: Any) -> dict[str, Any]:
    return {f"{name}_{label.lower()}": table[:, place] for place, label in enumerate(CLASS_NAMES)}


def _parts(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {f"skill_{name}": value for name, value in figures.get("skill", {}).items()}


def _numbers(figures: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in figures.items():
        if name.endswith(_INTERVAL):
            low, high = value or (np.nan, np.nan)
            plain = name.removesuffix(_INTERVAL)
            found |= {f"{plain}_low": low, f"{plain}_high": high}
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            found[name] = np.nan if value is None else float(value)
    return found


def _columns_of_trades() -> tuple[str, ...]:
    from quorate.trading.account.trade import Trade

    names = Trade._fields
    place = names.index("funding_usd") + 1
    return (*names[:place], "net_usd", *names[place:])
