from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quorate.core.errors import DataError
from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.report.html import render_report, write_report
from quorate.evaluation.scorecard import Scorecard, build_scorecard
from quorate.evaluation.scorecard_inputs import ScorecardInputs

HOSTILE = "<script>alert(1)</script>/USDT:USDT"
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Structure(HTMLParser):
    """Tags, their nesting, the text of the page and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.words: list[str] = []
        self.plots = ""
        self._in_plots = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self._in_plots = given.get("id") == "plots"
        self.loads += [str(given[name]) for name in ("src", "href", "action", "data") if name in given]
        self.handlers += [name for name in given if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._in_plots and self.open[-1] == "script":
            self.plots += data
        elif not {"script", "style"} & set(self.open):
            self.words.append(data)

    @classmethod
    def of(cls, page: str) -> Structure:
        structure = cls()
        structure.feed(page)
        structure.close()
        return structure


def made(make_run: Callable[..., Any], **more: Any) -> Scorecard:
    run = make_run(bars=240, **more)
    return build_scorecard(ScorecardInputs(run.sample, class_prior(run.sample.y), run.frames, run.result, run.candles))


@pytest.fixture(scope="module")
def page(make_card: Callable[..., Any]) -> str:
    return render_report(make_card(bars=480))


def test_the_page_is_well_formed_complete_and_small(page: str) -> None:
    structure = Structure.of(page)
    assert structure.open == []
    assert structure.loads == []
    assert structure.handlers == []
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page
    assert page.count("plotly.js v") == 1
    assert len(page.encode()) < 6_000_000
    drawn = json.loads(structure.plots)
    assert set(drawn) == set(re.findall(r'id="plot-([a-z]+)"', page))
    assert len(drawn) == 10


def test_every_criterion_is_shown_with_its_result(make_run: Callable[..., Any]) -> None:
    card = made(make_run)
    words = " ".join(Structure.of(render_report(card)).words)
    for row in card.figures["criteria"]:
        assert row["name"] in words
        assert row["shown"] in words
    assert "FAIL" in words
    for title in (
        "Equity",
        "Drawdown",
        "Reliability",
        "Confusion",
        "Consensus",
        "Costs",
        "class prior",
        "buy and hold",
    ):
        assert title in words


def test_models_that_know_nothing_but_volatility_are_named(make_run: Callable[..., Any]) -> None:
    """Members with a little skill in both, beside a log_har that has all of it: then beside one without any."""
    run = make_run(symbols=("AAA/USDT:USDT", "BBB/USDT:USDT", "CCC/USDT:USDT"), bars=240)
    prior = class_prior(run.sample.y)

    def words(scores: np.ndarray) -> str:
        sample = replace(run.sample, members={**run.sample.members, "log_har": scores})
        card = build_scorecard(ScorecardInputs(sample, prior, run.frames, run.result, run.candles))
        return " ".join(Structure.of(render_report(card)).words)

    right, wrong = (np.eye(3)[(run.sample.y + shift) % 3] * 0.8 + 0.2 / 3 for shift in (0, 1))
    beaten = words(right)
    assert "lightgbm: not better than log_har by the interval, so they know nothing but volatility." in beaten
    for title in ("Skill in volatility and in direction", "Skill by quote volume of the markets", "large (1)"):
        assert title in beaten
    assert "nothing but volatility" not in words(wrong)


def test_amounts_are_named_in_the_currency_of_the_account(make_run: Callable[..., Any]) -> None:
    card = made(make_run)
    dollars, euros = (render_report(card, currency=currency) for currency in ("USD", "EUR"))
    words = " ".join(Structure.of(euros).words)
    assert "$" in " ".join(Structure.of(dollars).words)
    assert not re.search(r"\$\d|\bUSD\b", words)
    assert re.search(r"\d EUR\b", words)
    assert '"tickprefix":"$"' in dollars
    assert '"tickprefix":"$"' not in euros
    assert euros.count('"ticksuffix":" EUR"') == dollars.count('"tickprefix":"$"') > 0


def test_synthetic_numbers_say_so_at_every_title(make_run: Callable[..., Any]) -> None:
    plain, marked = render_report(made(make_run)), render_report(made(make_run, synthetic=True))
    assert "SYNTHETIC" not in re.sub(r"<script>.*?</script>", "", plain, flags=re.S)
    tag = '<span class="tag">SYNTHETIC</span>'
    for start, end in [
        ("<h1>", "</h1>"),
        ("<h2>", "</h2>"),
        ("<figcaption>", "</figcaption>"),
        ('<div class="title">', "</div>"),
        ('<div class="label">', "</div>"),
    ]:
        titles = re.findall(re.escape(start) + "(.*?)" + re.escape(end), marked, flags=re.S)
        assert titles
        assert all(tag in title for title in titles), start
    assert "(SYNTHETIC)</title>" in marked
    assert 'class="banner"' in marked


def test_hostile_names_stay_text(make_run: Callable[..., Any]) -> None:
    card = made(make_run, symbols=(HOSTILE, "BBB/USDT:USDT"))
    page = render_report(
        card,
        title="</title><script>alert(2)</script>",
        warnings=["<script>alert(3)</script>"],
        notes=["<img src=x onerror=alert(4)>"],
    )
    structure = Structure.of(page)
    assert structure.open == []
    assert structure.tags.count("script") == 3  # plotly, the plots, the page's own
    assert "img" not in structure.tags
    assert "<script>alert(" not in page
    assert HOSTILE in "".join(structure.words)


def test_without_trades_the_page_still_stands(make_run: Callable[..., Any]) -> None:
    run = make_run(bars=240)
    page = render_report(build_scorecard(ScorecardInputs(run.sample, class_prior(run.sample.y), run.frames)))
    structure = Structure.of(page)
    assert structure.open == []
    assert "no backtest" in " ".join(structure.words)
    assert "plot-equity" not in page


def test_it_is_written_at_once(make_run: Callable[..., Any], tmp_path: Path) -> None:
    target = tmp_path / "out" / "report.html"
    write_report(target, made(make_run), title="A run", about=["Bundle <a>"], warnings=["Beware."], notes=["One note."])
    text = target.read_text(encoding="utf-8")
    assert "<title>A run</title>" in text
    assert '<p class="banner" role="note">Beware.</p>' in text
    assert '<p class="muted">Bundle &lt;a&gt;</p>' in text
    assert '<p class="muted">Markets: AAA/USDT:USDT, BBB/USDT:USDT.</p>' in text
    assert "<p>One note.</p></footer>" in text
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(DataError, match="report"):
        write_report(blocked / "report.html", made(make_run))


MONTHS = ("2024-11", "2024-12", "2025-01", "2025-02")

# What the page looks like to a reader, asked of the browser itself.
LOOK = """(() => {
  const shown = (element) => { const box = element.getBoundingClientRect(); return box.width > 40 && box.height > 40; };
  const size = (element) => parseFloat(getComputedStyle(element).fontSize);
  const plots = [...document.querySelectorAll("[id^=plot-]")];
  const style = getComputedStyle(document.body);
  return {
    undrawn: plots.filter((plot) => !plot.querySelector(
      ".scatterlayer path[d], .barlayer path[d], .waterfalllayer path[d], .heatmaplayer image")).map((plot) => plot.id),
    plots: plots.length,
    hidden: plots.filter((plot) => !shown(plot)).map((plot) => plot.id),
    overflowing: document.documentElement.scrollWidth - innerWidth,
    spilling: plots.filter((plot) => plot.querySelector("svg").getBoundingClientRect().right > innerWidth + 1).length,
    background: style.backgroundColor,
    text: style.color,
    months: [...document.querySelectorAll("#plot-skill .xaxislayer-above text, #plot-skill .xtick text")]
      .map((tick) => [tick.getBoundingClientRect().left, tick.textContent]).sort((a, b) => a[0] - b[0])
      .map((tick) => tick[1]),
    smallest: Math.min(...[...document.querySelectorAll("td, th, p, small")].map(size)),
  };
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, open_browser: Callable[..., Any]) -> Any:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(make_card: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("page") / "report.html"
    card = make_card(symbols=(HOSTILE, "BBB/USDT:USDT"), synthetic=True)
    (month,) = card.figures["skill_by_month"]
    months = [{**month, "month": name} for name in MONTHS]
    card = replace(card, figures={**card.figures, "skill_by_month": months})
    write_report(target, card, warnings=["A warning that is long enough to need several lines on a telephone."])
    return target.as_uri()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_draws_every_plot(browser: Any, address: str, width: int, scheme: str) -> None:
    look = browser.look(address, width, scheme, LOOK)
    assert look["plots"] == 10
    assert (look["undrawn"], look["hidden"], look["overflowing"], look["spilling"]) == ([], [], 0, 0)
    assert look["smallest"] >= 11
    ground, text = (sum(map(int, re.findall(r"\d+", look[name])[:3])) for name in ("background", "text"))
    assert (ground < 150 and text > 500) if scheme == "dark" else (ground > 600 and text < 200)
    assert look["months"] == list(MONTHS)
    assert browser.complaints() == []
    # The aim is 2 s of a quiet machine's time; caches shared with other work cost as much again.
    assert browser.busy_seconds() < 4


def test_long_lists_of_symbols_are_cut_and_counted(make_run: Callable[..., Any]) -> None:
    symbols = tuple(f"{letter}/USDT:USDT" for letter in "ABCDEFGHIJ")
    words = "".join(Structure.of(render_report(made(make_run, symbols=symbols))).words)
    assert "Buy and hold pays no funding for A/USDT:USDT, " in words
    assert "H/USDT:USDT and 2 more, whose settlements are unknown." in words
