"""A panel of recorded replies in backtests, evaluations and replays of a bundle."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quorate.cli.render.evaluation import show
from quorate.core.clock import HOUR_MS, iso_ms, parse_ms
from quorate.core.configuration import load_settings
from quorate.core.errors import RecordingError
from quorate.core.sections.llm import LLMSettings, ProviderSettings
from quorate.core.types import Action
from quorate.llm import ROLES, RoleReply
from quorate.llm.prompts import prompt_of
from quorate.llm.recordings import Recording, RecordingKey, RecordingStore
from quorate.trading.journal import Journal, records
from quorate.workflows.backtest import backtest
from quorate.workflows.evaluate import evaluate
from quorate.workflows.paper import PaperAccount
from quorate.workflows.runs.trials import RunRecord
from quorate.workflows.walk_forward import walk_forward
from workflows.conftest import SMALL

CUTOFF = "2000-01-01"
SYMBOLS, HOURS = 2, 72
UNRECORDED = RunRecord(log=False)
USD = 0.001


def provider(cutoff=CUTOFF):
    return ProviderSettings(url="http://127.0.0.1:1/v1", model="m", name="local", cutoff=cutoff)


def record_replies(world, folder, found, start):
    """Replies on three of four entries: two of three confirm them, at confidences that vary."""
    store, count, random = RecordingStore(str(folder)), 0, np.random.default_rng(1)
    for symbol, frame in found.frames.items():
        candles = world.market.candles(symbol)
        for time, action in zip(frame.time.tolist(), frame.action.tolist(), strict=True):
            if action == Action.HOLD or time < start or random.random() < 0.25:
                continue
            bars = candles.between(end=time + 1)
            for role in ROLES:
                direction = Action(action) if random.random() < 0.67 else Action.HOLD
                reply = RoleReply(role, "local", "m", direction, float(random.uniform(0.6, 1.0)))
                key = RecordingKey("local", "m", prompt_of(role, symbol, "1h", bars).digest, time + HOUR_MS)
                asked = time + 10_000 * HOUR_MS
                made = Recording(key, role, symbol, "1h", "{}", reply, asked, parse_ms(CUTOFF), usd=USD)
                store.put(made)
                count += 1
    return count


@pytest.fixture(scope="module")
def panelled(world, tmp_path_factory):
    """Settings with the panel and without it, the backtest without it, and the number of recordings."""
    folder = tmp_path_factory.mktemp("recordings")
    off = load_settings(environment=SMALL)
    llm = LLMSettings(technical=provider(), risk=provider(), sentiment=provider(), recordings=str(folder))
    plain = {kind: run(backtest, world, kind, off) for kind in ("bundle", "stack")}
    recorded = {kind: record_replies(world, folder, found, world.end) for kind, found in plain.items()}
    return replace(off, llm=llm), plain, recorded


def run(verb, world, kind, settings, record=UNRECORDED):
    span = {"symbols": world.market.names[:SYMBOLS], "start": world.start, "end": iso_ms(world.end + HOURS * HOUR_MS)}
    return verb(getattr(world, kind), world.data, settings=settings, record=record, **span)


def test_a_backtest_reads_recordings_and_says_what_they_did(world, panelled):
    settings, plain, recorded = panelled
    found = run(backtest, world, "stack", settings)
    document, before = found.to_json(), plain["stack"].to_json()
    panel = document["panel"]
    entries = sum(int(np.count_nonzero(frame.action != Action.HOLD)) for frame in found.frames.values())
    assert panel["entries"] == entries == sum(panel["strengths"].values())
    assert panel["found"]["replies"].keys() == set(ROLES)
    assert 0 < sum(panel["found"]["replies"].values()) <= recorded["stack"] + recorded["bundle"]
    assert panel["found"]["usd"] == pytest.approx(USD * sum(panel["found"]["replies"].values()))
    assert 0 < panel["without_replies"] < panel["vetoed"] < entries
    assert 0 < panel["mean_share"] < 0.75
    assert found.result.refused["vetoed"] > 0
    assert "panel" not in before
    assert "vetoed" not in before["stats"]["refused"]
    assert 0 < len(found.result.trades) != len(plain["stack"].result.trades)


def test_an_evaluation_compares_the_accounts_with_and_without_it(world, panelled):
    settings, plain, _ = panelled
    traded = run(backtest, world, "stack", settings)
    found = run(evaluate, world, "stack", settings).to_json()
    compared, stats = found["panel"]["comparison"], traded.to_json()["stats"]
    for side, figures in (("with", stats), ("without", plain["stack"].to_json()["stats"])):
        for name, value in compared[side].items():
            assert value == figures[name], (side, name)
    assert found["trades"]["n"] == compared["without"]["n"]  # the bundle itself, beside its baselines
    assert compared["usd"] == found["panel"]["found"]["usd"]
    assert compared["net_after_replies_usd"] == pytest.approx(stats["net_usd"] - compared["usd"])
    rows = {row["name"]: row for row in found["criteria"]}
    assert rows["stack: win rate"]["measured"] == compared["with"]["win_rate"]
    assert rows["stack: Sharpe"]["measured"] == compared["with"]["sharpe"]
    assert rows["stack: max drawdown"]["measured"] == compared["with"]["max_drawdown"]
    rules = found["baselines"]["rules"]["trades"]["losses"]
    assert rules > 0
    assert rows["stack: losing entries"]["measured"] == 1 - compared["with"]["losses"] / rules
    off = run(evaluate, world, "stack", replace(settings, llm=LLMSettings())).to_json()
    assert {row["note"] for row in off["criteria"] if row["name"].startswith("stack")} == {"n/a: no stack with panel"}
    same = {name: value for name, value in found.items() if name not in ("panel", "criteria", "provenance")}
    assert same == {name: value for name, value in off.items() if name not in ("criteria", "provenance")}


def test_a_vote_has_the_comparison_and_one_more_trial(world, panelled, tmp_path, capsys):
    settings, _, _ = panelled
    log = tmp_path / "trials.jsonl"
    found = run(evaluate, world, "bundle", settings, RunRecord(path=log))
    assert set(found.to_json()["panel"]["comparison"]["entries"]) >= {"losing", "losing_removed_ci", "kept_apart"}
    show(found, full=True)
    shown = capsys.readouterr().out
    assert "Account with and without the panel of language models" in shown
    assert f"panel: {found.to_json()['panel']['entries']} entries judged" in shown
    assert "Entries of the account without the panel" in found.report(tmp_path / "report.html").read_text()
    assert log.read_text().count(f'"panel":"{found.to_json()["panel"]["digest"]}"') + log.read_text().count(
        f'"panel": "{found.to_json()["panel"]["digest"]}"'
    ) == 1  # fmt: skip


def test_a_walk_forward_has_the_comparison_too(world, tmp_path):
    off = load_settings(environment=SMALL)
    llm = LLMSettings(technical=provider(), risk=provider(), sentiment=provider(), recordings=str(tmp_path / "replies"))
    asked = {"models": "xgboost,lightgbm", "folds": 1, "symbols": world.market.names[:1], "policy": "classic"}
    plain = walk_forward(world.data, settings=off, record=UNRECORDED, **asked)
    (frame,) = plain.frames.values()
    record_replies(world, tmp_path / "replies", plain, int(frame.time[-HOURS]))
    log = tmp_path / "trials.jsonl"
    found = walk_forward(world.data, settings=replace(off, llm=llm), record=RunRecord(path=log), **asked).to_json()
    panel, before = found["panel"], plain.to_json()
    assert 0 < panel["vetoed"] < panel["entries"]
    assert "panel" not in before
    assert found["trades"] == before["trades"]
    assert panel["comparison"]["without"]["n"] == before["trades"]["n"]
    assert 0 < panel["comparison"]["with"]["n"] != before["trades"]["n"]
    names = [json.loads(line).get("name", "") for line in log.read_text().splitlines()]
    assert len([name for name in names if name.endswith("with panel")]) == 1, names


def test_a_replay_on_paper_is_the_backtest(world, panelled, tmp_path):
    settings, _, _ = panelled
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    span = {"symbols": world.market.names[:SYMBOLS], "start": world.start, "end": iso_ms(world.end + HOURS * HOUR_MS)}
    status = PaperAccount("paper", url, settings=settings).run(world.stack, world.data, guards=False, **span)
    expected = run(backtest, world, "stack", settings)
    assert status.to_json()["final_equity_usd"] == pytest.approx(expected.result.final_equity_usd, abs=0.005)
    assert len(status.to_json()["trades"]) == len(expected.result.trades) > 0
    with Journal.open(url, "paper", role="reader") as journal:
        votes = [entry.record for entry in journal.read(kinds=[records.PanelRecord])]
    assert {vote.share > 0 for vote in votes} == {True, False}
    assert {len(vote.view["replies"]) for vote in votes} == {0, 3}


def test_recordings_of_bars_that_a_model_may_know_are_refused_or_marked(world, panelled):
    settings, _, _ = panelled
    late = provider(cutoff="2100-01-01")
    knows = replace(settings.llm, technical=late)
    with pytest.raises(RecordingError, match="technical"):
        run(backtest, world, "stack", replace(settings, llm=knows))
    marked = run(backtest, world, "stack", replace(settings, llm=replace(knows, contaminated="mark"))).to_json()
    assert marked["panel"]["contaminated"] > 0
    assert any(text.startswith("CONTAMINATED") for text in marked["warnings"])
