from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate.core.settings import Settings, VoteSettings
from quorate.core.types import Funding
from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.classification_report import score_figures
from quorate.evaluation.scorecard import Scorecard, build_scorecard
from quorate.evaluation.scorecard_inputs import ScorecardInputs
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks


@pytest.fixture(scope="module")
def card(run: Any) -> Scorecard:
    return build_scorecard(ScorecardInputs(run.sample, class_prior(run.sample.y), run.frames, run.result, run.candles))


def test_the_document_has_what_others_rely_on(card: Scorecard) -> None:
    figures = json.loads(json.dumps(card.figures, allow_nan=False))
    assert {"rows", "members", "ensemble", "baselines", "trades", "criteria"} <= set(figures)
    for model in (*figures["members"].values(), figures["ensemble"]):
        assert {"log_loss", "brier", "accuracy", "auc", "skill_vs_prior", "rank_ic"} <= set(model)
        for name in ("log_loss", "brier", "accuracy", "auc", "skill_vs_prior", "rank_ic"):
            low, high = model[f"{name}_ci"]
            assert low < model[name] < high
    assert {"n", "win_rate", "win_rate_ci", "expectancy_bps", "profit_factor", "sharpe", "max_drawdown"} <= set(
        figures["trades"]
    )
    assert {"name", "target", "measured", "ok"} <= set(figures["criteria"][0])
    assert set(figures["baselines"]) == {"prior", "always_hold", "buy_and_hold"}
    assert figures["rows"] == 2 * 479  # the last bar of each symbol has no next
    assert figures["synthetic"] is False


def test_figures_are_those_of_the_metrics(run: Any, card: Scorecard) -> None:
    sample, prior = run.sample, class_prior(run.sample.y)
    together = sample.ensemble(VoteSettings())
    ensemble = card.figures["ensemble"]
    assert ensemble["log_loss"] == classification.log_loss(sample.y, together)
    assert ensemble["skill_vs_prior"] == classification.skill_vs_prior(sample.y, together, prior)
    assert ensemble["rank_ic"] == classification.rank_ic(together, sample.forward_return)
    lightgbm = card.figures["members"]["lightgbm"]
    assert (lightgbm["n"], lightgbm["abstained"]) == (2 * 469, 20)
    assert lightgbm["auc"] == classification.auc(sample.y, sample.members["lightgbm"])
    said = np.array(ensemble["confusion"]["largest_score"])
    assert said.sum() == len(sample)
    assert np.trace(said) / said.sum() == pytest.approx(ensemble["accuracy"])
    assert np.array(ensemble["confusion"]["decision"]).sum() == len(sample)
    assert sum(bin_["rows"] for bin_ in ensemble["reliability"]) == len(sample)


def test_the_prior_has_no_skill_against_itself(card: Scorecard) -> None:
    prior = card.figures["baselines"]["prior"]
    assert prior["skill_vs_prior"] == 0
    assert prior["skill_vs_prior_ci"] == [0, 0]
    assert prior["auc"] == 0.5
    assert prior["rank_ic"] is None
    same = "the losses differ by the same in every period"
    assert prior["missing"] == {
        "rank_ic": "does not vary", "rank_ic_ci": "does not vary", "against_prior": same, "against_prior_p": same,
    }  # fmt: skip
    assert card.figures["baselines"]["always_hold"]["accuracy"] == prior["shares"]["HOLD"]


def test_symbols_add_up(run: Any, card: Scorecard) -> None:
    table = card.figures["per_symbol"]
    assert sum(row["rows"] for row in table) == card.figures["rows"]
    assert sum(row["trades"] for row in table) == card.figures["trades"]["n"]
    assert sum(row["wins"] for row in table) == card.figures["trades"]["wins"]
    assert sum(row["net_usd"] for row in table) == pytest.approx(card.figures["trades"]["net_usd"])
    signals = sum(row["signals"] for row in table)
    assert signals == sum(card.figures["decisions"]["actions"][name] for name in ("SELL", "BUY"))


def flat(figures: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from flat(value, f"{above}{name}.")
        else:
            yield above + name, value


def test_the_order_of_rows_changes_nothing(run: Any) -> None:
    sample, settings = run.sample, Settings()
    order = np.random.default_rng(0).permutation(len(sample))
    columns = {name: getattr(sample, name)[order] for name in ("y", "forward_return", "time", "symbol", "action")}
    mixed = replace(sample, **columns, members={name: scores[order] for name, scores in sample.members.items()})
    prior = class_prior(sample.y)
    before, after = (
        score_figures(part, part.ensemble(settings.vote), prior, TimeBlocks(part.time, settings.evaluation))
        for part in (sample, mixed)
    )
    assert before.keys() == after.keys()
    for name, value in flat(before):
        assert dict(flat(after))[name] == pytest.approx(value, rel=1e-9), name


def test_buy_and_hold_covers_the_bars_that_were_decided_on(run: Any) -> None:
    symbol, frame = next(iter(run.frames.items()))
    rows = slice(100, 200)
    part = frame.between(int(frame.time[100]), int(frame.time[200]))
    inside = run.sample.time < part.time[-1]
    keep = inside & (run.sample.time >= part.time[0]) & (run.sample.symbol == 0)
    columns = {name: getattr(run.sample, name)[keep] for name in ("y", "forward_return", "time", "symbol", "action")}
    members = {name: scores[keep] for name, scores in run.sample.members.items()}
    sample = replace(run.sample, **columns, members=members, symbols=(symbol,))
    card = build_scorecard(ScorecardInputs(sample, class_prior(sample.y), {symbol: part}, candles=run.candles))
    assert card.hold is not None
    assert card.hold.time.tolist() == part.time.tolist()
    candles = run.candles[symbol][rows]
    gain = candles.close[-1] / candles.open[0] - 1
    assert card.hold.total_return == pytest.approx(gain - 0.0014, abs=2e-4)
    assert card.figures["trades"] == {"n": 0}
    assert card.account is None


def test_funding_that_is_not_there_is_named(run: Any, card: Scorecard) -> None:
    assert card.figures["baselines"]["buy_and_hold"]["funding_unknown"] == list(run.frames)
    symbol, other = run.frames
    funding = {symbol: Funding(symbol, run.frames[symbol].time[8::8], np.full(59, 0.001))}
    paid = build_scorecard(
        ScorecardInputs(run.sample, class_prior(run.sample.y), run.frames, run.result, run.candles, funding)
    )
    assert paid.figures["baselines"]["buy_and_hold"]["funding_unknown"] == [other]
    assert paid.hold is not None
    assert card.hold is not None
    assert paid.hold.total_return < card.hold.total_return


def test_synthetic_candles_mark_the_card(make_run: Callable[..., Any]) -> None:
    run = make_run(bars=150, synthetic=True)
    assert build_scorecard(ScorecardInputs(run.sample, class_prior(run.sample.y), run.frames)).synthetic
    marked = replace(run.result, synthetic=True)
    plain = {symbol: replace(frame, synthetic=False) for symbol, frame in run.frames.items()}
    assert build_scorecard(ScorecardInputs(run.sample, class_prior(run.sample.y), plain, marked)).synthetic


def test_rows_on_which_nobody_voted_are_nulls_with_reasons(run: Any) -> None:
    silent = {name: np.full_like(scores, np.nan) for name, scores in run.sample.members.items()}
    card = build_scorecard(ScorecardInputs(replace(run.sample, members=silent), np.array([0.3, 0.4, 0.3]), run.frames))
    ensemble = card.figures["ensemble"]
    assert (ensemble["n"], ensemble["abstained"]) == (0, len(run.sample))
    assert ensemble["log_loss"] is None
    assert set(ensemble["missing"].values()) == {"no vote"}
    assert ensemble["reliability"] == []
    json.dumps(card.figures, allow_nan=False)


def test_few_days_give_figures_without_intervals(make_run: Callable[..., Any]) -> None:
    run = make_run(bars=60)
    card = build_scorecard(ScorecardInputs(run.sample, class_prior(run.sample.y), run.frames, candles=run.candles))
    ensemble = card.figures["ensemble"]
    assert ensemble["log_loss"] > 0
    assert ensemble["log_loss_ci"] is None
    assert set(ensemble["missing"].values()) == {"3 blocks of time are too few"}


def test_an_empty_sample_is_still_a_document(run: Any) -> None:
    none = np.zeros(len(run.sample), np.bool_)
    columns = {name: getattr(run.sample, name)[none] for name in ("y", "forward_return", "time", "symbol", "action")}
    members = {name: scores[none] for name, scores in run.sample.members.items()}
    empty = replace(run.sample, **columns, members=members)
    assert isinstance(empty, LabelledPredictions)
    card = build_scorecard(ScorecardInputs(empty, np.array([0.3, 0.4, 0.3]), run.frames, run.result, run.candles))
    assert card.figures["rows"] == 0
    assert card.figures["from"] is None
    json.dumps(card.figures, allow_nan=False)
