"""`/health`: live is cheap, ready predicts."""

from quorate.serving.documents.health import Ready
from stubs.service_client import client


def test_live_says_nothing_but_ok(http):
    found = http.get("/health/live")
    assert (found.status_code, found.json()) == (200, {"status": "ok"})


def test_ready_makes_a_real_prediction(http, world):
    found = http.get("/health/ready")
    ready = Ready.model_validate_json(found.content)
    assert (ready.status, ready.bundle, ready.mode) == ("ready", world.ids[0], "full")
    assert ready.members == {"xgboost": True, "lightgbm": True}
    assert ready.prediction.seconds > 0
    shown = http.get(f"/signals/{ready.prediction.symbol}").json()
    assert (shown["action"], shown["time"]) == (ready.prediction.action, ready.prediction.time)
    assert (ready.markets.served, ready.markets.without_candles) == (3, [])


def test_ready_fails_where_no_member_votes(make_service, world):
    short = world.market.candles(world.symbols[0]).tail(30)
    with client(make_service(data={world.symbols[0]: short})) as http:
        assert http.get("/health/live").status_code == 200
        found = http.get("/health/ready")
        assert found.status_code == 503
        assert "no vote (xgboost: " in found.json()["error"]["found"]
        assert found.headers["Retry-After"] == "1"


def test_a_market_without_candles_is_named(make_service, world):
    service = make_service(symbols=[*world.symbols, "NONE/USDT:USDT"])
    with client(service) as http:
        assert http.get("/health/ready").json()["markets"]["without_candles"] == ["NONE/USDT:USDT"]
        found = http.get("/signals/NONE/USDT:USDT")
        assert found.status_code == 404
        assert len(http.get("/signals").json()) == 3


def test_a_service_of_which_a_part_has_ended_is_not_ready(service, caplog):
    async def fail():
        raise OSError("the disk is gone")

    service.background.append(fail)
    with client(service) as http:
        found = http.get("/health/ready")
        assert found.status_code == 503
        assert "ended: OSError" in found.json()["error"]["found"]
        assert "the disk is gone" in caplog.text
        # Nothing else is affected.
        assert http.get("/signals").status_code == 200
