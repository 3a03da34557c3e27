"""The pages "Guards" and "Journal": requests of a person, and the records."""

import time
from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import LadderSettings
from quorate.trading.journal import Journal
from quorate.trading.journal.records import DriftMovedRecord
from quorate.workflows.paper import PaperAccount
from stubs.pages import Visitor
from stubs.service_client import client, token_of
from stubs.waiting import eventually

HOSTILE = "<script>alert(1)</script> \u202etxet"


@pytest.fixture
def changeable(make_service, account):
    """A service of an account that a test may change."""
    return make_service(account=account)


@pytest.fixture
def changing(changeable):
    with client(changeable) as made:
        eventually(lambda: changeable.account.status)
        yield made


def ask(http, note, guard="confidence", action="rearm"):
    return http.post("/dashboard/guards/request", data={"action": action, "guard": guard, "note": note})


def test_every_guard_stands_with_its_state_and_count(http, shown):
    found = shown.account.status().document
    page = http.get("/dashboard/guards").text
    table = page.split('id="guards-title"')[1].split("</table>")[0]
    assert table.count('<th scope="row">') == len(found["guards"])
    for mode in ("ACTIVE", "HALTED"):
        assert table.count(f"</span>{mode}</span>") == sum(guard["mode"] == mode for guard in found["guards"])
    assert found["mode"] == "HALTED"
    assert table.count("data-dialog") == 1


def test_a_request_needs_a_reason_and_stands_in_the_journal(changing, account):
    http = changing
    confirm = http.get("/dashboard/guards/request", params={"action": "rearm", "guard": "confidence"}).text
    assert confirm.count("</span>HALTED</span>") == 1
    assert confirm.count("</span>ACTIVE</span>") == 1
    for note in ("", "   ", "x" * 1_001):
        refused = ask(http, note)
        assert refused.status_code == 422
        assert "Nothing was recorded." in refused.text
    assert list(account.records(kinds="human")) == []
    assert ask(http, HOSTILE).status_code == 303
    (entry,) = account.records(kinds="human")
    assert (entry.record.action, entry.record.guard, entry.record.note) == ("rearm", "confidence", HOSTILE)
    assert entry.record.who
    eventually(lambda: "re-arm confidence" in http.get("/dashboard/guards").text)
    journal = http.get("/dashboard/journal", params={"kind": "human"}).text
    assert "<script>alert" not in journal
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in journal


def test_what_the_account_does_not_allow_is_refused(http, shown):
    for guard, action in (("losses", "rearm"), ("volatility", "rearm"), ("nosuch", "rearm"), ("", "promote"), ("", "")):
        assert ask(http, "why not", guard, action).status_code == 409, guard
    assert list(shown.account.records(kinds="human")) == []


def test_records_are_searched_and_come_in_pages(http, shown):
    everything = list(shown.account.records(None))
    page = http.get("/dashboard/journal").text
    assert page.count('<tr id="record-') == 50
    assert f'id="record-{everything[-1].seq}"' in page
    older = page.split("Older records")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert f'id="record-{everything[-51].seq}"' in http.get(older).text
    closed = [entry for entry in everything if entry.record.kind == "closed"]
    found = http.get("/dashboard/journal", params={"kind": "closed"}).text
    assert found.count('<tr id="record-') == min(50, len(closed))
    symbol = closed[0].record.trade.symbol
    found = http.get("/dashboard/journal", params={"kind": "decided", "symbol": symbol}).text
    assert f'title="{symbol}"' in found
    other = next(entry.record.symbol for entry in everything if getattr(entry.record, "symbol", symbol) != symbol)
    assert f'title="{other}"' not in found
    assert "No record fits" in http.get("/dashboard/journal", params={"text": "nosuchtext"}).text


@pytest.mark.parametrize("query", ["start=yesterday", "kind=none", "end=9999999999999"])
def test_a_search_that_is_not_valid_says_why(http, query):
    found = http.get(f"/dashboard/journal?{query}")
    assert found.status_code == 422
    assert "expected:" in found.text


def test_a_guard_is_rearmed_by_keyboard(browser, changeable, changing, account, keep_picture):
    visitor = Visitor(browser, str(changing.base_url), token_of(changeable), 1440, "dark")
    page = visitor.go("/dashboard/guards")
    page.get_by_role("link", name="Re-arm").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    keep_picture(page, "dashboard-rearm")
    page.keyboard.press("Tab")  # to the button, with an empty reason
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.type("Checked by hand.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("re-arm confidence").wait_for()
    (entry,) = account.records(kinds="human")
    assert entry.record.note == "Checked by hand."
    visitor.close()


@pytest.fixture
def climbing(world, make_settings, tmp_path):
    """An account that meets the conditions of the ladder's second step."""
    ladder = LadderSettings(days=0, trades=5, win_rate=(0.2, 0.2, 0.2), certainty=0.5)
    settings = replace(make_settings(), ladder=ladder)
    account = PaperAccount("climbing", f"sqlite:///{tmp_path / 'climbing.sqlite'}", settings=settings)
    account.run(world.bundles, world.data, start=world.start, end=world.last - 100 * HOUR_MS)
    assert all(condition["ok"] for condition in account.status().document["ladder"]["next"])
    return account


def test_the_next_step_of_the_ladder_is_confirmed(browser, make_service, climbing, world, keep_picture):
    with client(service := make_service(account=climbing)) as http:
        eventually(lambda: service.account.status)
        visitor = Visitor(browser, str(http.base_url), token_of(service), 1440, "dark")
        page = visitor.go("/dashboard/guards")
        page.locator("#live-state", has_text="Live").wait_for()
        page.get_by_role("link", name="Confirm the next step").click()
        dialog = page.get_by_role("dialog")
        dialog.wait_for()
        changes = [row.inner_text().split("\t") for row in dialog.locator("tbody tr").all()]
        assert changes == [
            ["Margin of all positions", "$100.00", "$200.00"],
            ["Open positions", "2", "3"],
            ["Leverage", "20x", "25x"],
        ]
        keep_picture(page, "dashboard-ladder")
        dialog.get_by_role("button", name="Go to the next step").click()  # without a reason the form stays
        assert dialog.is_visible()
        assert list(climbing.records(kinds="human")) == []
        dialog.get_by_label("Reason").fill("The week is over.")
        dialog.get_by_role("button", name="Go to the next step").click()
        page.get_by_text("next step of the ladder").wait_for()
        (entry,) = climbing.records(kinds="human")
        assert (entry.record.action, entry.record.note) == ("promote", "The week is over.")
        assert entry.record.who == "dashboard at 127.0.0.1"
        assert abs(entry.written_at - time.time() * 1_000) < 60_000
        assert page.get_by_role("heading", name="Ladder: step 1 of 4").is_visible()
        page.locator("#live-state", has_text="Live").wait_for()
        climbing.run(world.bundles, world.data, start=world.start, end=world.last - 98 * HOUR_MS)
        page.get_by_role("heading", name="Ladder: step 2 of 4").wait_for()
        assert page.get_by_text("$200.00, 3 positions, leverage 25x").is_visible()
        moves = page.locator("[aria-labelledby='moves-title'] tbody tr")
        assert "confirmed by dashboard at 127.0.0.1" in moves.first.inner_text()
        page = visitor.go("/dashboard/journal?kind=human")
        assert "The week is over." in page.locator(f"#record-{entry.seq}").inner_text()
        visitor.close()


def test_an_alarm_of_drift_stands_with_what_follows(changeable, changing, account):
    http = changing
    assert "New entries have" not in http.get("/dashboard/guards").text
    with Journal.open(account.url, account.name, settings=account.settings.journal) as journal:
        last = next(iter(journal.newest(1))).record.time
        journal.append(
            [DriftMovedRecord(last, 0, before=False, after=True, stake_factor=0.5, reason="bundle b DRIFTING")]
        )
    eventually(lambda: "New entries have 50\u00a0% of" in http.get("/dashboard/guards").text)
    assert "quiet → <strong>drifting</strong>" in http.get("/dashboard/guards").text
    found = http.get("/guards").json()["drift"]
    assert found == {"alarm": True, "stake_factor": 0.5, "reason": "bundle b DRIFTING"}


def test_an_open_record_stays_open_when_the_journal_goes_on(browser, changeable, changing, account, world):
    visitor = Visitor(browser, str(changing.base_url), token_of(changeable), 1440, "light")
    page = visitor.go("/dashboard/journal")
    page.locator("#live-state", has_text="Live").wait_for()
    newest = page.locator("tbody tr").first
    row = page.locator(f"#{newest.get_attribute('id')}")
    row.locator("summary").click()
    assert row.locator("pre").is_visible()
    account.run(world.bundles, world.data, start=world.start, end=world.last - 9 * HOUR_MS)
    page.wait_for_function("id => document.querySelector('tbody tr').id !== id", arg=row.get_attribute("id"))
    assert row.locator("pre").is_visible()
    visitor.close()
