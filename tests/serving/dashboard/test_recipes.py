"""Pages of a series, and of a stack, whose members predict returns and have no votes."""

from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.series import publish
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.workflows.runs.member_figures import measure_of
from stubs.served import SETTINGS
from stubs.service_client import client
from stubs.small_models import small_trees

MEMBERS = ("xgboost", "lightgbm")
PATHS = ("", "/market", "/models", "/account", "/guards", "/bundles", "/market/data", "/models/plots")


@pytest.fixture
def panel(world):
    return {symbol: world.market.candles(symbol) for symbol in world.market.names[:2]}


def test_every_page_of_a_stack(make_service, world, panel, tmp_path):
    stack = replace(SETTINGS.stack, models=small_trees(8), folds=2, round_trip=0.00001, confidence_rows=40)
    settings = replace(SETTINGS, stack=stack)
    measure = measure_of("stack", settings)
    spec = TrainingSpec(models=MEMBERS, settings=settings, recipe="stack", measure=measure, end=world.start)
    bundle = train_ensemble(panel, "1h", spec, tmp_path / "stack").path
    with client(make_service(bundle=bundle)) as http:
        for path in PATHS:
            found = http.get(f"/dashboard{path}", params={"symbol": world.market.names[0]})
            assert found.status_code == 200, path
        now = http.get("/dashboard").text
        assert now.count('<span class="cast ') == 2 * len(world.market.names)
        data = http.get("/dashboard/market/data", params={"symbol": world.market.names[0]}).json()
        assert list(data["forecasts"]) == list(MEMBERS)
        assert data["members"] == {}
        assert any(value is not None for value in data["forecasts"]["xgboost"])


def test_every_page_of_a_series(make_service, world, panel, tmp_path):
    store, ids = BundleStore(tmp_path / "series"), []
    for end in (world.start - 48 * HOUR_MS, world.start):
        settings = replace(SETTINGS, models=small_trees(3))
        spec = TrainingSpec(models=MEMBERS, settings=settings, end=end)
        ids.append(train_ensemble(panel, "1h", spec, store.folder).path.name)
    path, name = publish(store, ids)
    with client(make_service(bundle=path)) as http:
        for each in PATHS:
            found = http.get(f"/dashboard{each}", params={"symbol": world.market.names[0]})
            assert found.status_code == 200, each
        assert name[:8] in http.get("/dashboard").text
