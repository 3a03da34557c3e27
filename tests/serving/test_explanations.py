"""`/signals/{symbol}/explanation`: the document of the command line, computed once."""

from urllib.parse import quote

import pytest

import quorate
from quorate.core.clock import HOUR_MS, iso_ms
from quorate.serving.documents.explanations import ExplanationDocument
from stubs.service_client import client


@pytest.fixture
def symbol(world):
    return world.symbols[0]


def test_a_market_has_the_document_of_the_command_line(http, service, world, symbol):
    found = http.get(f"/signals/{symbol}/explanation")
    assert found.status_code == 200
    expected = quorate.explain(world.bundles, world.data, symbol, settings=service.settings).to_json()
    assert found.json() == expected
    assert found.headers["Quorate-Bundle"] == world.ids[0]
    ExplanationDocument.model_validate_json(found.content)
    assert http.get(f"/signals/{quote(symbol, safe='')}/explanation").json() == expected
    assert expected["signal"] == http.get(f"/signals/{symbol}").json()


def test_what_changed_since_an_earlier_bar(http, service, world, symbol):
    newest = int(service.candles.of(symbol).time[-1])
    since = iso_ms(newest - 3 * HOUR_MS + 1_000)
    found = http.get(f"/signals/{symbol}/explanation", params={"since": since}).json()
    assert found["since"] == iso_ms(newest - 3 * HOUR_MS)
    expected = quorate.explain(world.bundles, world.data, symbol, since=newest - 3 * HOUR_MS, settings=service.settings)
    assert found == expected.to_json()
    assert found["ensemble"]["base"] != found["ensemble"]["score"]


def test_the_same_question_is_computed_once(service, symbol):
    first = service.explanations.read(symbol)
    assert service.explanations.read(symbol) is first
    newest = int(service.candles.of(symbol).time[-1])
    changed = service.explanations.read(symbol, newest - HOUR_MS)
    # Any time between two bars is the earlier of them.
    assert service.explanations.read(symbol, newest - 1) is changed
    assert service.explanations.read(symbol, newest - HOUR_MS - 1) is not changed
    before = service.champion.predictor
    service.champion.promote(next(one for one in service.champion.store.ids() if one != before.id))
    assert service.explanations.read(symbol).bundle != first.bundle


def test_what_cannot_be_explained_is_refused(make_service, http, service, world, symbol):
    newest = int(service.candles.of(symbol).time[-1])
    assert http.get("/signals/BTC/EUR/explanation").status_code == 404
    for since, status in ((newest, 422), (0, 422), (world.end - HOUR_MS, 409)):
        refused = http.get(f"/signals/{symbol}/explanation", params={"since": iso_ms(since)})
        assert refused.status_code == status, since
    assert http.get(f"/signals/{symbol}/explanation", params={"since": "1700000000"}).status_code == 422
    data = {symbol: world.market.candles(symbol).between(end=world.end)}
    with client(make_service(data=data)) as other:
        refused = other.get(f"/signals/{symbol}/explanation")
        assert (refused.status_code, refused.json()["error"]["type"]) == (409, "TrainingSpanError")
    with client(make_service(data=data, allow_training_span=True)) as other:
        assert other.get(f"/signals/{symbol}/explanation").json()["signal"]["in_training_span"]
    with client(make_service(data={symbol: world.market.candles(symbol).tail(30)})) as other:
        refused = other.get(f"/signals/{symbol}/explanation")
        assert refused.status_code == 409
        assert "no vote" in refused.json()["error"]["found"]
