"""The page of a book: one self-contained file, the verdict first and the statistics last."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from quorate.core.files import write_text_atomic
from quorate.core.redaction import redact_known
from quorate.evaluation.book.judge import BookJudgement
from quorate.evaluation.report.book import tables
from quorate.evaluation.report.book.charts import beside_chart, placebo_chart, robustness_chart
from quorate.evaluation.report.book.figure import figure, figure_data
from quorate.evaluation.report.formatting import Cell, Figure, Kind, Tone, interval_text, text_of, tone_of
from quorate.evaluation.report.page.template import Html, Page
from quorate.evaluation.report.sections.months import calendar

# Variants whose names do not say all.
_EXPLAINED = ("at_bars", "without_band", "without_best_markets")

_ENOUGH = 0.95  # probability that counts as proven

_CLEAR, _CHANCE = "● beyond chance", "○ within chance"


def write_book_report(judgement: BookJudgement, path: Path, *, warnings: Sequence[str] = ()) -> None:
    """Write the page of a judgement as one HTML file, atomically.

    Args:
        judgement: of a book.
        path: of the file; its folder is created.
        warnings: sentences shown as banners at the top.

    Raises:
        DataError: the file cannot be written.
    """
    write_text_atomic(path, redact_known(render_book_report(judgement, warnings=warnings)))


def render_book_report(judgement: BookJudgement, *, warnings: Sequence[str] = ()) -> str:
    """The page as HTML text: it needs no network, has a light and a dark scheme, and fits screens from 360 pixels.

    Args:
        judgement: of a book.
        warnings: sentences shown as banners at the top.
    """
    figures = judgement.figures
    page = Page(synthetic=judgement.synthetic)
    title = f"Book of {_listed(list(figures['sleeves']))}"
    data = figure_data(judgement.series)
    body = [] if data is None else _sections(page, figures, data)
    return page.document(
        f"{title} - Quorate",
        _header(figures, title),
        Html("".join(body)),
        warnings=warnings,
        footer=_footer(figures),
        data=None if data is None else {"book": data},
        scripts=("book.js",),
    )


def _sections(page: Page, figures: Figure, data: dict[str, Any]) -> list[Html]:
    months = [{**row, "buy_and_hold": row["btc"]} for row in figures["by_month"]]
    return [
        page.section("Overview", _cards(page, figures), anchor="overview"),
        page.section("Equity, exposure and weights", figure(data, figures), anchor="chart", name="Chart"),
        page.section("Months", calendar(months), anchor="months", hint="Net return in percent; holding is BTC."),
        page.section(
            "Beside holding",
            page.table(tables.performance_table(figures)),
            anchor="beside",
        ),
        page.section(
            "Sleeves",
            page.table(tables.sleeve_table(figures)),
            page.row(
                page.chart(beside_chart(figures), "Net Sharpe ratios", "with their intervals"),
                page.table(tables.correlation_table(figures)),
            ),
            anchor="sleeves",
        ),
        page.section(
            "Worse conditions",
            page.table(tables.robustness_table(figures)),
            page.row(
                page.chart(
                    robustness_chart(figures), "Net Sharpe ratios under worse conditions", "with their intervals"
                ),
                page.chart(
                    placebo_chart(figures), "Placebos", "books without a signal: weights of other days or other markets"
                ),
            ),
            anchor="robustness",
        ),
        page.folded("For the sceptic", "sceptic", _sceptic(page, figures), hint="Chance, markets, costs, survivorship"),
    ]


def _sceptic(page: Page, figures: Figure) -> Html:
    about = figures["about"]
    return Html(
        "".join(
            (
                page.group(
                    "Chance",
                    page.row(page.table(tables.selection_table(figures)), page.table(tables.placebo_table(figures))),
                ),
                page.group(
                    "Market",
                    page.row(page.table(tables.beta_table(figures)), page.table(tables.money_table(figures))),
                    page.table(tables.year_table(figures)),
                ),
                page.group(
                    "Which markets",
                    page.row(page.table(tables.survivorship_table(figures)), page.table(tables.market_table(figures))),
                ),
                page.prose(
                    "How it was measured",
                    [
                        about["figures"],
                        f"The spread of the trials' Sharpe ratios is {figures['deflation']['spread_of_trials']}.",
                        *(f"{tables.HOLDINGS[name]}: {about[name]}." for name in tables.HOLDINGS),
                        *(
                            f"{tables.VARIANTS[name]}: {about[name]}."
                            for name in _EXPLAINED
                            if name in figures["robustness"]
                        ),
                        *(f"Placebos, {name}: {about[name]}." for name in figures["placebo"]),
                    ],
                ),
            )
        )
    )


def _header(figures: Figure, title: str) -> Html:
    whole, verdict = figures["whole"], figures["verdict"]
    days = f"{whole['first']} to {whole['last']}, {whole['days']:,} days" if whole["days"] else "no day with a position"
    facts = {
        "Days": days,
        "Markets": f"{figures['markets']:,}",
        "Costs": f"fee and slippage {10_000 * figures['cost_a_side']:g} bps a side, and funding",
        "Configurations tried": f"{figures['deflation']['trials']:,}",
    }
    shown = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in facts.items())
    lines = "".join(f"<p>{escape(line)}</p>" for line in (verdict["sentence"], *verdict["details"]))
    return Html(
        f'<h1>{escape(title)}</h1><dl class="facts">{shown}</dl>'
        f'<div class="verdict {escape(verdict["outcome"])}">{lines}</div>'
    )


def _cards(page: Page, figures: Figure) -> Html:
    whole, btc, late = figures["whole"], figures["beside"]["btc"], figures["robustness"]["one_bar_late"]
    chance = figures["deflation"]["probability"]
    made = (
        _tile(page, "Net Sharpe ratio", whole, "sharpe", "number", _beside("BTC", btc, "sharpe", "number")),
        _tile(
            page, "Return a year", whole, "yearly_return", "percent", _beside("BTC", btc, "yearly_return", "percent")
        ),
        page.tile(
            "Max drawdown",
            Cell(text_of(whole["max_drawdown"], "odds")),
            _beside("BTC", btc, "max_drawdown", "odds"),
        ),
        _tile(
            page,
            "A day by exposure",
            whole,
            "bp_a_day",
            "bps",
            f"turnover {whole['turnover_a_day']:.2f} a day" if whole["turnover_a_day"] is not None else "",
        ),
        _tile(page, "Filled 4 hours late", late, "sharpe", "number", "net Sharpe ratio"),
        page.tile(
            "Deflated probability",
            Cell(
                "n/a" if chance is None else f"{chance:.2f}", tone="" if chance is None or chance < _ENOUGH else "good"
            ),
            f"of {figures['deflation']['trials']:,} tried; proven from {_ENOUGH}",
        ),
    )
    level = f"{figures['intervals']['confidence']:.0%}"
    key = f"Colours show the sign. ● the {level} interval excludes 0; ○ it does not, so chance alone may explain it."
    return Html(page.tiles(*made) + f'<p class="muted key-note">{escape(key)}</p>')


def _tile(page: Page, label: str, figures: Figure, name: str, kind: Kind, beside: str) -> Html:
    value, ends = figures.get(name), figures.get(f"{name}_ci")
    if value is None:
        return page.tile(label, Cell("n/a", reason=figures.get("missing", {}).get(name, "")), beside)
    tone: Tone = tone_of(value)
    badge = "" if ends is None else _CLEAR if ends[0] * ends[1] > 0 else _CHANCE
    return page.tile(label, Cell(text_of(value, kind), interval_text(ends, kind), tone=tone), beside, badge)


def _beside(name: str, figures: Figure, key: str, kind: Kind) -> str:
    value = figures.get(key)
    return "" if value is None else f"{name}: {text_of(value, kind)}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _footer(figures: Figure) -> list[str]:
    found = figures["intervals"]
    return [
        f"Small figures are {found['confidence']:.0%} intervals: {found['resamples']:,} resamples of the daily returns "
        f"in circular blocks of {found['block_days']} days. Sharpe ratios are of a year of 365 days, without a "
        "risk-free rate.",
        str(figures["about"]["figures"]),
    ]
