"""Success criteria: target, measured value, and whether the target is met.

The same table is used by `evaluate`, `backtest` and paper trading; it needs only figures of decisions and trades.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Literal

from quorate.core.settings import CriteriaSettings

Unit = Literal["share", "usd", "ratio"]


def criteria(
    decisions: Mapping[str, Any],
    trades: Mapping[str, Any] | None,
    settings: CriteriaSettings,
    *,
    stack: Mapping[str, Any] | None = None,
    rules: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """One row per criterion: name, target, measured, ok, shown, unit, interval, note.

    `measured` is the exact value; `shown` is its text, rounded so that it never looks better than it is. `ok` compares
    the value with the target, regardless of `interval`; it is null if nothing could be measured, with the reason in
    `note`.

    Args:
        decisions: figures of `decision_figures`.
        trades: figures of `trade_figures`; None without a backtest.
        settings: targets.
        stack: figures of `trade_figures` of the stack with panel; None without one.
        rules: those of the fallback rules on the stack's bars; None without them.
    """
    return [*_vote_rows(decisions, trades, settings), *_stack_rows(stack, rules, settings)]


def _vote_rows(
    decisions: Mapping[str, Any], trades: Mapping[str, Any] | None, settings: CriteriaSettings
) -> list[dict[str, Any]]:
    money: Mapping[str, Any] = {"n": 0} if trades is None else trades
    n = int(money["n"])
    needed = settings.trades
    few = "" if n >= needed else f"n/a: {n} of {needed} trades"
    mix: Mapping[str, float] = decisions["mix"]
    decided = "" if decisions["decided"] else "n/a: no model voted on any bar"
    rows = [
        _above(
            "mean confidence",
            decisions.get("mean_confidence"),
            settings.mean_confidence,
            "share",
            "n/a: no BUY or SELL",
            interval=decisions.get("mean_confidence_ci"),
        ),
        _above(
            "win rate",
            money.get("win_rate"),
            settings.win_rate,
            "share",
            "n/a: no trade",
            few,
            over=f" over {needed}+ trades",
            interval=money.get("win_rate_ci"),
        ),
        _below(
            "fallback use",
            decisions.get("fallback"),
            settings.fallback,
            "share",
            "n/a: no bars",
            interval=decisions.get("fallback_ci"),
        ),
        _at_most(
            "largest loss",
            money["largest_loss_usd"] if n else None,
            settings.largest_loss_usd,
            "usd",
            "n/a: no trade",
            target=f"none above {_target(settings.largest_loss_usd, 'usd')}",
        ),
        _above(
            "reward / risk",
            money.get("reward_risk"),
            settings.reward_risk,
            "ratio",
            _why(money, "reward_risk"),
            interval=money.get("reward_risk_ci"),
        ),
    ]
    for name in ("unanimous", "strong", "split"):
        share = None if decided else mix.get(name, 0.0)
        rows.append(_within(name, share, getattr(settings, name), decided, decisions.get("mix_ci", {}).get(name)))
    return rows


def _stack_rows(
    stack: Mapping[str, Any] | None, rules: Mapping[str, Any] | None, settings: CriteriaSettings
) -> list[dict[str, Any]]:
    money: Mapping[str, Any] = {"n": 0} if stack is None else stack
    why = "n/a: no stack with panel" if stack is None else "n/a: no trade"

    def reason(name: str) -> str:
        return why if stack is None else _why(money, name)

    losses, rule_losses = money.get("losses"), None if rules is None else rules.get("losses")
    fewer = None if losses is None or not rule_losses else 1 - losses / rule_losses
    no_losses = why if stack is None else "n/a: the rules have no losing trade on the same bars"
    return [
        _at_least(
            "stack: win rate",
            money.get("win_rate"),
            settings.stack_win_rate,
            "share",
            reason("win_rate"),
            money.get("win_rate_ci"),
        ),
        _at_least(
            "stack: Sharpe",
            money.get("sharpe"),
            settings.stack_sharpe,
            "ratio",
            reason("sharpe"),
            money.get("sharpe_ci"),
        ),
        _at_most(
            "stack: max drawdown",
            money.get("max_drawdown"),
            settings.stack_drawdown,
            "share",
            reason("max_drawdown"),
            interval=money.get("max_drawdown_ci"),
        ),
        _at_least(
            "stack: losing entries",
            fewer,
            settings.stack_fewer_losses,
            "share",
            no_losses,
            than=" fewer than the rules",
        ),
    ]


def shown(value: float, unit: Unit, *, up: bool = False) -> str:
    """A figure as text, rounded down; `up` rounds up, for figures with an upper limit.

    >>> shown(0.69999, "share"), shown(15.001, "usd", up=True), shown(0.57, "share")
    ('69.9 %', '$15.01', '57.0 %')
    """
    exact, rounding = Decimal(repr(float(value))), ROUND_CEILING if up else ROUND_FLOOR
    if unit == "share":
        return f"{(exact * 100).quantize(Decimal('0.1'), rounding)} %"
    cut = exact.quantize(Decimal("0.01"), rounding)
    return f"${cut:,}" if unit == "usd" else f"{cut:,}"


def _row(
    name: str,
    target: str,
    value: float | None,
    ok: bool,
    unit: Unit,
    note: str,
    interval: list[float] | None = None,
    *,
    up: bool = False,
) -> dict[str, Any]:
    """One row; `note` is the reason if the value cannot be compared with the target, else empty."""
    return {
        "name": name,
        "target": target,
        "measured": value,
        "ok": None if value is None or note else ok,
        "shown": "n/a" if value is None else shown(value, unit, up=up),
        "unit": unit,
        "interval": interval,
        "note": note,
    }


def _above(
    name: str,
    value: float | None,
    least: float,
    unit: Unit,
    missing: str,
    few: str = "",
    over: str = "",
    interval: list[float] | None = None,
) -> dict[str, Any]:
    target = f"> {_target(least, unit)}{over}"
    if value is None:
        return _row(name, target, None, False, unit, missing)
    return _row(name, target, value, value > least, unit, few, interval)


def _at_least(
    name: str,
    value: float | None,
    least: float,
    unit: Unit,
    missing: str,
    interval: list[float] | None = None,
    than: str = "",
) -> dict[str, Any]:
    target = f"at least {_target(least, unit)}{than}"
    if value is None:
        return _row(name, target, None, False, unit, missing)
    return _row(name, target, value, value >= least, unit, "", interval)


def _below(
    name: str, value: float | None, most: float, unit: Unit, missing: str, interval: list[float] | None = None
) -> dict[str, Any]:
    target = f"< {_target(most, unit)}"
    if value is None:
        return _row(name, target, None, False, unit, missing)
    return _row(name, target, value, value < most, unit, "", interval, up=True)


def _at_most(
    name: str,
    value: float | None,
    most: float,
    unit: Unit,
    missing: str,
    *,
    target: str = "",
    interval: list[float] | None = None,
) -> dict[str, Any]:
    target = target or f"at most {_target(most, unit)}"
    if value is None:
        return _row(name, target, None, False, unit, missing)
    return _row(name, target, value, value <= most, unit, "", interval, up=True)


def _within(
    name: str, value: float | None, ends: tuple[float, float], missing: str, interval: list[float] | None = None
) -> dict[str, Any]:
    target = f"{ends[0] * 100:g}-{_target(ends[1], 'share')} of decided bars"
    if value is None:
        return _row(name, target, None, False, "share", missing)
    # Round away from the range, so that a value outside never looks like one inside.
    return _row(name, target, value, ends[0] <= value <= ends[1], "share", "", interval, up=value > ends[1])


def _target(value: float, unit: Unit) -> str:
    if unit == "share":
        return f"{value * 100:g} %"
    return f"${value:g}" if unit == "usd" else f"{value:g}"


def _why(figures: Mapping[str, Any], name: str) -> str:
    return f"n/a: {figures.get('missing', {}).get(name, 'no trade')}"
