"""The champion is replaced while clients ask; a bundle that cannot predict is refused and the old one stays."""

import random
import shutil
import threading
import time
from dataclasses import replace

import httpx2
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import BundleError
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.series import publish
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.serving.documents.signals import SignalDocument
from quorate.workflows.bundles import promote_bundle, rollback_bundle
from quorate.workflows.signals import signals
from stubs.served import SETTINGS
from stubs.service_client import bearer, client, running
from stubs.small_models import small_trees


def until(met, seconds=5.0):
    """Wait until a condition holds; False if it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if met():
            return True
        time.sleep(0.01)
    return False


def test_a_promotion_by_another_program_is_followed(http, world):
    promote_bundle(world.bundles, world.ids[1], why="better", by="someone")
    assert until(lambda: http.get("/health/ready").json()["bundle"] == world.ids[1])
    rollback_bundle(world.bundles, by="someone")
    assert until(lambda: http.get("/health/ready").json()["bundle"] == world.ids[0])


def test_no_request_fails_while_the_champion_changes(make_service, world):
    # On a busy machine some wait, or a member misses its deadline and abstains, which is another matter.
    service = make_service(patience_s=60.0, deadline_ms=60_000.0)
    symbol = world.symbols[0]
    expected = {}
    for name in world.ids:
        found = signals(world.bundles / name, world.data, all_markets=True, settings=service.settings)
        expected[name] = {each["symbol"]: each for each in found.to_json()}
    assert expected[world.ids[0]][symbol]["votes"] != expected[world.ids[1]][symbol]["votes"]
    seen, failures, done = set(), [], threading.Event()

    def ask(base, number):
        chance = random.Random(number)
        with httpx2.Client(base_url=base, timeout=30, headers=bearer(service)) as http:
            while not done.is_set():
                whole = chance.random() < 0.3
                found = http.get("/signals" if whole else f"/signals/{symbol}")
                name = found.headers.get("Quorate-Bundle")
                seen.add(name)
                wanted = expected.get(name, {})
                right = list(wanted.values()) if whole else wanted.get(symbol)
                if found.status_code != 200 or found.json() != right:
                    failures.append((found.status_code, name, found.text[:300]))

    with running(service) as base:
        clients = [threading.Thread(target=ask, args=(base, number)) for number in range(50)]
        for each in clients:
            each.start()
        changes = []
        with httpx2.Client(base_url=base, timeout=30, headers=bearer(service)) as http:
            end = time.monotonic() + 6
            while time.monotonic() < end:
                other = world.ids[len(changes) % 2 == 0]
                if len(changes) % 4 == 3:
                    change = http.post("/bundles/rollback", json={"why": "back"})
                else:
                    change = http.post(f"/bundles/{other}/promote", json={"why": "forth"})
                changes.append(change.status_code)
        done.set()
        for each in clients:
            each.join()
    assert failures == []
    assert seen == set(world.ids)
    assert set(changes) == {200}
    assert len(changes) > 4
    assert "refused" not in {entry.action for entry in BundleStore(world.bundles).history()}


def damage(world, name):
    """Alter a byte of a bundle's graph."""
    path = world.bundles / name / "xgboost.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_damaged_bundle_is_refused_and_the_old_one_stays(http, service, world, caplog):
    good, bad = world.ids
    damage(world, bad)
    refused = http.post(f"/bundles/{bad}/promote", json={})
    assert refused.status_code == 409
    assert "xgboost.onnx" in refused.text
    store = BundleStore(world.bundles)
    assert store.champion() == good
    assert http.get("/health/ready").json()["status"] == "ready"
    # Another program, or a person, sets the pointer itself.
    (world.bundles / "champion").write_text(f"{bad}\n")
    assert until(lambda: http.get("/health/ready").json()["status"] == "degraded")
    ready = http.get("/health/ready")
    assert (ready.status_code, ready.json()["bundle"]) == (200, good)
    assert ready.json()["refused"]["bundle"] == bad
    assert "xgboost.onnx" in ready.json()["refused"]["reason"]
    assert http.get(f"/signals/{world.symbols[0]}").headers["Quorate-Bundle"] == good
    assert f"champion {bad}: refused, {good} stays in use" in caplog.text
    assert 'quorate_bundle_swaps_total{result="refused"} 1.0' in http.get("/metrics").text
    # It is tried again, which is not said again; once restored it is used.
    time.sleep(0.5)
    assert caplog.text.count("refused") == 1
    damage(world, bad)
    assert until(lambda: http.get("/health/ready").json()["bundle"] == bad)
    assert http.get("/health/ready").json()["refused"] is None


def test_a_pointer_to_no_bundle_is_said(http, world):
    (world.bundles / "champion").write_text("nothing\n")
    assert until(lambda: http.get("/health/ready").json()["status"] == "degraded")
    assert http.get("/health/ready").json()["refused"]["bundle"] is None
    assert http.get("/bundles").status_code == 409
    (world.bundles / "champion").write_text(f"{world.ids[0]}\n")
    assert until(lambda: http.get("/health/ready").json()["status"] == "ready")


def test_a_bundle_whose_files_are_gone_is_refused(http, world):
    shutil.rmtree(world.bundles / world.ids[1])
    assert http.post(f"/bundles/{world.ids[1]}/promote", json={}).status_code == 404
    assert http.get(f"/signals/{world.symbols[0]}").status_code == 200


def test_a_single_bundle_never_changes(make_service, world):
    with client(make_service(bundle=world.bundles / world.ids[1])) as http:
        promote_bundle(world.bundles, world.ids[1])
        rollback_bundle(world.bundles)
        time.sleep(0.2)
        assert http.get("/health/ready").json()["bundle"] == world.ids[1]
        for refused in (http.get("/bundles"), http.post("/bundles/rollback", json={})):
            assert refused.status_code == 409
            assert "not a folder of bundles" in refused.json()["error"]["found"]


def test_a_proof_that_fails_keeps_the_champion(service, world):
    def refuse(new, old):
        raise BundleError(f"use {new.id}", found="a proof that fails")

    service.champion.prove_with(refuse)
    with pytest.raises(BundleError, match="a proof that fails"):
        service.champion.promote(world.ids[1])
    assert BundleStore(world.bundles).champion() == service.champion.predictor.id == world.ids[0]
    assert [entry.action for entry in BundleStore(world.bundles).history()] == ["publish", "promote", "publish"]


def test_only_swaps_are_reported(service, world):
    swaps = []
    service.champion.listeners.append(swaps.append)
    assert service.champion.follow() is None
    service.champion.promote(world.ids[0])
    service.champion.promote(world.ids[1])
    assert service.champion.follow() is None
    assert [(swap.result, swap.bundle, swap.previous) for swap in swaps] == [("swapped", world.ids[1], world.ids[0])]


def test_a_series_is_served_by_its_newest_bundle(make_service, world):
    settings = replace(SETTINGS, models=small_trees(3))
    panel = {symbol: world.market.candles(symbol) for symbol in world.symbols[:2]}
    store = BundleStore(world.bundles.parent / "series")
    ids = []
    for end in (world.end - 24 * HOUR_MS, world.end):
        spec = TrainingSpec(models=("xgboost", "lightgbm"), settings=settings, end=end)
        ids.append(train_ensemble(panel, "1h", spec, store.folder).path.name)
    path, name = publish(store, ids)
    with client(make_service(bundle=path)) as http:
        found = http.get(f"/signals/{world.symbols[0]}")
        assert found.headers["Quorate-Bundle"] == name
        assert found.json() == signals(path, world.data, world.symbols[0], settings=settings).to_json()[0]
        assert http.get("/health/ready").json()["bundle"] == name
        assert [each["model"] for each in http.get("/models").json()["models"]] == ["xgboost", "lightgbm"]
        assert http.post(f"/bundles/{ids[0]}/promote", json={}).status_code == 409


def test_a_stack_is_served(make_service, world):
    settings = replace(
        SETTINGS,
        stack=replace(SETTINGS.stack, models=small_trees(8), folds=2, round_trip=0.00001, confidence_rows=40),
    )
    panel = {symbol: world.market.candles(symbol) for symbol in world.symbols[:2]}
    spec = TrainingSpec(models=("xgboost", "lightgbm"), settings=settings, recipe="stack", end=world.end)
    path = train_ensemble(panel, "1h", spec, world.bundles.parent / "stack").path
    with client(make_service(bundle=path)) as http:
        found = http.get(f"/signals/{world.symbols[0]}")
        assert found.json() == signals(path, world.data, world.symbols[0], settings=settings).to_json()[0]
        document = SignalDocument.model_validate_json(found.content)
        assert document.predicted_return is not None
        models = http.get("/models").json()
        assert (models["policy"], models["quorum"]) == ("stack", 2)
        assert http.get("/health/ready").status_code == 200
