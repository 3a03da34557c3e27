"""Studies of a small synthetic market: what they find and say, what they may read, and what is refused."""

import json
import tomllib
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import DataError, EvaluationError, ModelError
from quorate.core.settings import ExtraTreesSettings
from quorate.evaluation.statistics.trial_log import TrialLog
from quorate.lifecycle.tune.judge import verdict_of
from quorate.lifecycle.tune.score import SpanScorer, TrialSpan
from quorate.lifecycle.tune.spans import split_span
from quorate.lifecycle.tune.study_folder import StudyFolder
from quorate.lifecycle.tune.tune import tune, tune_status
from quorate.market.synthetic import SyntheticMarket

BARS = 1_600
PANEL = SyntheticMarket(seed=5, symbols=2, bars=BARS, edge=0.1).panel()
BEGIN = int(next(iter(PANEL.values())).time[0])


def changed_from(bar):
    """The same candles up to a bar, and a market that falls to a tenth afterwards."""
    changed = {}
    for symbol, candles in PANEL.items():
        factor = np.where(np.arange(len(candles)) < bar, 1.0, 0.1)
        prices = {name: getattr(candles, name) * factor for name in ("open", "high", "low", "close")}
        changed[symbol] = replace(candles, **prices)
    return changed


@pytest.fixture(scope="module")
def find():
    """A function that searches five trials; the study is in a folder of its own."""

    def search(folder, settings, data=PANEL, **options):
        return tune(data, models="extra_trees", study=folder, trials=5, minutes=1e3, settings=settings, **options)

    return search


def test_a_planted_better_setting_is_found_kept_and_judged_once(find, tmp_path, poor_settings):
    found = find(tmp_path / "study", poor_settings)
    document, judgement = found.document, found.document["judgement"]
    assert document["kept"], document["verdict"]
    assert document["verdict"].endswith("The winner is kept.")
    assert judgement["gain_search"] > 0.05
    assert 0 < judgement["gain_later_ci"][0] < judgement["gain_later"]
    assert judgement["selection_share"] == 1 - judgement["gain_later"] / judgement["gain_search"]
    assert found.write_settings(tmp_path / "tuned.toml")
    written = tomllib.loads((tmp_path / "tuned.toml").read_text())
    best = document["best"][0]["choices"]
    assert written["models"]["extra_trees"]["depth"] == best["extra_trees.depth"] > 1
    # Every trial once, and the two that later bars judged.
    trials = TrialLog(tmp_path / "trials.jsonl").read().trials
    kinds = [trial.configuration["kind"] for trial in trials]
    assert (kinds.count("search"), kinds.count("judgement")) == (5, 2)
    assert len({trial.id for trial in trials}) == len(trials)
    assert all(np.isfinite(trial.moments.sharpe) for trial in trials)
    assert {trial.headline["end"] for trial in trials if "end" in trial.headline} <= {"complete", "pruned"}
    # Again: nothing is searched or judged anew, whatever the budget.
    before = (tmp_path / "study" / "judgement.json").read_bytes()
    again = tune(PANEL, models="extra_trees", study=tmp_path / "study", trials=20, minutes=1e4, settings=poor_settings)
    assert again.document["already_judged"]
    assert again.document["judgement"] == judgement
    assert (tmp_path / "study" / "judgement.json").read_bytes() == before
    assert len(TrialLog(tmp_path / "trials.jsonl").read().trials) == len(trials)
    assert judgement["earlier_judgements"] == 0


def test_trials_do_not_read_the_bars_that_judge(find, tmp_path, poor_settings):
    spans = split_span(PANEL, None, None, poor_settings)
    bar = (spans.judge[0] - BEGIN) // HOUR_MS
    studies = [find(tmp_path / str(n), poor_settings, data) for n, data in enumerate((PANEL, changed_from(bar)))]
    searched = [[{**trial, "seconds": 0} for trial in study.document["best"]] for study in studies]
    assert searched[0] == searched[1]
    first, second = (study.document["judgement"] for study in studies)
    assert first["skill_later"] != second["skill_later"]
    # The second study says that the same later bars were read before.
    assert (first["earlier_judgements"], second["earlier_judgements"]) == (0, 1)


@pytest.mark.parametrize("choices", [{"horizon": 4, "band": 0.008}, {"horizon": 6}, {}])
def test_a_row_is_scored_without_the_bars_after_its_label(poor_settings, choices):
    spans = split_span(PANEL, None, None, poor_settings)
    begin, end = spans.folds[1]
    middle = begin + (end - begin) // 2
    kept = []
    for panel in (PANEL, changed_from((middle - BEGIN) // HOUR_MS)):
        scorer = SpanScorer(panel, {}, ("qda",), poor_settings, spans.start, spans.embargo_ms)
        score = scorer(TrialSpan(0, 1), (choices, (begin, end)), lambda *_: None)
        rows = score.time + poor_settings.target.horizon * HOUR_MS < middle
        kept.append((score.loss[rows], score.reference[rows]))
        assert rows.sum() > 100
    np.testing.assert_array_equal(kept[0], kept[1])


def test_all_trials_answer_one_question_on_the_same_rows(poor_settings):
    spans = split_span(PANEL, None, None, poor_settings)
    scorer = SpanScorer(PANEL, {}, ("qda",), poor_settings, spans.start, spans.embargo_ms)
    choices = ({}, {"horizon": 4}, {"band": 0.02}, {"features": "core30"}, {"qda.power": 0.3})
    scores = [scorer(TrialSpan(n, 0), (each, spans.folds[0]), lambda *_: None) for n, each in enumerate(choices)]
    for score in scores[1:]:
        np.testing.assert_array_equal(score.time, scores[0].time)
        np.testing.assert_array_equal(score.reference, scores[0].reference)
        assert (score.loss != scores[0].loss).any()
    # Blocks are means of rows: weighted by their rows they give the skill.
    block = (scores[0].time - spans.folds[0][0]) // (24 * HOUR_MS)
    assert np.average(scores[0].blocks(spans.folds[0][0], 1), weights=np.bincount(block)) == pytest.approx(
        scores[0].skill
    )


def test_spans_by_hand(poor_settings):
    # 1,600 bars: 400 judge, 1,200 are a first training span and two test spans of 400.
    spans = split_span(PANEL, None, None, poor_settings)
    bars = [(begin - BEGIN) // HOUR_MS for begin in (spans.folds[0][0], spans.folds[1][0], *spans.judge)]
    assert bars == [400, 800, 1_200, 1_600]
    assert spans.folds[0][1] == spans.folds[1][0]
    assert spans.embargo_ms == 6 * HOUR_MS
    with pytest.raises(EvaluationError, match=r"300 bars: 75 for each of 2 test spans, 75 to judge"):
        split_span(PANEL, None, BEGIN + 300 * HOUR_MS, poor_settings)


def begun(folder, settings):
    """A study of one trial that was not judged."""
    return tune(PANEL, models="extra_trees", study=folder, trials=1, minutes=1e3, settings=settings)


def test_a_study_is_resumed_with_what_it_was_begun_with(find, tmp_path, poor_settings):
    folder = tmp_path / "study"
    found = begun(folder, poor_settings)
    assert found.document["verdict"] == "No trial of 1 is better than the settings as they are, which stay."
    assert found.snippet is None
    assert not found.write_settings(tmp_path / "none.toml")
    other = replace(poor_settings, models=replace(poor_settings.models, extra_trees=ExtraTreesSettings()))
    with pytest.raises(EvaluationError, match=r"another as_they_are \(extra_trees\..*another settings \(models\)"):
        find(folder, other)
    with pytest.raises(EvaluationError, match="another data"):
        find(folder, poor_settings, changed_from(BARS - 1))
    with pytest.raises(EvaluationError, match="another symbols"):
        find(folder, poor_settings, dict(list(PANEL.items())[:1]))
    with StudyFolder(folder).locked(), pytest.raises(DataError, match="another process that is writing"):
        _in_another_thread(lambda: begun(folder, poor_settings))
    assert tune_status(folder).document["trials"]["complete"] == 1


def _in_another_thread(call):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def test_an_incomplete_last_line_is_cut_off_and_a_damaged_one_refused(tmp_path, poor_settings):
    folder = tmp_path / "study"
    begun(folder, poor_settings)
    journal = folder / "trials.journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"worker')
    assert tune_status(folder).document["trials"]["ended"] == 1
    assert begun(folder, poor_settings).document["cut_line"]
    assert json.loads(journal.read_bytes().splitlines()[-1])["op_code"] == 2
    lines = whole.splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:3], b"{torn}\n", *lines[3:]]))
    with pytest.raises(EvaluationError, match=r"line 4 of trials\.journal"):
        begun(folder, poor_settings)


def test_what_there_is_not_is_refused(tmp_path, poor_settings):
    with pytest.raises(ModelError, match="quda"):
        tune(PANEL, models="quda", study=tmp_path / "study", settings=poor_settings)
    with pytest.raises(EvaluationError, match=r"no study\.json"):
        tune_status(tmp_path / "none")
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.87, "87 % of the gain was selection."),
        (1.2, "All of the gain was selection: later bars show a loss."),
        (-0.1, "None of the gain was selection: later bars show more than the search."),
    ],
)
def test_the_verdict_says_how_much_was_selection(share, text):
    judgement = {
        "gain_search": 0.01, "gain_later": 0.0013, "gain_later_ci": [-0.002, 0.004],
        "selection_share": share, "kept": False,
    }  # fmt: skip
    said = verdict_of(judgement, 9, improved=True)
    assert text in said
    assert said.startswith("Gain in the search +1.00 % of the class shares' log-loss, on later bars +0.13 % (-0.20 to")
    assert said.endswith("The winner is not kept: its interval is not above zero.")
