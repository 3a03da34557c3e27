"""`quorate bench` on candles on disk, and the signal of a member that is benched."""

import json
import shutil

import pytest

from cli.conftest import run
from cli.lifecycle.conftest import OPTIONS
from quorate.ensemble.inference.bench import BenchSpan
from quorate.ensemble.series.bench_file import bench_path


@pytest.fixture
def bundles(watched, tmp_path):
    shutil.copytree(watched.folder / "bundles", tmp_path / "bundles")
    return tmp_path / "bundles"


def bench(verb, bundles, watched, *options):
    return run("bench", verb, *options, "--bundle", bundles / watched.id, **OPTIONS)


def test_nobody_is_benched_and_each_member_has_its_line(watched, bundles):
    looked = bench("check", bundles, watched, "--data", watched.folder / "data", "--until", watched.end)
    assert looked.returncode == 0, looked.stderr
    lines = looked.stdout.splitlines()
    assert lines[0] == "nobody is benched"
    assert [line.split()[0] for line in lines[2:]] == ["xgboost", "lightgbm"]
    assert all("behind the others" in line and "limit" in line for line in lines[2:])
    assert not (bundles / "bench").exists()  # a look back is not kept


def test_an_expired_member_abstains_and_a_person_puts_another_beside_it(watched, bundles):
    data, options = watched.folder / "data", {**OPTIONS, "QUORATE_BENCH__SHELF_DAYS__XGBOOST": "5"}
    bundle = ("--bundle", bundles / watched.id)
    found = run("bench", "check", *bundle, "--data", data, **options)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("benched: xgboost since ")
    done = run("bench", "put", "lightgbm", *bundle, "--why", "wrong column", "--by", "ana", "--json", **options)
    assert {span["model"]: span["by"] for span in json.loads(done.stdout)["benched"]} == {
        "xgboost": "",
        "lightgbm": "ana",
    }
    # Bars of the past were decided before a person benched anybody.
    (signal,) = json.loads(run("signal", *bundle, "--data", data, "--json", watched.names[0], **OPTIONS).stdout)
    assert signal["abstentions"] == [{"model": "xgboost", "reason": "benched: expired: older than 5 days"}]
    assert (signal["mode"], signal["action"], signal["rule"]) == ("partial", "HOLD", "no_quorum")
    assert [vote["model"] for vote in signal["benched"]] == ["xgboost"]
    back = run("bench", "return", "lightgbm", *bundle, **OPTIONS, QUORATE_BENCH__APPLY="false")
    assert back.stdout.startswith("benched: xgboost since ")
    assert "they vote all the same" in back.stdout


def test_a_signal_for_a_person_says_how_many_vote(watched, bundles):
    bench_path(bundles, watched.id).parent.mkdir()
    span = BenchSpan("lightgbm", 0, None, "drifted: skill")
    bench_path(bundles, watched.id).write_text(json.dumps({"bundle": watched.id, "spans": [span.to_json()]}))
    asked = ("--bundle", bundles / watched.id, "--data", watched.folder / "data", watched.names[0])
    done = run("signal", *asked, **OPTIONS)
    assert "  lightgbm abstains: benched: drifted: skill" in done.stdout
    assert "mode partial, 1 of 2 members: these are benched: lightgbm" in done.stderr
