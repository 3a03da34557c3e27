"""The page "Bundles": history, and changes of the champion through a confirmation."""

import json

import pytest

from quorate.ensemble.bundle.bundle_store import BundleStore
from stubs.pages import Visitor, overflow
from stubs.service_client import client, token_of
from stubs.waiting import eventually

HOSTILE = "<script>alert(1)</script> \u202etxet"


@pytest.fixture
def service(make_service):
    return make_service()


@pytest.fixture
def http(service):
    with client(service) as made:
        yield made


@pytest.fixture
def store(world):
    return BundleStore(world.bundles)


def asked(http, bundle, action="promote"):
    return http.get("/dashboard/bundles/change", params={"action": action, "bundle": bundle})


def change(http, bundle, before, action="promote", why=""):
    fields = {"action": action, "bundle": bundle, "before": before, "why": why}
    return http.post("/dashboard/bundles/change", data=fields)


def test_the_page_has_every_bundle_and_the_history(http, store, world):
    page = http.get("/dashboard/bundles").text
    for bundle in world.ids:
        assert page.count(f'<span class="mono">{bundle}</span>') >= 1
    assert page.count(">champion</span>") == 1
    assert page.count(">publish</span>") == 2
    for member in store.manifest(world.ids[0]).members:
        test = store.manifest(world.ids[0]).metrics[member.model]["test"]
        assert f"{test['log_loss']:.4f}" in page
        assert f"{test['prior_log_loss']:.4f}" in page


def test_every_bundle_has_its_card(http, store, world):
    page = http.get("/dashboard/bundles").text
    for bundle in world.ids:
        assert f'href="/dashboard/bundles/card?bundle={bundle}"' in page
        card = http.get("/dashboard/bundles/card", params={"bundle": bundle}).text
        assert f'<span class="mono">{bundle}</span></h1>' in card
        test = store.manifest(bundle).metrics["patchtst"]["test"]
        assert f"{test['log_loss']:.4f}" in card
        assert card.count('<svg class="chart"') == 4
        assert card.count("<h2") == 8
    # The page is made of the bundle, whatever a file beside it says.
    (store.path(world.ids[0]) / "card.md").write_text("altered")
    assert "altered" not in http.get("/dashboard/bundles/card", params={"bundle": world.ids[0]}).text
    missing = http.get("/dashboard/bundles/card", params={"bundle": "../.."}, headers={"Accept": "text/html"})
    assert missing.status_code == 409
    assert "no such bundle" in missing.text


def test_the_card_of_a_service_of_one_bundle(make_service, store, world):
    with client(make_service(bundle=store.path(world.ids[1]))) as http:
        assert f'<span class="mono">{world.ids[1]}</span></h1>' in http.get("/dashboard/bundles/card").text


def test_a_card_fits_the_screen(visit, world):
    page = visit(f"/dashboard/bundles/card?bundle={world.ids[0]}")
    page.locator("svg.chart").first.wait_for()
    assert overflow(page) == 0


def test_a_confirmation_shows_what_changes(http, store, world):
    first, second = world.ids
    page = asked(http, second).text
    assert f"<td>{first}</td><td>{second}</td>" in page
    for bundle in world.ids:
        assert f"{store.manifest(bundle).metrics['xgboost']['test']['log_loss']:.4f}" in page
    changed = page.count('<tr class="changed">')
    assert 1 < changed < page.count('<th scope="row">')
    assert "in use already" in asked(http, first).text
    assert store.champion() == first


def test_a_confirmed_change_is_in_use_and_recorded(http, service, store, world):
    first, second = world.ids
    done = change(http, second, first, why=HOSTILE)
    assert (done.status_code, done.headers["location"]) == (303, "/dashboard/bundles")
    assert service.champion.predictor.id == second == store.champion()
    assert store.history()[-1].why == HOSTILE
    assert store.history()[-1].by
    page = http.get("/dashboard/bundles").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert f"Roll back to {first[:8]}" in page
    assert change(http, first, second, "rollback").status_code == 303
    assert service.champion.predictor.id == first == store.champion()
    assert [entry.action for entry in store.history()[-2:]] == ["promote", "rollback"]


def test_a_change_of_what_was_not_shown_is_refused(http, store, world):
    first, second = world.ids
    refused = change(http, second, "0123456789abcdef", why="kept")
    assert refused.status_code == 409
    assert "Nothing was changed." in refused.text
    assert ">kept</textarea>" in refused.text
    assert change(http, second, first, "rollback").status_code == 409
    assert change(http, "nosuch", first).status_code in (404, 409)
    assert change(http, second, first, "remove").status_code == 409
    assert store.champion() == first


def test_a_bundle_that_is_altered_is_refused_and_the_champion_stays(http, service, store, world):
    first, second = world.ids
    graph = next((world.bundles / second).glob("xgboost*.onnx"))
    graph.write_bytes(graph.read_bytes()[:-20])
    refused = change(http, second, first)
    assert refused.status_code == 409
    assert "Nothing was changed." in refused.text
    assert service.champion.predictor.id == first == store.champion()


def test_every_page_says_that_a_new_champion_was_refused(http, service, store, world):
    first, second = world.ids
    graph = next((world.bundles / second).glob("xgboost*.onnx"))
    graph.write_bytes(graph.read_bytes()[:-20])
    (world.bundles / "champion").write_text(f"{second}\n")
    eventually(lambda: service.champion.refused)
    for path in ("/dashboard", "/dashboard/bundles"):
        page = http.get(path).text
        assert "The new champion was refused." in page, path
        assert f"The bundle {first[:8]} stays in use." in page


def test_a_bundle_that_cannot_be_read_is_listed_with_its_error(http, world):
    manifest = world.bundles / world.ids[1] / "manifest.json"
    manifest.write_text(json.dumps({"id": "<b>"}))
    page = http.get("/dashboard/bundles")
    assert page.status_code == 200
    assert "<b>" not in page.text
    assert page.text.count("data-dialog") == 0


def test_a_service_of_one_bundle_says_that_it_never_changes(make_service, world):
    with client(make_service(bundle=world.bundles / world.ids[1])) as http:
        page = http.get("/dashboard/bundles")
        assert page.status_code == 200
        assert "never replaced" in page.text
        assert asked(http, world.ids[0]).status_code == 409


def test_a_bundle_is_promoted_by_keyboard(browser, http, service, world, store, keep_picture):
    visitor = Visitor(browser, str(http.base_url), token_of(service), 1440, "light")
    page = visitor.go("/dashboard/bundles")
    page.get_by_role("link", name="Promote").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    keep_picture(page, "dashboard-promote")
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert store.champion() == world.ids[0]
    page.keyboard.press("Enter")  # the focus is on the link again
    dialog.wait_for()
    page.keyboard.type("By keyboard.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("By keyboard.").wait_for()
    assert store.champion() == world.ids[1]
    assert page.locator("#status .bundle").inner_text() == world.ids[1][:8]
    visitor.close()


def test_an_open_page_follows_the_champion(browser, http, service, world):
    visitor = Visitor(browser, str(http.base_url), token_of(service), 1440, "light")
    for path in ("/dashboard", "/dashboard/bundles"):
        page = visitor.go(path)
        page.locator("#live-state", has_text="Live").wait_for()
        before = service.champion.predictor.id
        after = next(bundle for bundle in world.ids if bundle != before)
        assert page.locator("#status .bundle").inner_text() == before[:8]
        service.champion.promote(after, why="elsewhere")
        page.locator("#status .bundle", has_text=after[:8]).wait_for()
        assert page.locator("#live-state").inner_text() == "Live"
    assert page.get_by_text("elsewhere").count() == 2
    visitor.close()
