"""Cards: the main figures, each beside its baseline. The sign decides the colour, a mark says what chance explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.evaluation.report.formatting import Cell, Figure, Kind, Tone, cell, text_of, tone_of
from quorate.evaluation.report.page.template import Html, Page

if TYPE_CHECKING:
    from quorate.evaluation.report.reported_run import ReportedRun

_CLEAR, _CHANCE = "● beyond chance", "○ within chance"
KEY = (
    "Colours show the sign. ● the interval excludes 0 (1 for the profit factor); ○ it does not, so chance alone may "
    "explain the figure."
)


def cards(page: Page, run: ReportedRun) -> Html:
    """Return, drawdown, Sharpe ratio, win rate, profit factor and skill."""
    trades, hold = run.figures["trades"], run.figures["baselines"].get("buy_and_hold", {})
    traded = bool(trades["n"])
    level = f"{run.figures['intervals']['confidence']:.0%}"
    made = [
        _tile(page, "Return", trades, "total_return", "percent", _beside("holding", hold, "total_return", "percent")),
        # Its interval is of daily closes, and can lie below the drawdown of every bar.
        page.tile(
            "Max drawdown",
            Cell(cell(trades, "max_drawdown", "share").text),
            _beside("holding", hold, "max_drawdown", "share"),
        ),
        _tile(page, "Sharpe ratio", trades, "sharpe", "number", _beside("holding", hold, "sharpe", "number")),
        _tile(page, "Win rate", trades, "win_rate", "share", _count(trades)) if traded else Html(""),
        _tile(page, "Profit factor", trades, "profit_factor", "number", "gains over losses") if traded else Html(""),
        _skill(page, run),
    ]
    return Html(
        page.tiles(*(tile for tile in made if tile)) + f'<p class="muted key-note">{KEY} Intervals: {level}.</p>'
    )


def _skill(page: Page, run: ReportedRun) -> Html:
    ensemble = run.figures["ensemble"]
    if run.recipe == "stack":
        return _tile(page, "R2 of returns", ensemble, "r2_vs_zero", "percent", "predicting 0: 0 %")
    return _tile(page, "Skill", ensemble, "skill_vs_prior", "percent", "class shares: 0 %")


# Value of a figure that says nothing, where it is good to lie above it; others have no sign.
_NEUTRAL = {"total_return": 0.0, "sharpe": 0.0, "profit_factor": 1.0, "skill_vs_prior": 0.0, "r2_vs_zero": 0.0}


def _tile(page: Page, label: str, figures: Figure, name: str, kind: Kind, beside: str) -> Html:
    made, value, ends = cell(figures, name, kind), figures.get(name), figures.get(f"{name}_ci")
    if value is None or name not in _NEUTRAL:
        return page.tile(label, Cell(made.text, made.interval, made.reason), beside)
    neutral = _NEUTRAL[name]
    tone: Tone = tone_of(value - neutral)
    badge = "" if ends is None else _CLEAR if (ends[0] - neutral) * (ends[1] - neutral) > 0 else _CHANCE
    return page.tile(label, Cell(made.text, made.interval, made.reason, tone), beside, badge)


def _beside(name: str, figures: Figure, key: str, kind: Kind) -> str:
    value = figures.get(key)
    return "" if value is None else f"{name}: {text_of(value, kind)}"


def _count(trades: Figure) -> str:
    return f"of {trades['n']:,} {'trade' if trades['n'] == 1 else 'trades'}, {trades['wins']:,} won"
