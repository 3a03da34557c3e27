"""`quorate bundle`, and refused bundles: exit code 1, a message with what was found and expected, no traceback."""

import hashlib
import json
import shutil
from types import SimpleNamespace

import pytest

from quorate.cli.app import main
from quorate.cli.render.training import note_cards
from quorate.ensemble.bundle.manifest import SCHEMA_VERSION
from quorate.evaluation.cards.write_card import attempt_card


@pytest.fixture
def folder(world, tmp_path):
    """A folder with the trained bundle as champion, and another bundle made of it."""
    folder = tmp_path / "bundles"
    shutil.copytree(world.bundle.parent, folder)
    reseal(folder / world.bundle.name, lambda tree: tree["rows"].update(edition=2), move=False)
    return folder


@pytest.fixture
def ids(world, folder):
    """The champion, and the other one."""
    (other,) = {path.parent.name for path in folder.glob("*/manifest.json")} - {world.bundle.name}
    return world.bundle.name, other


@pytest.fixture
def say(capsys):
    """`quorate ARGUMENTS`: exit code, standard output, standard error."""

    def said(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return said


def test_training_writes_the_card_and_the_command_writes_it_again(say, world, folder, ids):
    champion, other = ids
    path = folder / champion
    card = (path / "card.md").read_text()  # by the training
    assert card.startswith(f"# Bundle {champion}\n")
    assert "<svg" in (path / "card.html").read_text()
    (path / "card.md").unlink()
    code, out, _ = say("bundle", "card", "--bundles", folder)
    assert (code, out.split()) == (0, [str(path / "card.md"), str(path / "card.html")])
    assert (path / "card.md").read_text() == card
    code, out, _ = say("bundle", "card", other, "--bundles", folder, "--json")
    assert json.loads(out) == {
        "bundle": other,
        "markdown": str(folder / other / "card.md"),
        "html": str(folder / other / "card.html"),
    }
    assert (folder / other / "card.md").read_text().startswith(f"# Bundle {other}\n")
    assert say("bundle", "verify", "--bundles", folder)[0] == 0
    code, _, err = say("bundle", "card", "none", "--bundles", folder)
    assert (code, "no such bundle" in err) == (1, True)


def test_a_card_that_cannot_be_written_is_a_note(capsys, world, folder, ids):
    path = folder / ids[0]
    native = path / "lightgbm.txt"
    native.write_text("altered")
    failure = attempt_card(path)
    assert failure.startswith(f"no card of the bundle {ids[0]}: ")
    note_cards([SimpleNamespace(card_failure=failure), SimpleNamespace(card_failure="")])
    assert capsys.readouterr().err.count("no card of the bundle") == 1


def reseal(path, change, *, move=True):
    """Change a manifest and give the bundle the id that its content then has."""
    tree = json.loads((path / "manifest.json").read_text())
    change(tree)
    del tree["id"]
    text = json.dumps(tree, indent=1, ensure_ascii=False) + "\n"
    new = hashlib.sha256(text.encode()).hexdigest()[:16]
    target = path.parent / new
    (shutil.move if move else shutil.copytree)(path, target)
    (target / "manifest.json").write_text(json.dumps({"id": new, **tree}, indent=1, ensure_ascii=False) + "\n")
    return target


def test_list_show_promote_and_roll_back(folder, ids, say, world):
    first, other = ids
    code, out, _ = say("bundle", "list", "--bundles", folder, "--json")
    assert code == 0
    listed = {one["id"]: one for one in json.loads(out)}
    assert {name: one["champion"] for name, one in listed.items()} == {first: True, other: False}
    assert listed[first]["members"] == {"xgboost": True, "lightgbm": True}
    assert listed[first]["training_span"] == world.trained["span"]
    assert listed[first]["published"] is not None
    text = say("bundle", "list", "--bundles", folder)[1]
    for words in (f"* {first} (synthetic)", f"  {other} (synthetic)", "2024-01-03 to 2024-01-30", "xgboost, lightgbm"):
        assert words in text

    code, out, _ = say(
        "bundle", "promote", other, "--bundles", folder, "--why", "a second look", "--by", "ann", "--json"
    )
    promoted = json.loads(out)
    assert (code, promoted["champion"], promoted["previous"], promoted["changed"]) == (0, other, first, True)
    assert f"{other} is champion already" in say("bundle", "promote", other, "--bundles", folder)[1]

    code, out, _ = say("bundle", "show", "--bundles", folder, "--json")
    shown = json.loads(out)
    assert (code, shown["id"], shown["champion"], shown["rows"]["edition"]) == (0, other, True, 2)
    assert [(line["action"], line["by"], line["why"]) for line in shown["history"]] == [
        ("promote", "ann", "a second look")
    ]
    text = say("bundle", "show", "--bundles", folder)[1]
    for words in (other, "SYNTHETIC", "core14", "xgboost.ubj", "a second look", "quorum 0.75"):
        assert words in text

    asked = ("signal", "--bundle", folder, "--data", world.data, "SYNA/USDT:USDT", "--json")
    assert json.loads(say(*asked)[1])[0]["mode"] == "full"
    code, out, _ = say("bundle", "rollback", "--bundles", folder)
    assert code == 0
    assert f"champion {first}, before it {other}" in out
    code, _, err = say("bundle", "rollback", "--bundles", folder)
    assert code == 1
    assert f"no champion before {first}" in err


def test_verify_reads_every_bundle(folder, ids, say):
    code, out, _ = say("bundle", "verify", "--bundles", folder, "--json")
    assert code == 0
    assert {one["id"]: (one["ok"], one["files"], one["mode"]) for one in json.loads(out)} == dict.fromkeys(
        ids, (True, 5, "full")
    )
    spoiled = folder / ids[1] / "lightgbm.onnx"
    spoiled.write_bytes(spoiled.read_bytes()[:-1] + b"?")
    code, out, err = say("bundle", "verify", "--bundles", folder, "--json")
    assert code == 1
    assert {one["id"]: one["ok"] for one in json.loads(out)} == {ids[0]: True, ids[1]: False}
    assert "lightgbm.onnx altered" in err
    code, out, _ = say("bundle", "verify", "--bundles", folder)
    assert code == 1
    assert "refused" in out
    assert say("bundle", "verify", ids[0], "--bundles", folder)[0] == 0


def flip(name):
    def flipped(path):
        content = bytearray((path / name).read_bytes())
        content[len(content) // 2] ^= 1
        (path / name).write_bytes(content)
        return path

    return flipped


def edit(change):
    def edited(path):
        tree = json.loads((path / "manifest.json").read_text())
        change(tree)
        (path / "manifest.json").write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n")
        return path

    return edited


def rename_a_feature(tree):
    tree["features"]["names"][9] = "rsi_15"


def swap_classes(tree):
    tree["classes"] = ["BUY", "HOLD", "SELL"]


def make_newer(tree):
    tree["schema_version"] += 1


def widen(tree):
    tree["dtype"] = "float64"


def reorder(tree):
    tree["features"]["names"][:2] = reversed(tree["features"]["names"][:2])


def lose(name):
    def lost(path):
        (path / name).unlink()
        return path

    return lost


FILES = ("xgboost.onnx", "xgboost.ubj", "lightgbm.onnx", "lightgbm.txt", "manifest.json")

MANIFEST_CHANGES = {
    "a feature renamed": (rename_a_feature, ("'rsi_15' at place 10", "expected 'rsi_14'")),
    "features in another order": (reorder, ("'high_low_range' at place 1", "expected 'price_change'")),
    "classes swapped": (swap_classes, ("['BUY', 'HOLD', 'SELL']", "expected ['SELL', 'HOLD', 'BUY']")),
    "a newer schema": (make_newer, (f"schema version {SCHEMA_VERSION + 1}", f"expected version {SCHEMA_VERSION}")),
    "another dtype": (widen, ("dtype float64", "expected float32")),
}

REFUSALS = {
    **{f"one byte of {name}": (flip(name), (name, "expected")) for name in FILES},
    **{what: (edit(change), words) for what, (change, words) in MANIFEST_CHANGES.items()},
    **{
        f"{what}, sealed again": (lambda path, change=change: reseal(path, change), words)
        for what, (change, words) in MANIFEST_CHANGES.items()
    },
    **{f"{name} missing": (lose(name), (name, "expected")) for name in FILES[:-1]},
}


@pytest.mark.parametrize("what", REFUSALS)
def test_every_verb_refuses_an_altered_bundle(folder, ids, say, world, what):
    spoil, words = REFUSALS[what]
    path = spoil(folder / ids[1])
    data = ("--bundle", path, "--data", world.data)
    for verb in (
        ("signal", "SYNA/USDT:USDT", *data),
        ("evaluate", *data),
        ("backtest", *data),
        ("bundle", "verify", path.name, "--bundles", folder),
        ("bundle", "promote", path.name, "--bundles", folder),
    ):
        code, _, err = say(*verb)
        assert code == 1, verb
        for word in words:
            assert word in err, (verb, err)
    # A refusal never changes the champion.
    assert (folder / "champion").read_text().strip() == ids[0]
    code, out, _ = say("bundle", "list", "--bundles", folder, "--json")
    assert code == 0
    assert [one["id"] for one in json.loads(out) if one["champion"]] == [ids[0]]


def test_a_folder_without_manifest_is_refused_and_other_bundles_are_named(folder, ids, say, world):
    (folder / ids[1] / "manifest.json").unlink()
    code, _, err = say("signal", "SYNA/USDT:USDT", "--bundle", folder / ids[1], "--data", world.data)
    assert code == 1
    assert "no manifest.json" in err
    code, _, err = say("bundle", "promote", ids[1], "--bundles", folder)
    assert code == 1
    assert f"one of {ids[0]}" in err


def test_an_unknown_bundle_or_folder_names_the_close_match(folder, ids, say, tmp_path):
    wrong = "f" + ids[1][1:] if ids[1][0] != "f" else "0" + ids[1][1:]
    for verb in ("promote", "show", "verify"):
        code, out, err = say("bundle", verb, wrong, "--bundles", folder, "--json")
        assert code == 1
        assert f"Did you mean '{ids[1]}'?" in err
        assert json.loads(out)["error"]["type"] == "BundleError"
    for verb in ("list", "verify", "show", "rollback"):
        code, _, err = say("bundle", verb, "--bundles", tmp_path / "nowhere")
        assert code == 1
        assert "nowhere" in err
    assert not (tmp_path / "nowhere").exists()


def test_show_without_a_champion_names_the_remedy(folder, say):
    (folder / "champion").unlink()
    code, _, err = say("bundle", "show", "--bundles", folder)
    assert code == 1
    assert "quorate bundle promote ID" in err
    code, _, err = say("bundle", "list", "--bundles", folder)
    assert code == 0
    assert "no champion" in err


def break_graphs(path):
    """A bundle with valid digests whose graphs no runtime can load."""

    def change(tree):
        for name in ("xgboost.onnx", "lightgbm.onnx"):
            (path / name).write_bytes(b"no graph")
            tree["files"][name] = hashlib.sha256(b"no graph").hexdigest()

    return reseal(path, change)


def test_without_loaded_members_the_fallback_rules_decide_and_outputs_state_the_mode(folder, ids, say, world, tmp_path):
    path = break_graphs(folder / ids[1])
    data = ("--bundle", path, "--data", world.data)
    code, out, err = say("signal", "SYNA/USDT:USDT", *data, "--json")
    (signal,) = json.loads(out)
    assert (code, signal["mode"], signal["rule"], signal["confidence"]) == (0, "none", "fallback_rules", 0.0)
    assert signal["votes"] == []
    assert [one["model"] for one in signal["abstentions"]] == ["xgboost", "lightgbm"]
    assert signal["line"].startswith("fallback_rules")
    assert "mode none" in err + say("signal", "SYNA/USDT:USDT", *data)[2]
    code, out, err = say("backtest", *data, "--from", world.seam, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["mode"], found["trades"]) == ("none", [])
    code, out, err = say("evaluate", *data, "--from", world.seam, "--json", "--report", tmp_path / "page.html")
    assert code == 0, err
    assert json.loads(out)["mode"] == "none"
    code, out, _ = say("bundle", "verify", path.name, "--bundles", folder)
    assert code == 1
    assert "could not load xgboost" in out


def test_exit_codes_of_the_program(folder, ids, quorate_program):
    done = quorate_program("bundle", "verify", "--bundles", folder)
    assert done.returncode == 0, done.stderr
    (folder / ids[0] / "xgboost.ubj").unlink()
    refused = quorate_program("bundle", "verify", "--bundles", folder)
    assert refused.returncode == 1
    assert "xgboost.ubj missing" in refused.stderr
    assert quorate_program("bundle", "crown").returncode == 2
