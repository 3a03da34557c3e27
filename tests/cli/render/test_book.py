"""The judgement of a book on one screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.book.conftest import make_market
from tests.evaluation.book.conftest import PLAIN, book_of

from quorate.cli.render.book import show_book_judgement
from quorate.evaluation.book.judge import BookJudgement


@pytest.fixture(scope="module")
def judgement() -> BookJudgement:
    return book_of(make_market(days=200), PLAIN).judge(trials=12)


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_it_fits_one_screen_and_ends_with_the_verdict(
    judgement: BookJudgement, capsys: pytest.CaptureFixture[str]
) -> None:
    show_book_judgement(judgement)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert text.startswith("Book of 3 sleeves in 10 markets, 2021-")
    for name in ("book", "BTC", "equal weight", "inverse vol.", "trend", "carry", "dip"):
        assert f" {name} " in text
    assert judgement.verdict["sentence"] in text
    whole = judgement.figures["whole"]
    assert f"{whole['sharpe']:.2f} ({whole['sharpe_ci'][0]:.2f} to {whole['sharpe_ci'][1]:.2f})" in text
    assert "4 h late" in text


def test_full_has_every_table_first(judgement: BookJudgement, capsys: pytest.CaptureFixture[str]) -> None:
    show_book_judgement(replace(judgement, synthetic=True), full=True)
    text = capsys.readouterr().out
    titles = ("Net of fees", "Sleeves", "Correlations", "Worse conditions", "Years", "From prices", "Selection",
              "Placebos", "Beta", "Survivorship", "Markets")  # fmt: skip
    places = [text.index(f"[SYNTHETIC] {title}") for title in titles]
    assert places == sorted(places)
    assert "SYNTHETIC MARKET: Book of 3 sleeves" in text


def test_a_book_that_holds_nothing_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    settings = replace(PLAIN, sleeves=("cross_section",))
    nothing = book_of(make_market(days=100), settings).judge()
    for full in (False, True):
        show_book_judgement(nothing, full=full)
        assert "No judgement: it held nothing on any day." in capsys.readouterr().out
