"""The pages "Account" and "Models": what the journal says, in memory."""

from dataclasses import replace

import numpy as np
import pytest
from markupsafe import escape

from quorate.core.clock import DAY_MS, HOUR_MS, iso_ms
from quorate.market.memory import MemorySource
from quorate.serving.dashboard.account import plots_of
from quorate.serving.dashboard.formatting import figure, interval, money, whole
from quorate.serving.live.session import SessionSource
from quorate.workflows.paper import PaperAccount, PaperOptions
from stubs.service_client import client
from stubs.waiting import eventually


def test_a_service_without_an_account_says_how_to_start_one(make_service):
    with client(service := make_service()) as http:
        eventually(lambda: service.account.error)
        for path in ("account", "guards", "models"):
            page = http.get(f"/dashboard/{path}").text
            assert "There is no paper account" in page, path
            assert "quorate paper run" in page
        assert http.get("/dashboard").status_code == 200
        journal = http.get("/dashboard/journal")
        assert journal.status_code == 404
        assert "There is no paper account" in journal.text


def test_a_session_that_failed_says_why_on_every_page_of_the_account(make_service, world):
    session = SessionSource(data=world.data, options=PaperOptions(symbols="NONE/USDT:USDT"))
    with client(service := make_service(session=session)) as http:
        eventually(lambda: service.session.error)
        for path in ("", "/account", "/guards"):
            page = http.get(f"/dashboard{path}").text
            assert "The session of the account ended." in page, path
            assert str(escape(str(service.session.error))) in page


def test_the_account_has_the_figures_of_its_status(http, shown):
    found = shown.account.status().document
    page = http.get("/dashboard/account").text
    stats, currency = found["stats"], found["currency"]
    assert money(found["equity_usd"], currency) in page
    assert stats["n"] > 5
    for value in (stats["net_usd"], stats["gross_usd"], stats["costs"]["funding_usd"], -stats["costs"]["fee_usd"]):
        assert money(value, currency) in page
    assert figure(stats["win_rate"], "odds") in page
    assert page.count(">pass</span>") == sum(row["ok"] is True for row in found["criteria"])
    assert page.count(">fail</span>") == sum(row["ok"] is False for row in found["criteria"])
    assert f"step {found['ladder']['step']} of {found['ladder']['steps']}" in page
    front = http.get("/dashboard").text
    assert money(found["equity_usd"], currency) in front


def test_trades_come_in_pages_with_their_votes(http, service):
    trades = service.account.view.trades(200)
    page = http.get("/dashboard/account").text
    rows = page.split('id="trades-title"')[1]
    assert rows.count('<th scope="row">') == min(25, len(trades))
    assert rows.count("xgb ") >= min(25, len(trades))
    older = http.get("/dashboard/account", params={"before": trades[2].number}).text
    assert older.split('id="trades-title"')[1].count('<th scope="row">') == min(25, len(trades) - 3)
    assert http.get("/dashboard/account?before=x").status_code == 200


def test_trades_stand_by_market_and_by_day(http, shown):
    result = shown.account.status().result
    page = http.get("/dashboard/account").text
    by_market = page.split('id="by-market-title"')[1].split("</table>")[0]
    assert by_market.count('<th scope="row">') == len({trade.symbol for trade in result.trades}) > 1
    for symbol in {trade.symbol for trade in result.trades}:
        assert money(sum(trade.net_usd for trade in result.trades if trade.symbol == symbol), "USD") in by_market
    by_day = page.split('id="by-day-title"')[1].split("</table>")[0]
    assert by_day.count('<th scope="row"') == 14
    newest = iso_ms(int(result.time[-1]))[:10]
    assert by_day.index(newest) < by_day.index(iso_ms(int(result.time[-1]) - DAY_MS)[:10])


def test_the_plots_are_the_account(http, shown):
    found = http.get("/dashboard/account/plots").json()
    result = shown.account.status().result
    equity = found["equity"]
    assert equity["time"] == (result.time // 1_000).tolist()
    assert equity["series"][0]["values"] == pytest.approx(result.equity_usd.tolist(), rel=1e-6)
    assert equity["level"] == result.start_equity_usd
    labels = ["Account", "Buy and hold", "Momentum", "Rules"]
    assert [line["label"] for line in equity["series"]] == [*labels, "Random entries"]
    assert [line["label"] for line in found["drawdown"]["series"]] == labels
    baselines = shown.service.account.baselines
    by_label = {line["label"]: line for line in equity["series"]}
    for label, curve in {
        "Momentum": baselines.strategies["momentum"].curve,
        "Buy and hold": baselines.hold.curve,
    }.items():
        assert by_label[label]["values"] == pytest.approx(curve.equity.tolist(), rel=1e-6)
    band = by_label["Random entries"]
    assert band["low"] == pytest.approx(baselines.random.band.low.tolist(), rel=1e-6)
    assert band["high"] == pytest.approx(baselines.random.band.high.tolist(), rel=1e-6)
    assert len({(line["colour"], line.get("dash")) for line in equity["series"]}) == 5
    peak = np.maximum.accumulate(np.concatenate([[result.start_equity_usd], result.equity_usd]))[1:]
    assert found["drawdown"]["series"][0]["values"] == pytest.approx((result.equity_usd / peak - 1).tolist(), abs=1e-6)


@pytest.fixture
def holding(world, make_settings, tmp_path):
    """An account that was stopped while it held a position."""
    account = PaperAccount("holding", f"sqlite:///{tmp_path / 'holding.sqlite'}", settings=make_settings())

    def stop_at_a_fill(record):
        if record.kind == "filled":
            session.stop()

    with account.session(world.bundles, world.data, start=world.start, listener=stop_at_a_fill) as session:
        session.run()
    return account


def test_open_positions_stand_with_their_distances(make_service, holding):
    found = holding.status().document
    assert found["positions"]
    with client(service := make_service(account=holding)) as http:
        eventually(lambda: service.account.status)
        for path in ("", "/account"):
            page = http.get(f"/dashboard{path}").text
            table = page.split("Open positions</caption>")[1].split("</table>")[0]
            assert table.count('<th scope="row">') == len(found["positions"])
            for held in found["positions"]:
                for level in ("stop", "target", "liquidation_price"):
                    assert figure(abs(held["mark"] - held[level]) / held["mark"], "share") in table
                assert money(held["unrealised_usd"], found["currency"]) in table
        held = found["positions"][0]
        data = http.get("/dashboard/market/data", params={"symbol": held["symbol"]}).json()
        assert {name: data["position"][name] for name in ("side", "stop", "target")} == {
            name: held[name] for name in ("side", "stop", "target")
        }


def test_a_line_ends_where_it_is_not_known_yet(shown):
    points, baselines = shown.service.account.equity(), shown.service.account.baselines
    newer = replace(points, time=points.time + 5 * HOUR_MS)  # five bars since the baselines were traded
    account, *others = plots_of(newer, baselines)["equity"]["series"]
    assert account["values"] == pytest.approx(points.equity_usd.tolist(), rel=1e-6)
    for line in others:
        assert line["values"][-5:] == [None] * 5, line["label"]
        assert None not in line["values"][:-5]
    (only,) = plots_of(points, None)["drawdown"]["series"]
    assert only["label"] == "Account"


def test_the_account_stands_beside_its_baselines(http, shown):
    found = shown.account.performance(shown.bundles, shown.data).to_json()["baselines"]
    assert found == http.get("/performance").json()["baselines"]
    table = http.get("/dashboard/account").text.split('id="baselines-title"')[1].split("</section>")[0]
    assert table.count('<th scope="row"') == len(found["rows"]) == 5
    for row in found["rows"]:
        assert money(row["equity_usd"], "USD") in table
        assert figure(row["total_return"], "percent") in table
        assert figure(row["max_drawdown"], "share") in table
    random = found["rows"][-1]
    assert interval(random["total_return_ci"], "percent") in table
    assert f"{whole(found['worse_draws'])} of 12 accounts with random entries earned less" in table
    assert "within step 1 of the ladder" in table
    (hold,) = (row for row in found["rows"] if row["name"] == "buy_and_hold")
    assert hold["about"] in table


def test_without_candles_there_are_no_baselines(make_service, account, world):
    names = world.market.names
    lone = MemorySource([replace(world.market.candles(names[0]), symbol="XYZ/USDT:USDT")])
    with client(service := make_service(lone, account=account)) as http:
        eventually(lambda: service.account.performance)
        page = http.get("/dashboard/account").text
        assert "the service has no candles of the account's markets" in page.replace("&#39;", "'")
        plots = http.get("/dashboard/account/plots").json()
        assert [line["label"] for line in plots["equity"]["series"]] == ["Account"]


def test_models_show_the_performance(http, service):
    found = service.account.performance.to_json()
    page = http.get("/dashboard/models").text
    assert figure(found["ensemble"]["skill_vs_prior"], "percent") in page
    assert figure(found["agreement"]["effective_votes"], "number") in page
    for name, figures in found["members"].items():
        assert name in page
        assert figure(figures["skill_vs_prior"], "percent") in page
        assert figure(found["promised"]["members"][name]["skill_vs_prior"], "percent") in page
    assert page.count('<circle class="point"') == len(found["reliability"]["bins"])
    assert "20\xa0% to 30\xa0%" in page
    plots = http.get("/dashboard/models/plots").json()
    assert len(plots["skill"]["time"]) == len(found["by_day"])


def test_the_chart_of_a_market_has_its_trades(http, shown):
    trades = shown.account.status().result.trades
    symbol = trades[0].symbol
    found = http.get("/dashboard/market/data", params={"symbol": symbol}).json()
    own = [trade for trade in trades if trade.symbol == symbol]
    assert [each["entry_time"] for each in found["trades"]] == [trade.entry_time // 1_000 for trade in own]
    assert [each["net_usd"] for each in found["trades"]] == [trade.net_usd for trade in own]
