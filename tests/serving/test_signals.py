"""`/signals`: the decisions of the workflow, over HTTP."""

from urllib.parse import quote

import pytest

from quorate.serving.documents.signals import SignalDocument
from quorate.workflows.signals import signals
from stubs.service_client import client


def test_a_market_has_the_document_of_the_command_line(http, service, world):
    symbol = world.symbols[0]
    found = http.get(f"/signals/{symbol}")
    assert found.status_code == 200
    expected = signals(world.bundles, world.data, symbol, settings=service.settings).to_json()[0]
    assert found.json() == expected
    assert found.headers["Quorate-Bundle"] == world.ids[0]
    SignalDocument.model_validate_json(found.content)
    assert set(expected) <= set(SignalDocument.model_fields)
    assert http.get(f"/signals/{quote(symbol, safe='')}").json() == expected


def test_all_markets_come_in_one_answer(http, service, world):
    expected = signals(world.bundles, world.data, all_markets=True, settings=service.settings).to_json()
    found = http.get("/signals")
    assert found.json() == expected
    assert [each["symbol"] for each in expected] == list(world.symbols)
    some = http.get("/signals", params={"symbols": ",".join(world.symbols[1:])})
    assert some.json() == expected[1:]


def test_an_unknown_market_names_the_close_match(http, world):
    wrong = world.symbols[0].removesuffix(":USDT")
    found = http.get(f"/signals/{wrong}")
    assert found.status_code == 404
    error = found.json()["error"]
    assert error["type"] == "UnknownSymbolError"
    assert error["remedy"] == f"Did you mean '{world.symbols[0]}'?"
    assert http.get("/signals", params={"symbols": f"{world.symbols[0]},{wrong}"}).status_code == 404
    assert http.get("/signals", params={"symbols": " , "}).status_code == 422


def test_bars_of_the_training_span_are_refused(make_service, world):
    until = world.end
    data = {symbol: world.market.candles(symbol).between(end=until) for symbol in world.symbols}
    data[world.symbols[1]] = world.market.candles(world.symbols[1])
    with client(make_service(data=data)) as http:
        refused = http.get(f"/signals/{world.symbols[0]}")
        assert refused.status_code == 409
        assert refused.json()["error"]["type"] == "TrainingSpanError"
        # Of all markets, those that cannot be predicted are left out.
        assert [each["symbol"] for each in http.get("/signals").json()] == [world.symbols[1]]
        assert http.get("/signals", params={"symbols": ",".join(world.symbols)}).status_code == 409
        assert http.get("/health/ready").json()["prediction"]["symbol"] == world.symbols[1]
    with client(make_service(data=data, allow_training_span=True)) as http:
        assert [each["in_training_span"] for each in http.get("/signals").json()] == [True, False, True]


def test_no_market_that_can_be_predicted_is_an_error(make_service, world):
    data = {symbol: world.market.candles(symbol).between(end=world.end) for symbol in world.symbols}
    with client(make_service(data=data)) as http:
        assert http.get("/signals").status_code == 409
        ready = http.get("/health/ready")
        assert (ready.status_code, ready.json()["error"]["type"]) == (503, "TrainingSpanError")


def test_a_service_of_markets_that_are_named(make_service, world):
    with client(make_service(symbols=world.symbols[2])) as http:
        assert [each["symbol"] for each in http.get("/signals").json()] == [world.symbols[2]]
        assert http.get(f"/signals/{world.symbols[0]}").status_code == 404


@pytest.mark.parametrize("bars", [1, 30])
def test_members_abstain_where_history_is_short(make_service, world, bars):
    data = {world.symbols[0]: world.market.candles(world.symbols[0]).tail(bars)}
    with client(make_service(data=data)) as http:
        found = http.get(f"/signals/{world.symbols[0]}").json()
        assert found["action"] == "HOLD"
        assert {each["model"] for each in found["abstentions"]} == {"xgboost", "lightgbm"}
