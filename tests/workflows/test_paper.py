"""A paper account as an object: replay, status, requests, records, copy."""

import json
import re
import shutil
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from quorate.cli.app import main
from quorate.cli.render.paper import render
from quorate.core.clock import HOUR_MS, iso_ms
from quorate.core.configuration import load_settings
from quorate.core.errors import ArgumentError, GuardError, JournalError, TrainingSpanError
from quorate.core.settings import DriftSettings
from quorate.evaluation.drift import write_check
from quorate.trading.journal import ClosedRecord, DecidedRecord
from quorate.trading.paper.log_lines import line
from quorate.workflows.backtest import backtest
from quorate.workflows.paper import PaperAccount
from quorate.workflows.runs.trials import RunRecord
from stubs.drift_checks import DRIFTING


@pytest.fixture(scope="module")
def replayed(world, tmp_path_factory):
    """An account that its guards halt, its status after the replay, and the records that its listener received."""
    records = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUORATE_GUARDS__MODELS", "2")
        patch.setenv("QUORATE_GUARDS__CONFIDENCE", "0.99")
        patch.setenv("QUORATE_GUARDS__SIGNALS", "5")
        patch.setenv("QUORATE_GUARDS__SIGNALS_NEEDED", "5")
        patch.setenv("QUORATE_EVALUATION__RESAMPLES", "60")
        account = PaperAccount("halted", f"sqlite:///{tmp_path_factory.mktemp('paper') / 'journal.sqlite'}")
    status = account.run(
        world.bundle,
        world.data,
        listener=records.append,
        start=world.start,
        end=world.end + 120 * HOUR_MS,
    )
    return account, status, records


def test_a_replay_is_the_guarded_backtest(world, replayed):
    _, status, _ = replayed
    found = status.to_json()
    expected = backtest(
        world.bundle,
        world.data,
        guards=True,
        record=RunRecord(log=False),
        start=world.start,
        end=world.end + 120 * HOUR_MS,
    )
    assert found["final_equity_usd"] == pytest.approx(expected.result.final_equity_usd, abs=0.005)
    assert len(found["trades"]) == len(expected.result.trades) > 0
    assert found["in_training_span"] is False
    assert found["synthetic"] is status.synthetic is True


def test_the_page_of_a_replay_of_trained_bars_says_so(world, tmp_path):
    account = PaperAccount("seen", f"sqlite:///{tmp_path / 'journal.sqlite'}")
    span = {"start": world.end - 30 * HOUR_MS, "end": world.end + 10 * HOUR_MS}
    account.run(world.bundle, world.data, allow_training_span=True, **span)
    found = account.evaluate(world.bundle, world.data).to_json()
    assert found["in_training_span"] is True
    assert found["verdict"]["outcome"] in ("unclear", "none")


@pytest.mark.parametrize("policy", ["consensus", "closed"])
def test_a_policy_by_name_decides_in_two_runs_as_in_a_backtest(world, tmp_path, policy):
    records = []
    account = PaperAccount(policy, f"sqlite:///{tmp_path / 'journal.sqlite'}")
    for hours in (24, 72):  # the second run recovers from the journal
        options = {"policy": policy, "listener": records.append, "start": world.start}
        status = account.run(world.bundle, world.data, end=world.end + hours * HOUR_MS, **options)
    decided = [record for record in records if isinstance(record, DecidedRecord)]
    assert len(decided) > 0
    expected = backtest(
        world.bundle,
        world.data,
        policy=policy,
        guards=True,
        record=RunRecord(log=False),
        start=world.start,
        end=world.end + 72 * HOUR_MS,
    )
    assert len(status.to_json()["trades"]) == len(expected.result.trades)
    assert status.to_json()["final_equity_usd"] == pytest.approx(expected.result.final_equity_usd, abs=0.005)
    if policy == "closed":
        assert {record.action.name for record in decided} == {"HOLD"}
        assert "closed" in {record.rule for record in decided}
        verdict = status.to_json()["verdict"]
        assert verdict["sentence"].startswith("0 trades: the policy is closed")
        assert verdict["details"][0].startswith("At a floor of ")
        assert any(record.votes for record in decided)
    else:
        assert len(expected.result.trades) > 0
        assert {record.confidence == record.base or not record.confidence for record in decided} == {True}


def test_the_listener_is_called_with_every_record(replayed):
    account, status, records = replayed
    assert sum(isinstance(record, ClosedRecord) for record in records) == len(status.document["trades"])
    assert len(records) == len(list(account.records(None)))


def test_an_account_is_evaluated_by_its_own_trades(world, replayed, tmp_path):
    account, status, _ = replayed
    found = account.evaluate(world.bundle.parent, world.data)
    document = found.to_json()
    assert found.result.trades == status.result.trades
    assert document["trades"]["net_usd"] == pytest.approx(status.document["stats"]["net_usd"])
    assert document["baselines"]["buy_and_hold"]["total_return"] == pytest.approx(
        status.document["baselines"]["buy_and_hold"]["total_return"]
    )
    assert document["provenance"].get("ledger") is None, "an account is no trial"
    assert "SYNTHETIC" in found.report(tmp_path / "paper.html").read_text()


def test_amounts_are_named_in_the_currency_of_the_account(replayed):
    account, _, _ = replayed
    dollars = account.status()
    euros = replace(dollars, document={**dollars.document, "currency": "EUR"})
    for status, currency in ((dollars, "USD"), (euros, "EUR")):
        with StringIO() as written:
            Console(file=written, width=200).print(render(status.document, full=True))
            shown = written.getvalue() + str(status)
        assert re.search(rf"\d {currency}\b", shown)
        assert bool(re.search(r"\$\d|\d USD\b", shown)) is (currency == "USD")
    closed = next(entry.record for entry in account.records(None, kinds="closed"))
    assert line(closed).endswith(" USD")
    assert line(closed, "EUR").endswith(" EUR")
    assert line(replace(closed, trade=closed.trade._replace(symbol="A/EUR"))).endswith(" EUR")


def test_status_is_read_from_the_journal(replayed, capsys):
    account, status, _ = replayed
    now = account.status()
    asked = ["paper", "status", "--account", account.name, "--journal", account.url, "--json"]
    assert main(asked) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(now.to_json()))
    assert now.document["mode"] == "HALTED"
    assert now.document["equity_usd"] == status.document["final_equity_usd"]
    assert "trades" not in now.document
    assert len(now.to_pandas()) == len(status.to_pandas()) > 0
    assert len(now.to_pandas("equity")) == 120
    assert len(now.to_pandas("decisions")) == 3 * 120
    guards = now.to_pandas("guards").set_index("guard")
    assert guards.loc["confidence", "mode"] == "HALTED"
    assert set(now.to_pandas("criteria")["ok"]) <= {True, False, None}
    assert now.to_pandas("positions").empty == (not now.document["positions"])
    with pytest.raises(ArgumentError, match="positions, guards, criteria"):
        now.to_pandas("orders")


def test_the_status_as_text_and_html(replayed):
    account, _, _ = replayed
    text, html = str(account.status()), account.status()._repr_html_()
    for shown in (text, html):
        assert "SYNTHETIC" in shown
        assert "HALTED" in shown
        assert "start 1,000.00 USD" in shown


def test_the_status_is_read_again_each_time(replayed):
    account, _, _ = replayed
    statuses = account.watch()
    assert next(statuses).document == next(statuses).document
    statuses.close()


def test_the_next_session_applies_a_rearm_request(world, replayed, tmp_path):
    account, _, _ = replayed
    own = PaperAccount("halted", f"sqlite:///{tmp_path / 'copy.sqlite'}", settings=account.settings)
    assert account.copy(own.url) == len(list(account.records(None)))
    asked = []

    def refuse(move):
        asked.append(move)
        return False

    assert own.rearm("confidence", who="Ada", confirm=refuse) is None
    ((move),) = asked
    assert (move.account, move.what, move.before, move.after, move.who) == (
        "halted", "confidence", "HALTED", "ACTIVE", "Ada",
    )  # fmt: skip
    assert own.status().document["requests"] == []
    request = own.rearm("confidence", who="Ada", note="seen")
    assert request.to_json() | {"at": None} == {
        "action": "rearm", "guard": "confidence", "who": "Ada", "note": "seen", "at": None,
    }  # fmt: skip
    assert [one["guard"] for one in own.status().document["requests"]] == ["confidence"]
    later = own.run(world.bundle, world.data, start=world.start, end=world.end + 140 * HOUR_MS)
    assert later.document["requests"] == []
    moves = [(move["what"], move["before"], move["after"]) for move in later.document["moves"]]
    assert ("confidence", "HALTED", "ACTIVE") in moves
    assert later.document["session"]["number"] == 2


def test_requests_that_the_account_does_not_allow(replayed):
    account, _, _ = replayed
    with pytest.raises(GuardError, match="Did you mean 'confidence'"):
        account.rearm("confidenc", who="Ada")
    with pytest.raises(GuardError):
        account.promote(who="Ada")


def test_records_are_chosen(replayed):
    account, _, _ = replayed
    entries = list(account.records(None))
    assert [entry.seq for entry in account.records(3)] == [entry.seq for entry in entries[-3:]]
    after = entries[-2].seq
    assert [entry.seq for entry in account.records(None, after=after)] == [entries[-1].seq]
    closed = list(account.records(None, kinds=["closed"]))
    assert closed
    assert {type(entry.record) for entry in closed} == {ClosedRecord}
    with pytest.raises(ArgumentError, match="Did you mean 'closed'"):
        account.records(kinds=["close"])
    first = closed[0].record.trade
    asked = {"kinds": "decided", "symbol": first.symbol, "start": first.decided, "end": first.decided + 1}
    (decided,) = account.records(None, **asked)
    assert list(account.records(5, **asked)) == [decided]
    assert list(account.records(5, **asked, text=decided.record.line[:20].upper())) == [decided]
    assert list(account.records(5, **asked, text="no such text")) == []
    assert [entry.seq for entry in account.records(3, before=entries[-3].seq)] == [
        entry.seq for entry in entries[-6:-3]
    ]
    for unusable in ({"text": "a\ud800"}, {"symbol": "a\0"}, {"before": -1}, {"after": None}, {"text": 5}):
        with pytest.raises(ArgumentError):
            account.records(**unusable)


def test_a_session_ends_after_the_step_at_which_it_is_stopped(world, tmp_path):
    account = PaperAccount("stopped", f"sqlite:///{tmp_path / 'journal.sqlite'}")
    span = {"start": world.start, "end": world.end + 20 * HOUR_MS}

    def stop_at_third_bar(record):
        if isinstance(record, DecidedRecord) and record.time == world.end + 2 * HOUR_MS:
            session.stop()

    with account.session(world.bundle, world.data, listener=stop_at_third_bar, **span) as session:
        stopped = session.run()
    assert stopped.document["last_bar"] == iso_ms(world.end + 2 * HOUR_MS)
    whole = account.run(world.bundle, world.data, **span)
    assert whole.document["session"]["number"] == 2
    assert len(whole.to_pandas("equity")) == 20


def test_candles_in_memory_are_replayed(world, tmp_path):
    account = PaperAccount("memory", f"sqlite:///{tmp_path / 'journal.sqlite'}")
    candles = world.market.candles("SYNB/USDT:USDT")
    status = account.run(world.bundle, candles, start=world.start, end=world.end + 20 * HOUR_MS, guards=False)
    assert status.document["symbols"] == ["SYNB/USDT:USDT"]
    assert status.document["guards"] is None
    assert len(status.to_pandas("equity")) == 20


def test_an_alarm_of_drift_shrinks_the_stakes_of_a_replay(world, tmp_path):
    settings = replace(load_settings(), drift=DriftSettings(action="shrink", shrink=0.3))
    account = PaperAccount("shrunk", f"sqlite:///{tmp_path / 'journal.sqlite'}", settings=settings)
    # The folder of all tests stays as it is.
    bundle = tmp_path / "bundles" / world.bundle.name
    shutil.copytree(world.bundle, bundle)
    seen = world.end + 40 * HOUR_MS
    write_check(bundle, replace(DRIFTING, bundle=bundle.name, end=seen))
    status = account.run(bundle, world.data, start=world.start, end=world.end + 60 * HOUR_MS, guards=False)
    reason = f"bundle {bundle.name} {DRIFTING.headline}"
    assert status.document["drift"] == {"alarm": True, "stake_factor": 0.3, "reason": reason}
    (moved,) = (entry.record for entry in account.records(kinds="drift"))
    assert (moved.time + HOUR_MS, moved.stake_factor) == (seen, 0.3)
    factors = {e.record.time + HOUR_MS < seen: e.record.order.stake_factor for e in account.records(kinds="intent")}
    assert factors == {True: 1.0, False: 0.3}
    text = StringIO()
    Console(file=text, width=300).print(render(status.to_json()))
    assert f"{reason}; new entries with 30% of the ordinary stake" in text.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "neither `data` nor `exchange`"),
        ({"data": "d", "exchange": "binanceusdm"}, "both `data` and `exchange`"),
        ({"exchange": "binanceusdm", "start": "2024-01-01", "speed": 2.0}, "`start`, `speed` with live candles"),
        ({"data": "d", "symbols": "A", "top": 3}, "both `symbols` and `top`"),
        ({"data": "d", "top": 3}, "`top` without `start`"),
        ({"data": "d", "start": "2024-02-01", "end": "2024-01-01"}, "`start` before `end`"),
        ({"data": "d", "guard": False}, "unknown argument `guard`"),
    ],
)
def test_arguments_that_contradict_each_other(arguments, words):
    with pytest.raises(ArgumentError, match=words):
        PaperAccount().run("no such bundle", **arguments)


def test_refused_runs(world, tmp_path):
    account = PaperAccount("refused", f"sqlite:///{tmp_path / 'journal.sqlite'}")
    with pytest.raises(TrainingSpanError, match="inside the training span"):
        account.run(world.bundle, world.data, start=world.end - 100 * HOUR_MS)
    with pytest.raises(ArgumentError, match="found `timeframe` 4h; expected 1h, the timeframe of the bundle"):
        account.run(world.bundle, world.data, start=world.start, timeframe="4h")
    with pytest.raises(JournalError):
        account.status()
