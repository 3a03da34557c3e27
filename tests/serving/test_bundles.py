"""`/bundles`, `/models`: the documents of the command line, and changes of the champion with who made them."""

import json

import pytest

from quorate.cli.app import main
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.serving.documents.bundles import BundleEntry, BundleShown, ChampionChanged
from quorate.serving.documents.models import Models


def printed(capsys, *arguments):
    """The document that a command prints."""
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_documents_are_those_of_the_command_line(http, world, capsys):
    listed = printed(capsys, "bundle", "list", "--bundles", world.bundles)
    assert http.get("/bundles").json() == listed
    for entry in listed:
        BundleEntry.model_validate_json(json.dumps(entry))
        assert set(entry) == set(BundleEntry.model_fields)
    shown = printed(capsys, "bundle", "show", world.ids[1], "--bundles", world.bundles)
    assert http.get(f"/bundles/{world.ids[1]}").json() == shown
    BundleShown.model_validate_json(json.dumps(shown))
    # Only a stack has the key `stack`.
    assert set(BundleShown.model_fields) - set(shown) == {"stack"}


def test_a_promotion_says_what_changed_and_is_recorded(http, world):
    found = http.post(f"/bundles/{world.ids[1]}/promote", json={"why": "better"})
    changed = ChampionChanged.model_validate_json(found.content)
    assert (changed.champion, changed.previous, changed.changed) == (world.ids[1], world.ids[0], True)
    again = http.post(f"/bundles/{world.ids[1]}/promote", json={})
    assert again.json()["changed"] is False
    assert http.get(f"/signals/{world.symbols[0]}").headers["Quorate-Bundle"] == world.ids[1]
    back = http.post("/bundles/rollback", json={"why": "worse"})
    assert back.json()["champion"] == world.ids[0]
    assert http.get(f"/signals/{world.symbols[0]}").headers["Quorate-Bundle"] == world.ids[0]
    log = [(entry.action, entry.id, entry.by, entry.why) for entry in BundleStore(world.bundles).history()[-2:]]
    assert log == [
        ("promote", world.ids[1], "token at 127.0.0.1", "better"),
        ("rollback", world.ids[0], "token at 127.0.0.1", "worse"),
    ]


def test_what_cannot_be_changed_is_refused(http, world):
    none = http.post("/bundles/rollback", json={})
    assert (none.status_code, none.json()["error"]["type"]) == (409, "BundleError")
    unknown = http.post(f"/bundles/{world.ids[0][:-1]}x/promote", json={})
    assert unknown.status_code == 404
    assert world.ids[0] in unknown.json()["error"]["expected"]
    assert http.get("/bundles/none").status_code == 404


@pytest.mark.parametrize("name", ["%2e%2e", "..%2f..%2fetc", ".%00", "champion", "history.jsonl", ".lock"])
def test_ids_are_no_paths(http, name):
    assert http.get(f"/bundles/{name}").status_code == 404
    assert http.post(f"/bundles/{name}/promote", json={}).status_code in (404, 405)


def test_the_members_in_use(http, world):
    found = Models.model_validate_json(http.get("/models").content)
    assert (found.bundle, found.mode, found.quorum) == (world.ids[0], "full", 2)
    assert [(each.model, each.loaded, each.reason, each.weight) for each in found.models] == [
        ("xgboost", True, None, 0.25),
        ("lightgbm", True, None, 0.25),
    ]
