"""A service whose clock moves with a replay."""

import numpy as np

from quorate.core.clock import HOUR_MS, iso_ms, parse_ms
from quorate.serving.replay import replay_service
from stubs.served import SETTINGS
from stubs.service_client import client
from stubs.waiting import eventually


def test_signals_move_with_the_account_and_read_no_later_bar(world, account):
    service = replay_service(world.bundles, world.data, account, speed=25.0, settings=SETTINGS)
    last = int(world.market.candles(world.symbols[0]).time[-1])
    with client(service) as page:
        first = page.get(f"/signals/{world.symbols[0]}").json()
        assert parse_ms(first["time"]) >= world.end
        seen = {first["time"]: first}
        while max(seen) < iso_ms(world.end + 60 * HOUR_MS):
            found = page.get(f"/signals/{world.symbols[0]}").json()
            seen[found["time"]] = found
        assert len(seen) > 10
        assert not any(found["stale"] for found in seen.values() if "stale" in found)
        assert parse_ms(page.get("/paper").json()["last_bar"]) < last
        assert service.clock() <= last
        assert max(int(candles.time[-1]) for candles in service.candles.known) + HOUR_MS <= service.clock()
    # The same as from stored candles that end there.
    predictor = service.champion.predictor
    for time, found in list(seen.items())[::7]:
        until = world.market.candles(world.symbols[0]).between(end=parse_ms(time) + HOUR_MS)
        again = predictor.predict(until)
        assert found["action"] == again.action.name
        np.testing.assert_allclose(found["confidence"], again.confidence)


def test_at_the_end_of_the_candles_it_stays(world, account):
    service = replay_service(world.bundles, world.data, account, speed=1e6, settings=SETTINGS)
    with client(service) as page:
        eventually(lambda: page.get("/paper/session").json()["state"] == "ended", 60)
        last = int(world.market.candles(world.symbols[0]).time[-1])
        eventually(lambda: service.clock() == last + HOUR_MS)
        eventually(lambda: parse_ms(page.get(f"/signals/{world.symbols[0]}").json()["time"]) == last)
