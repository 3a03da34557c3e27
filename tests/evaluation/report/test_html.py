"""The page: complete, self-contained, small, safe, and what a browser makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quorate.core.errors import DataError
from quorate.core.types import Action
from quorate.ensemble.voting.member_votes import move_action
from quorate.evaluation.report import ReportedRun, render_report, write_report
from quorate.evaluation.report.sections.trade_list import trade_rows
from quorate.trading.backtest.backtest_result import BacktestResult

HOSTILE = "<script>alert(1)</script>/USDT:USDT"
VOID = {"meta", "br", "link", "img", "hr", "input"}
MONTHS = ("2024-11", "2024-12", "2025-01", "2025-02")


class Structure(HTMLParser):
    """Tags, their nesting, the text of the page, its data and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.words: list[str] = []
        self.ids: list[str] = []
        self.unnamed: list[str] = []
        self.json = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.ids += [str(given["id"])] if "id" in given else []
        links = [str(given[name]) for name in ("src", "href", "action") if name in given]
        self.loads += [link for link in links if not link.startswith("#")]
        self.handlers += [name for name in given if name.startswith("on")]
        if given.get("role") == "img" and not given.get("aria-label"):
            self.unnamed.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.ids[-1:] == ["data"] and self.open[-1:] == ["script"] and not self.json:
            self.json = data
        elif not {"script", "style"} & set(self.open):
            self.words.append(data)

    @classmethod
    def of(cls, page: str) -> Structure:
        structure = cls()
        structure.feed(page)
        structure.close()
        return structure

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.json)
        return found


NAMES = ("xgboost", "lightgbm")


@pytest.fixture(scope="module")
def run(make_reported: Callable[..., ReportedRun]) -> ReportedRun:
    """Twenty days of two markets, one with a hostile name, over four months of skill."""
    made = make_reported(symbols=(HOSTILE, "BBB/USDT:USDT"), synthetic=True)
    (month,) = made.figures["skill_by_month"]
    months = [{**month, "month": name} for name in MONTHS]
    return replace(made, figures={**made.figures, "skill_by_month": months[::-1]})


@pytest.fixture(scope="module")
def page(run: ReportedRun) -> str:
    return render_report(run, warnings=["<script>alert(3)</script>"])


def without_trades(run: ReportedRun) -> ReportedRun:
    """The same run as its account would be without a signal."""
    result: BacktestResult = replace(run.result, trades=(), equity_usd=np.full(len(run.result.time), 1_000.0))
    frames = {
        symbol: replace(frame, action=np.full(len(frame), Action.HOLD, np.int8)) for symbol, frame in run.frames.items()
    }
    decisions = {
        **run.figures["decisions"],
        "actions": {"SELL": 0, "HOLD": 960, "BUY": 0},
        "rules": {"below_floor": 960},
    }
    trades = {"n": 0, "refused": {}, "missing": {"sharpe": "no return differs"}}
    figures = {**run.figures, "trades": trades, "decisions": decisions}
    return replace(run, frames=frames, result=result, figures=figures)


def test_the_page_is_well_formed_complete_small_and_loads_nothing(page: str, run: ReportedRun) -> None:
    structure = Structure.of(page)
    assert (structure.open, structure.loads, structure.handlers, structure.unnamed) == ([], [], [], [])
    assert len(structure.ids) == len(set(structure.ids))
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page
    assert "The MIT License" in page  # of the library of charts, with its version
    assert len(page.encode()) < 400_000
    contents = re.findall(r'<a href="#([a-z-]+)">', page)
    assert contents == [
        "overview", "chart", "months", "breakdown", "trades", "monte-carlo", "promises", "sceptic", "provenance",
    ]  # fmt: skip
    assert set(contents) <= set(structure.ids)
    headings = [int(tag[1]) for tag in structure.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    verdict = page[page.index('class="verdict') :]
    assert f"{len(run.result.trades):,} trades: " in verdict[:400]


def test_synthetic_is_said_once_and_in_the_tab(page: str, make_reported: Callable[..., ReportedRun]) -> None:
    assert "<title>SYNTHETIC: Bundle 0123abcd - Quorate</title>" in page
    body = re.sub(r"<(script|style|title).*?</\1>", "", page, flags=re.S)
    assert body.count("SYNTHETIC") == 1
    assert '<p class="synthetic" role="note"><strong>SYNTHETIC</strong>' in body


def test_hostile_names_stay_text(page: str) -> None:
    structure = Structure.of(page)
    assert structure.tags.count("script") == 5  # charts, the data, the page's own three
    assert "<script>alert(" not in page
    assert HOSTILE in "".join(structure.words)
    assert list(structure.data["figure"]["prices"]) == [HOSTILE, "BBB/USDT:USDT"]


def test_cards_and_promises_show_the_figures(page: str, run: ReportedRun) -> None:
    cards = dict(re.findall(r'<dt>([^<]+)</dt><dd class="value ([a-z]*)">', page))
    trades = run.figures["trades"]
    assert list(cards) == ["Return", "Max drawdown", "Sharpe ratio", "Win rate", "Profit factor", "Skill"]
    assert cards["Return"] == ("good" if trades["total_return"] > 0 else "bad")
    assert (cards["Max drawdown"], cards["Win rate"]) == ("", "")
    marks = re.findall(r'<dd class="badge">(.) ', page)
    low, high = trades["total_return_ci"]
    assert marks[0] == ("●" if low * high > 0 else "○")
    chips = re.findall(r'<li class="(pass|fail|open)"><b>.</b> ([a-z /]+?) [^<]*<span', page)
    rows = [row for row in run.figures["criteria"] if not row["name"].startswith("stack:")]
    assert [chip[0] for chip in chips] == [{True: "pass", False: "fail", None: "open"}[row["ok"]] for row in rows]
    assert "stack" not in " ".join(chip[1] for chip in chips)


def test_every_trade_is_listed_with_its_vote(page: str, run: ReportedRun) -> None:
    found = Structure.of(page).data["trades"]
    rows = [dict(zip(found["names"], row, strict=True)) for row in found["rows"]]
    trades = sorted(run.result.trades, key=lambda trade: (trade.entry_time, trade.symbol))
    assert len(rows) == len(trades) > 20
    assert found["members"] == ["xgb", "lgbm"]
    for row, trade in zip(rows, trades, strict=True):
        assert found["symbols"][row["symbol"]] == trade.symbol
        assert row["net"] == pytest.approx(trade.net_usd, rel=1e-5)
        frame = run.frames[trade.symbol]
        at = int(np.flatnonzero(frame.time == trade.decided)[0])
        votes = []
        for name in ("xgboost", "lightgbm"):
            scores = frame.scores[name][at]
            known = np.isfinite(scores).all()
            votes.append(f"{'SHB'[scores.argmax()]}{100 * scores.max():.0f}" if known else "-")
        assert row["vote"] == " ".join(votes)
    assert sum(row["net"] for row in rows) == pytest.approx(run.figures["trades"]["net_usd"], abs=0.01)


def test_the_vote_of_consensus_is_the_one_that_it_counted(run: ReportedRun) -> None:
    """It counts directions given a move: a member whose largest score is HOLD may vote BUY."""
    scores = np.array([0.2, 0.45, 0.35])
    frames = {
        symbol: replace(
            frame,
            policy="consensus",
            calibrated={},
            scores={name: np.tile(scores, (len(frame), 1)) for name in ("xgboost", "lightgbm")},
        )
        for symbol, frame in run.frames.items()
    }
    found = trade_rows(replace(run, frames=frames))
    action, share = move_action(tuple(scores.tolist()), tuple(scores.tolist()))
    assert action == Action.BUY != Action(int(scores.argmax()))
    assert {row[found["names"].index("vote")] for row in found["rows"]} == {f"B{100 * share:.0f} B{100 * share:.0f}"}


def test_months_are_in_order_whatever_order_they_come_in(page: str) -> None:
    chart = next(text for text in re.findall(r'aria-label="([^"]+)"', page) if text.startswith("Skill over the class"))
    assert re.findall(r"\d{4}-\d\d", chart) == list(MONTHS)


def test_without_trades_the_page_says_why_and_has_no_empty_cards(run: ReportedRun) -> None:
    structure = Structure.of(render_report(without_trades(run)))
    assert structure.open == []
    assert "Why there was no trade" in structure.text
    assert "the confidence was below the floor" in structure.text
    assert "0 trades: the highest confidence was" in structure.text
    assert "hindsight" in structure.text
    for absent in ("gains over losses", "beyond chance", "Monte Carlo", "Save as CSV", "random entries: n/a"):
        assert absent not in structure.text
    assert structure.data["trades"]["rows"] == []


def test_amounts_are_in_the_currency_of_the_account(run: ReportedRun) -> None:
    text = Structure.of(render_report(replace(run, result=replace(run.result, currency="EUR")))).text
    assert not re.search(r"\$\d|\bUSD\b", text)
    assert re.search(r"\d EUR\b", text)


@pytest.mark.parametrize(
    ("raw", "calibrated", "said"),
    [
        (0.024, -0.078, "hurt the ensemble on these rows: skill -7.80 % calibrated, +2.40 % raw."),
        (0.024, 0.03, "helped the ensemble on these rows: skill +3.00 % calibrated, +2.40 % raw."),
        (0.024, 0.024, "changed nothing for the ensemble on these rows: skill +2.40 %."),
    ],
)
def test_what_calibration_did_is_said(run: ReportedRun, raw: float, calibrated: float, said: str) -> None:
    figures = {kind: {"skill_vs_prior": value} for kind, value in (("score", raw), ("probability", calibrated))}
    both = {**figures, "rows": 960}
    shown = replace(run, figures={**run.figures, "probabilities": {"ensemble": both, "members": {}}})
    assert f"Calibration {said}" in render_report(shown)


def test_it_is_written_at_once(run: ReportedRun, tmp_path: Path) -> None:
    quick = replace(run, setup=replace(run.setup, settings=replace(run.setup.settings)))
    target = tmp_path / "out" / "report.html"
    write_report(target, quick, warnings=["Beware."])
    assert '<p class="banner" role="note">Beware.</p>' in target.read_text(encoding="utf-8")
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(DataError, match="report"):
        write_report(blocked / "report.html", quick)


# What the page looks like to a reader, asked of the browser itself.
LOOK = """(() => {
  document.querySelector("details.fold").open = true;
  const box = (element) => element.getBoundingClientRect();
  const drawings = [...document.querySelectorAll("svg.chart, .panel canvas")];
  const style = getComputedStyle(document.body);
  const painted = (canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value);
  };
  const scale = (svg) => box(svg).width / 340;
  // A cell that reaches beyond its scrolled box is cut, unless it can be scrolled on a wide screen.
  const cut = [...document.querySelectorAll("td, tbody th")].filter((cell) => {
    const edge = cell.closest(".scroll") ?? document.documentElement;
    return box(cell).width && box(cell).right > box(edge).right + 1;
  });
  return {
    drawings: drawings.length,
    panels: document.querySelectorAll(".panel canvas").length,
    hidden: drawings.filter((one) => box(one).width < 40 || box(one).height < 40).length,
    blank: [...document.querySelectorAll(".panel canvas")].filter((canvas) => !painted(canvas)).length,
    overflowing: document.documentElement.scrollWidth - innerWidth,
    cut: cut.length,
    background: style.backgroundColor,
    text: style.color,
    smallest: Math.min(...[...document.querySelectorAll("td, th, p, small, dd")]
      .map((one) => parseFloat(getComputedStyle(one).fontSize)),
      ...[...document.querySelectorAll("svg.chart")].map((svg) => 12 * scale(svg))),
    rows: document.querySelectorAll("#trade-rows tbody tr").length,
    csv: report.csv().trim().split("\\n").length,
  };
})()"""

# Sort by net result, keep losses of one side, and show the first row in the figure.
USE = """(() => {
  const rows = () => [...document.querySelectorAll("#trade-rows tbody tr")];
  const net = () => rows().map((row) => parseFloat(row.cells[5].textContent));
  const heads = document.querySelectorAll("#trade-rows thead .sort");
  heads[5].click();
  const falling = net();
  heads[5].click();
  const rising = net();
  const result = document.querySelector("[data-filter=result]");
  result.value = "lost";
  result.dispatchEvent(new Event("change"));
  const lost = net();
  document.querySelector("#trade-rows tbody .sort").click();
  return { falling, rising, lost, pressed: document.querySelectorAll("[aria-pressed=true]").length };
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, open_browser: Callable[..., Any]) -> Any:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(page: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("page") / "report.html"
    target.write_text(page, encoding="utf-8")
    return target.as_uri()


@pytest.mark.parametrize(("width", "scheme"), [(1920, "dark"), (1280, "light"), (390, "light"), (390, "dark")])
def test_a_browser_draws_everything(browser: Any, address: str, run: ReportedRun, width: int, scheme: str) -> None:
    look = browser.look(address, width, scheme, LOOK)
    assert (look["panels"], look["drawings"]) == (3, 12)
    assert (look["hidden"], look["blank"], look["overflowing"]) == (0, 0, 0)
    assert width > 390 or look["cut"] == 0
    assert look["smallest"] >= 11
    assert look["rows"] == min(25, len(run.result.trades))
    assert look["csv"] == 1 + len(run.result.trades)
    ground, text = (sum(map(int, re.findall(r"\d+", look[name])[:3])) for name in ("background", "text"))
    assert (ground < 150 and text > 500) if scheme == "dark" else (ground > 600 and text < 200)
    assert browser.complaints() == []
    # The aim is 1 s of a quiet machine's time; caches shared with other work cost as much again.
    assert browser.busy_seconds() < 3


def test_trades_are_sorted_filtered_and_shown(browser: Any, address: str) -> None:
    used = browser.look(address, 1280, "light", USE)
    assert used["falling"] == sorted(used["falling"], reverse=True)
    assert used["rising"] == sorted(used["rising"])
    assert used["rising"][0] < 0 < used["falling"][0]
    assert all(value <= 0 for value in used["lost"])
    assert used["pressed"] == 0  # the figure shows the days around the trade, no whole range
    assert browser.complaints() == []
