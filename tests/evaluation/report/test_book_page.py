"""The page of a book: complete, self-contained, small, and what a browser makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.book.conftest import make_market
from tests.evaluation.book.conftest import PLAIN, book_of
from tests.evaluation.report.test_html import LOOK, Structure

from quorate.evaluation.book.judge import BookJudgement
from quorate.evaluation.report.book.figure import figure_data
from quorate.evaluation.report.book.page import render_book_report, write_book_report

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def judgement() -> BookJudgement:
    return book_of(make_market(days=200), PLAIN).judge(trials=12)


@pytest.fixture(scope="module")
def page(judgement: BookJudgement) -> str:
    return render_book_report(judgement, warnings=[HOSTILE])


def test_the_page_is_well_formed_complete_small_and_loads_nothing(page: str, judgement: BookJudgement) -> None:
    structure = Structure.of(page)
    assert (structure.open, structure.loads, structure.handlers, structure.unnamed) == ([], [], [], [])
    assert len(structure.ids) == len(set(structure.ids))
    assert "default-src 'none'" in page
    assert len(page.encode()) < 400_000
    contents = re.findall(r'<a href="#([a-z-]+)">', page)
    assert contents == ["overview", "chart", "months", "beside", "sleeves", "robustness", "sceptic"]
    assert set(contents) <= set(structure.ids)
    headings = [int(tag[1]) for tag in structure.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    verdict = page[page.index('class="verdict') :]
    assert judgement.verdict["sentence"] in verdict[:600]
    assert "<script>alert(" not in page
    assert structure.tags.count("script") == 4  # charts, the data, the page's own two


def test_the_first_card_is_the_sharpe_ratio_beside_holding(page: str, judgement: BookJudgement) -> None:
    names = re.findall(r'<dl class="tile"><dt>([^<]+)</dt>', page)
    assert names == [
        "Net Sharpe ratio", "Return a year", "Max drawdown", "A day by exposure", "Filled 4 hours late",
        "Deflated probability",
    ]  # fmt: skip
    first = page[page.index("Net Sharpe ratio</dt>") :][:400]
    assert f"{judgement.figures['whole']['sharpe']:.2f}" in first
    assert f"BTC: {judgement.figures['beside']['btc']['sharpe']:.2f}" in first


def test_the_figure_has_the_series_of_the_judgement(page: str, judgement: BookJudgement) -> None:
    data, series = Structure.of(page).data["book"], judgement.series
    days = len(series.time)
    assert [1_000 * second for second in data["time"]] == series.time.tolist()
    assert data["equity"] == pytest.approx(np.cumprod(1 + series.net).tolist(), rel=1e-5)
    assert min(data["drawdown"]["book"]) == pytest.approx(-judgement.figures["whole"]["max_drawdown"], abs=1e-5)
    assert data["together"][-1] == pytest.approx(series.net.sum(), abs=1e-5)
    assert list(data["exposure"]) == list(data["earned"]) == ["trend", "carry", "dip"]
    for columns in (data["holdings"], data["alike"], data["exposure"], data["earned"], data["drawdown"]):
        assert all(len(values) == days for values in columns.values())
    worth = np.array([1.0, *data["alike"]["BTC"]])
    assert (worth[1:] / worth[:-1] - 1).std() == pytest.approx(series.net.std(), rel=1e-2)
    means = [np.mean(series.turnover[max(0, row - 29) : row + 1]) for row in range(days)]
    assert data["turnover"] == pytest.approx(means, abs=1e-5)


def test_the_map_shows_weekly_means_of_the_largest_markets(judgement: BookJudgement) -> None:
    series = judgement.series
    data = figure_data(series)
    assert data is not None
    sizes = {symbol: np.abs(series.weights[:, k]).mean() for k, symbol in enumerate(series.symbols)}
    expected = sorted((symbol for symbol in sizes if sizes[symbol]), key=lambda symbol: -sizes[symbol])
    assert data["markets"] == [symbol.split("/")[0] for symbol in expected]
    column = series.symbols.index(expected[0])
    weeks = [series.weights[first : first + 7, column].mean() for first in range(0, len(series.time), 7)]
    assert data["weights"][0] == pytest.approx(weeks, abs=1e-5)
    assert np.diff(data["weeks"]).tolist() == [7 * 86_400] * (len(weeks) - 1)


def test_a_book_that_holds_nothing_has_a_verdict_and_no_empty_cards(tmp_path: Path) -> None:
    nothing = book_of(make_market(days=100), replace(PLAIN, sleeves=("cross_section",))).judge()
    target = tmp_path / "out" / "book.html"
    write_book_report(replace(nothing, synthetic=True), target)
    structure = Structure.of(target.read_text(encoding="utf-8"))
    assert structure.open == []
    assert "No judgement: it held nothing on any day." in structure.text
    assert "n/a" not in structure.text
    assert structure.tags.count("script") == 0
    assert "SYNTHETIC" in structure.text
    assert [path.name for path in target.parent.iterdir()] == ["book.html"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, open_browser: Callable[..., Any]) -> Any:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(page: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("page") / "book.html"
    target.write_text(page, encoding="utf-8")
    return target.as_uri()


@pytest.mark.parametrize(("width", "scheme"), [(1920, "dark"), (1280, "light"), (390, "light"), (390, "dark")])
def test_a_browser_draws_everything(browser: Any, address: str, width: int, scheme: str) -> None:
    # The page has no trades to list.
    script = re.sub(r"    rows: .*\n    csv: .*\n", "", LOOK)
    look = browser.look(address, width, scheme, script)
    assert (look["panels"], look["drawings"]) == (6, 9)
    assert (look["hidden"], look["blank"], look["overflowing"]) == (0, 0, 0)
    assert width > 390 or look["cut"] == 0
    assert look["smallest"] >= 11
    ground, text = (sum(map(int, re.findall(r"\d+", look[name])[:3])) for name in ("background", "text"))
    assert (ground < 150 and text > 500) if scheme == "dark" else (ground > 600 and text < 200)
    assert browser.complaints() == []
    assert browser.busy_seconds() < 3


# Zoom to the last 90 days, show another holding, and compare what the readout says.
USE = """(() => {
  const click = (selector) => document.querySelector(selector).click();
  const words = () => document.getElementById("readout").textContent;
  const before = words();
  click("[data-days='90']");
  const pressed = [...document.querySelectorAll("[aria-pressed=true]")].map((one) => one.textContent);
  click("#holdings input[value='equal weight']");
  const more = words();
  click("#alike");
  const raw = words();
  click("#log");
  click("#deep");
  return { before, more, raw, pressed };
})()"""


def test_the_figure_is_zoomed_and_compared(browser: Any, address: str) -> None:
    used = browser.look(address, 1280, "light", USE)
    assert used["pressed"] == ["90 d"]
    assert "equal weight" not in used["before"]
    assert "equal weight" in used["more"]
    assert used["raw"] != used["more"]
    assert browser.complaints() == []
