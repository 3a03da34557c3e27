"""`quorate select` on candles on disk, and the signal of a member that is not chosen."""

import json
import shutil

import pytest

from cli.conftest import run
from cli.lifecycle.conftest import OPTIONS

ONE = {**OPTIONS, "QUORATE_SELECT__SIZE": "1", "QUORATE_SELECT__DAYS": "3"}


@pytest.fixture
def asked(watched, tmp_path):
    shutil.copytree(watched.folder / "bundles", tmp_path / "bundles")
    return ("--bundle", tmp_path / "bundles" / watched.id), ("--data", watched.folder / "data")


def test_one_of_two_is_chosen_and_the_other_does_not_vote(watched, asked):
    bundle, data = asked
    assert run("select", "status", *bundle, **ONE).stdout.splitlines()[0] == "the first member votes: never checked"
    looked = run("select", "check", *bundle, *data, "--until", watched.end, **ONE)
    assert looked.returncode == 0, looked.stderr
    assert " votes since " in looked.stdout.splitlines()[0]
    # A look back is not kept.
    assert "never checked" in run("select", "status", *bundle, **ONE).stdout
    checked = run("select", "check", *bundle, *data, "--json", **ONE)
    (chosen,) = json.loads(checked.stdout)["terms"][-1]["members"]
    assert chosen in run("select", "status", *bundle, **ONE).stdout.splitlines()[0]
    (signal,) = json.loads(run("signal", *bundle, *data, "--json", watched.names[0], **ONE).stdout)
    (other,) = {"xgboost", "lightgbm"} - {chosen}
    assert [vote["model"] for vote in signal["votes"]] == [chosen]
    assert [vote["model"] for vote in signal["unselected"]] == [other]
    assert (signal["mode"], signal["abstentions"][0]["model"]) == ("full", other)
    assert signal["abstentions"][0]["reason"].startswith("not selected")


def test_without_a_size_there_is_nothing_to_choose(asked):
    bundle, data = asked
    refused = run("select", "check", *bundle, *data, **OPTIONS)
    assert refused.returncode != 0
    assert "select.size = 0, by which all vote" in refused.stderr
