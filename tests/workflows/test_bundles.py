"""Bundles of a folder as functions: listed, shown, verified, promoted and rolled back."""

import json
import shutil

import pytest

from quorate.cli.app import main
from quorate.core.configuration import load_settings
from quorate.core.errors import ArgumentError, BundleError
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.workflows.bundles import (
    list_bundles,
    promote_bundle,
    rollback_bundle,
    show_bundle,
    verify_bundles,
)
from quorate.workflows.inputs.predictors import load_predictor
from quorate.workflows.train import train


@pytest.fixture
def folder(world, tmp_path):
    """The trained bundle as champion."""
    folder = tmp_path / "bundles"
    shutil.copytree(world.bundle.parent, folder)
    return folder


@pytest.fixture
def trained(world, folder):
    """A second bundle, of one symbol."""
    return train(world.data, folder, models="xgboost,lightgbm", symbols="SYNA/USDT:USDT", end=world.end)


@pytest.fixture
def ids(world, trained):
    return world.bundle.name, trained.id


def printed(capsys, *arguments):
    capsys.readouterr()
    code = main(["bundle", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def as_json(result):
    return json.loads(json.dumps(result.to_json()))


def test_documents_are_those_of_the_command_line(folder, ids, capsys, calls):
    at = ("--bundles", folder)
    listed, shown, verified = list_bundles(folder), show_bundle(folder), verify_bundles(folder, progress=calls)
    assert capsys.readouterr() == ("", "")
    assert calls.calls == [("verifying bundles", 1, 2), ("verifying bundles", 2, 2)]
    assert (0, as_json(listed)) == printed(capsys, "list", *at)
    assert (0, as_json(shown)) == printed(capsys, "show", *at)
    assert (0, as_json(verified)) == printed(capsys, "verify", *at)
    promoted = promote_bundle(folder, ids[1], why="better", by="ann")
    assert as_json(promoted) == {
        "champion": ids[1],
        "previous": ids[0],
        "changed": True,
        "path": str(folder / ids[1]),
    }
    assert printed(capsys, "promote", ids[1], *at) == (0, as_json(promote_bundle(folder, ids[1])))
    assert not promote_bundle(folder, ids[1]).changed
    back = rollback_bundle(folder, why="worse")
    assert (back.champion, back.previous) == ids
    with pytest.raises(BundleError, match="no champion before"):
        rollback_bundle(folder)


def test_a_store_and_its_path_are_the_same(folder, ids):
    assert as_json(list_bundles(BundleStore(folder))) == as_json(list_bundles(str(folder)))
    assert list_bundles(folder).champion == ids[0]
    assert [bundle.champion for bundle in list_bundles(folder)] == [True, False]
    assert list_bundles(folder)[1:][0].id == ids[1]


def test_an_altered_bundle_is_listed_and_refused(folder, ids):
    (folder / ids[1] / "manifest.json").write_text("{}")
    listed = {bundle.id: bundle for bundle in list_bundles(folder)}
    assert listed[ids[1]].manifest is None
    assert listed[ids[1]].to_json()["error"] == listed[ids[1]].error
    verified = verify_bundles(folder)
    assert not verified.ok
    assert {one.id: one.ok for one in verified.bundles} == {ids[0]: True, ids[1]: False}
    assert list(verified.to_pandas()["ok"]) == [one.ok for one in verified.bundles]
    assert "1 refused" in str(verified)
    assert "refused" in verified._repr_html_()
    assert str(listed[ids[1]].error) in str(list_bundles(folder))
    with pytest.raises(BundleError):
        promote_bundle(folder, ids[1])
    assert list_bundles(folder).champion == ids[0]


def test_tables_and_texts(folder, ids):
    listed = list_bundles(folder)
    table = listed.to_pandas().set_index("id")
    assert table.loc[ids[0], "champion"]
    assert table.loc[ids[0], "members"] == 2
    assert list(table.loc[list(ids), "symbols"]) == [2, 1]
    assert str(table["training_start"].dt.tz) == "UTC"
    shown = show_bundle(folder, ids[1])
    assert list(shown.to_pandas()["action"]) == ["publish"]
    assert list(shown.to_pandas("members")["model"]) == ["xgboost", "lightgbm"]
    for text in (str(shown), shown._repr_html_()):
        assert "SYNTHETIC MARKET" in text
        assert ids[1] in text
    for text in (str(listed), listed._repr_html_()):
        assert f"* {ids[0]}" in text
    with pytest.raises(ArgumentError, match="history, members"):
        shown.to_pandas("metrics")


def test_without_a_champion_an_id_is_needed(folder, ids):
    (folder / "champion").unlink()
    with pytest.raises(BundleError, match="Promote one"):
        show_bundle(folder)
    assert show_bundle(folder, ids[0]).manifest.id == ids[0]
    with pytest.raises(BundleError, match="no such bundle"):
        show_bundle(folder, "nothing")


def test_a_bundle_is_loaded_from_path_result_or_predictor(world, folder, trained):
    settings = load_settings()
    assert load_predictor(folder, settings).id == world.bundle.name
    assert load_predictor(trained, settings).id == trained.id
    loaded = load_predictor(str(world.bundle), settings, "classic")
    assert loaded.decides == "classic"
    assert load_predictor(loaded, settings) is loaded
    with pytest.raises(BundleError, match="no probabilities"):
        load_predictor(loaded, settings, "calibrated")


def test_verify_fails_where_the_champion_is_gone(folder, ids, capsys):
    shutil.rmtree(folder / ids[0])
    verified = verify_bundles(folder)
    assert not verified.ok
    assert [(one.id, one.ok) for one in verified.bundles] == [(ids[1], True), ("champion", False)]
    assert f"found '{ids[0]}'" in verified.bundles[1].error
    assert "quorate bundle promote ID" in verified.bundles[1].error
    assert printed(capsys, "verify", "--bundles", folder)[0] == 1
    for verb in ("list", "show"):
        code, document = printed(capsys, verb, "--bundles", folder)
        assert code == 1
        assert ids[0] in document["error"]["found"]
    promote_bundle(folder, ids[1])
    assert verify_bundles(folder).ok


def test_a_bundle_is_named_by_its_path_as_training_prints_it(folder, ids, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (f"bundles/{ids[1]}", str(folder / ids[1])):
        assert show_bundle("elsewhere", name).manifest.id == ids[1]
        assert [one.id for one in verify_bundles(folder, [name]).bundles] == [ids[1]]
    assert promote_bundle("elsewhere", f"bundles/{ids[1]}").champion == ids[1]
    with pytest.raises(BundleError, match="no such bundle"):
        show_bundle(folder, "bundles/nothing")
