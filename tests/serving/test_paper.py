"""`/paper`, `/guards`, `/ladder`, `/journal` and `/performance`: the documents of the command line, and requests."""

import json
import threading
from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import GuardSettings, LadderSettings
from quorate.serving.documents.guards import GuardsDocument, Requested
from quorate.serving.documents.journal import JournalPage
from quorate.serving.documents.paper import EquityDocument, PaperDocument, TradeDocument
from quorate.serving.documents.performance import Performance
from quorate.trading.journal import Journal, ValuedRecord, entry_json
from quorate.workflows.paper import PaperAccount
from stubs.events import listening
from stubs.served import SETTINGS
from stubs.service_client import client
from stubs.waiting import eventually

READ = ("/paper", "/paper/equity", "/paper/trades", "/guards", "/journal", "/performance")


def same(found, document):
    """Compare with a document of the command line, as JSON."""
    assert found.status_code == 200, found.text
    assert found.json() == json.loads(json.dumps(document))


def measured_up_to(page, bar):
    """The performance once it is measured at a bar, and the baselines after it."""

    def measured():
        found = (answer := page.get("/performance")).json()
        return found.get("as_of") == bar and (found["baselines"] or {}).get("to") == bar and answer

    return eventually(measured)


def test_the_status_is_that_of_the_command_line(page, account, trade):
    trade(60)
    found = page.get("/paper")
    same(found, account.status().to_json())
    PaperDocument.model_validate_json(found.content)
    assert set(found.json()) == set(PaperDocument.model_fields)
    trade(5)
    same(page.get("/paper"), account.status().to_json())


def test_equity_beside_buy_and_hold(page, trade):
    trade(60)
    found = EquityDocument.model_validate_json(page.get("/paper/equity", params={"points": 10}).content)
    assert len(found.time) == len(found.equity_usd) == len(found.drawdown) == 10
    assert found.bars == 60
    held = eventually(lambda: (found := page.get("/paper/equity").json()["buy_and_hold_usd"]) and found[-1] and found)
    assert len(held) == 60
    assert held[-1] != held[0]


def test_trades_have_their_votes(page, account, trade):
    trade(80, guards=False)
    found = page.get("/paper/trades").json()
    for trade_ in found:
        TradeDocument.model_validate_json(json.dumps(trade_))
        assert trade_["votes"]
    expected = list(account.records(None, kinds="closed"))[::-1]
    assert [one["number"] for one in found] == [entry.seq for entry in expected]
    assert len(found) > 2
    older = page.get("/paper/trades", params={"last": 1, "before": found[0]["number"]}).json()
    assert older == found[1:2]


def test_the_journal_in_pages(page, account, trade):
    trade(20)
    entries = list(account.records(None, kinds="decided"))[::-1]
    seen, before = [], None
    while True:
        options = {"kinds": "decided", "last": 25} | ({} if before is None else {"before": before})
        answer = page.get("/journal", params=options)
        found = JournalPage.model_validate_json(answer.content)
        seen += answer.json()["records"]
        before = found.before
        if before is None:
            break
    expected = [json.loads(json.dumps(entry_json.to_json(entry))) for entry in entries]
    assert [{name: value for name, value in record.items() if name != "text"} for record in seen] == expected
    assert all(record["text"] for record in seen)
    first = entries[0].record
    asked = {"symbol": first.symbol, "from": seen[0]["time"], "text": first.line[:12]}
    (one, *_) = page.get("/journal", params=asked).json()["records"]
    assert one["key"] == first.key
    assert page.get("/journal", params={"text": "no such text"}).json() == {"records": [], "before": None}


def test_the_performance_is_that_of_the_command_line(page, account, trade, world):
    assert page.get("/performance").status_code in (404, 503)
    trade(60)
    found = measured_up_to(page, account.status().document["last_bar"])
    same(found, account.performance(world.bundles, world.data).to_json())
    assert set(found.json()) == {field.alias or name for name, field in Performance.model_fields.items()}
    Performance.model_validate_json(found.content)
    trade(10)
    measured_up_to(page, account.status().document["last_bar"])


def test_a_guard_is_rearmed_with_a_reason(page, account, trade):
    trade(80)
    found = GuardsDocument.model_validate_json(page.get("/guards").content)
    assert {guard.guard: guard.mode for guard in found.guards}["confidence"] == "HALTED"
    answer = page.post("/guards/confidence/rearm", json={"note": "  seen by hand "})
    request = Requested.model_validate_json(answer.content)
    assert (request.who, request.note, request.guard) == ("token at 127.0.0.1", "seen by hand", "confidence")
    (waiting,) = page.get("/guards").json()["requests"]
    assert waiting["who"] == "token at 127.0.0.1"
    written = [entry.record for entry in account.records(None, kinds="human")]
    assert [(record.guard, record.note, record.who) for record in written] == [
        ("confidence", "seen by hand", "token at 127.0.0.1")
    ]
    trade(3)
    moves = {(move["what"], move["after"]) for move in page.get("/guards").json()["moves"]}
    assert ("confidence", "ACTIVE") in moves


def test_the_next_step_of_the_ladder_is_confirmed(make_service, world, tmp_path):
    settings = replace(
        SETTINGS,
        guards=GuardSettings(models=2, confidence=0.0, losses=100, drawdown_usd=1e9, volatility=1.0),
        ladder=LadderSettings(days=0, trades=2, win_rate=(0.0, 0.0, 0.0)),
    )
    account = PaperAccount("ladder", f"sqlite:///{tmp_path / 'ladder.sqlite'}", settings=settings)
    span = {"start": world.end, "end": world.end + 150 * HOUR_MS}
    account.run(world.bundles, world.data, **span)
    with (
        client(make_service(account=account, journal_s=0.05)) as page,
        listening(page, "/events?kinds=ladder") as heard,
    ):
        before = page.get("/guards").json()["ladder"]
        assert before["step"] == 1
        assert all(condition["ok"] for condition in before["next"])
        answer = page.post("/ladder/promote", json={"note": "as planned"})
        assert Requested.model_validate_json(answer.content).action == "promote"
        account.run(world.bundles, world.data, start=world.end, end=world.end + 155 * HOUR_MS)
        assert page.get("/paper").json()["ladder"]["step"] == 2
        (event,) = heard.wait(lambda got: got.of("ladder"))
        assert (event.data["before"], event.data["after"]) == (1, 2)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/guards/nonsense/rearm", {"note": "x"}, 409),
        ("/guards/drawdown/rearm", {"note": "x"}, 409),
        ("/guards/confidence/rearm", {"note": "  "}, 422),
        ("/guards/confidence/rearm", {"note": "x" * 1001}, 422),
        ("/guards/confidence/rearm", {"note": 5}, 422),
        ("/guards/confidence/rearm", {"note": "x", "who": "me"}, 422),
        ("/guards/confidence/rearm", {}, 422),
        (f"/guards/{'x' * 65}/rearm", {"note": "x"}, 422),
        ("/ladder/promote", {"note": "x"}, 409),
    ],
)
def test_what_is_not_allowed_records_nothing(page, account, trade, path, body, status):
    trade(20)
    assert page.post(path, json=body).status_code == status
    assert list(account.records(None, kinds="human")) == []


@pytest.mark.parametrize(
    "query",
    [
        "/journal?last=0",
        "/journal?before=-1",
        f"/journal?before={2**63}",
        f"/journal?after={10**40}",
        "/journal?kinds=nonsense",
        "/journal?from=yesterday",
        "/journal?text=%00",
        "/journal?symbol=%00",
        f"/journal?text={'x' * 201}",
        "/paper/trades?last=1e999",
        f"/paper/trades?before={2**63}",
        "/paper/equity?points=1",
        "/paper/equity?points=NaN",
    ],
)
def test_hostile_queries_are_refused(page, trade, query):
    trade(2)
    assert page.get(query).status_code == 422


def test_an_account_that_begins_later(page, account, trade):
    for path in READ:
        answer = page.get(path)
        assert answer.status_code in (404, 503), path
    assert page.get("/guards").json()["error"]["type"] == "UnknownAccountError"
    assert page.post("/guards/confidence/rearm", json={"note": "x"}).status_code == 404
    trade(3)
    assert page.get("/paper").json()["account"] == account.name


def test_a_damaged_journal_is_no_internal_error(page, account, trade, tmp_path):
    trade(3)
    assert page.get("/paper").status_code == 200
    for name in ("journal.sqlite-wal", "journal.sqlite-shm"):
        (tmp_path / "paper" / name).unlink(missing_ok=True)
    (tmp_path / "paper" / "journal.sqlite").write_bytes(b"no database" * 1000)
    for path in ("/paper", "/guards", "/journal"):
        answer = page.get(path)
        assert answer.status_code == 503, path
        assert answer.json()["error"]["type"].startswith("Journal")


def test_a_journal_that_contradicts_itself_is_shown_as_an_error(page, account, trade):
    trade(3)
    assert page.get("/paper").status_code == 200
    last = account.status().result.time[-1]
    with Journal.open(account.url, account.name) as journal:
        journal.append([ValuedRecord(int(last) + HOUR_MS, "close", 5.0, 5.0)])
    found = page.get("/paper")
    assert found.status_code == 503
    assert "equity 5.0" in found.json()["error"]["expected"]
    assert page.get("/journal").status_code == 200
    eventually(lambda: page.get("/performance").status_code == 503)
    assert page.post("/guards/confidence/rearm", json={"note": "x"}).status_code == 503


def test_metrics_of_the_account(page, account, trade):
    assert "quorate_equity_usd{" not in page.get("/metrics").text
    trade(80)
    status = account.status().document
    expected = f'quorate_equity_usd{{account="paper"}} {status["equity_usd"]}'
    text = eventually(lambda: expected in (text := page.get("/metrics").text) and text)
    assert 'quorate_guard_halted{account="paper",guard="confidence"} 1.0' in text
    assert 'quorate_guard_halted{account="paper",guard="drawdown"} 0.0' in text
    assert 'quorate_ladder_step{account="paper"} 1.0' in text
    assert f'quorate_open_positions{{account="paper"}} {float(len(status["positions"]))}' in text
    assert "quorate_drawdown_fraction{" in text
    assert "quorate_journal_lag_seconds{" not in text  # of a replay


def test_the_bundle_that_the_account_trades_by_is_measured(page, account, trade, world):
    """Also after another one has become champion."""
    trade(40)
    measured_up_to(page, account.status().document["last_bar"])
    page.post(f"/bundles/{world.ids[1]}/promote", json={"why": "x"})
    assert page.get(f"/signals/{world.symbols[0]}").headers["Quorate-Bundle"] == world.ids[1]
    account.run(world.bundles / world.ids[0], world.data, start=world.end, end=world.end + 45 * HOUR_MS)
    found = measured_up_to(page, account.status().document["last_bar"]).json()
    assert found["bundle"] == world.ids[0]
    assert found["outcomes"]["known"] == 3 * 40


def test_two_readers_and_one_writer(page, account, trade):
    trade(2)
    stop, failures, bars = threading.Event(), [], set()

    def read():
        while not stop.is_set():
            for path in ("/paper", "/guards", "/journal?last=5", "/paper/trades"):
                answer = page.get(path)
                if answer.status_code != 200:
                    failures.append((path, answer.text))
            bars.add(page.get("/paper").json()["last_bar"])

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    trade(60)
    stop.set()
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert len(bars) > 3
    same(page.get("/paper"), account.status().to_json())


def test_a_journal_in_postgresql(make_service, server, world):
    account = PaperAccount("paper", server.database())
    with client(make_service(account=account, journal_s=0.05)) as page, listening(page, "/events?kinds=bar") as heard:
        assert page.get("/paper").status_code == 404
        status = account.run(world.bundles, world.data, start=world.end, end=world.end + 30 * HOUR_MS)
        heard.wait(lambda got: len(got.events) == 30)
        found = page.get("/paper").json()
        assert found["equity_usd"] == status.document["equity_usd"]
        assert len(page.get("/journal", params={"text": "STRONG", "last": 5}).json()["records"]) == 5
        assert page.get("/journal?text=%00").status_code == 422
        halted = [guard["guard"] for guard in found["guards"] if guard["mode"] == "HALTED"]
        for guard in halted:
            assert page.post(f"/guards/{guard}/rearm", json={"note": "x"}).status_code in (200, 409)
    with Journal.open(account.url, "paper", role="reader") as journal:
        assert journal.newest(1)
