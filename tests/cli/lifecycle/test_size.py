"""`quorate size`: the gate before the fit, the files, and an overlay that is applied."""

import json
import shutil

import pytest

from cli.conftest import run
from cli.lifecycle.conftest import OPTIONS
from quorate.core.settings import SizingSettings
from quorate.ensemble.series.sizing_file import sizing_path
from quorate.lifecycle.sizing.gate import SizingGate, gate_digest, write_gate
from quorate.trading.sizing import SizingPolicy

FEW = {**OPTIONS, "QUORATE_SIZING__FEWEST": "10"}


@pytest.fixture
def bundles(watched, tmp_path):
    shutil.copytree(watched.folder / "bundles", tmp_path / "bundles")
    return tmp_path / "bundles"


def document(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def passed(bundles):
    write_gate(bundles, SizingGate("ridge", gate_digest(SizingSettings(fewest=10)), {}, "2025-01-01T00:00:00Z"))


def test_a_learner_that_fails_the_gate_may_not_be_fitted(watched, bundles):
    tiny = {**FEW, "QUORATE_SIZING__GATE_MARKETS": "1", "QUORATE_SIZING__GATE_BARS": "200"}
    asked = ("--bundle", bundles, "--data", watched.folder / "data")
    judged = run("size", "gate", "--bundle", bundles, "--json", **tiny)
    assert judged.returncode == 1, judged.stderr
    found = json.loads(judged.stdout)
    assert not found["passed"]
    assert list(found["cases"]) == ["edge", "walk", "free", "shuffled"]
    refused = run("size", "fit", *asked, **tiny)
    assert refused.returncode == 1
    assert "failed (edge: not clearly more" in refused.stderr
    status = run("size", "status", "--bundle", bundles, **tiny)
    assert "No overlay was fitted" in status.stdout
    assert "gate, ridge: failed on " in status.stdout
    assert "gate, ppo: never judged" in status.stdout


def test_a_fit_is_judged_and_a_kept_one_applied(watched, bundles, tmp_path):
    passed(bundles)
    bundle, data = ("--bundle", bundles), ("--data", watched.folder / "data")
    seam = ("--from", "2024-03-01")  # the first bar after the training
    found = document(run("size", "fit", *bundle, *data, *seam, "--json", scratch=tmp_path, **FEW))
    assert found["bundle"] == watched.id
    assert set(found["against"]) == {"ordinary", "constant", "even"}
    assert found["provenance"]["ledger"]
    path = sizing_path(bundles, watched.id)
    assert json.loads(path.read_text()) == found
    shown = run("size", "status", *bundle, **FEW).stdout
    assert found["verdict"] in " ".join(shown.split())
    assert "gate, ridge: passed on 2025" in shown

    applied = {**FEW, "QUORATE_SIZING__APPLY": "true"}
    ordinary = document(run("backtest", *bundle, *data, *seam, "--json", scratch=tmp_path, **FEW))
    assert "overlay" not in ordinary
    half = SizingPolicy.constant(0.5)
    kept = {**found, "kept": True, "from": 0, "policy": half.to_json(), "digest": half.digest}
    path.write_text(json.dumps(kept))
    sized = document(run("backtest", *bundle, *data, *seam, "--json", scratch=tmp_path, **applied))
    assert sized["overlay"]["mean_share"] == 0.5
    first, second = ordinary["trades"][0], sized["trades"][0]
    assert second["quantity"] == pytest.approx(first["quantity"] / 2)
    journal = ("--journal", f"sqlite:///{tmp_path}/paper.sqlite")
    paper = run("paper", "run", *bundle, *data, "--replay", *seam, *journal, "--no-guards", "--json", **applied)
    assert document(paper)["equity_usd"] == pytest.approx(sized["final_equity_usd"], abs=1e-9)

    path.write_text(json.dumps({**kept, "policy": SizingPolicy.constant(1.0).to_json()}))
    altered = run("backtest", *bundle, *data, *seam, scratch=tmp_path, **applied)
    assert altered.returncode == 1
    assert "altered policy" in altered.stderr
    path.write_text(json.dumps({**kept, "kept": False}))
    warned = run("backtest", *bundle, *data, *seam, "--json", scratch=tmp_path, **applied)
    assert document(warned)["final_equity_usd"] == ordinary["final_equity_usd"]
    assert "no sizing overlay is kept" in warned.stderr
