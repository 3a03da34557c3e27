"""Comparison of two checkouts: this one with itself, and the page of known figures."""

import argparse
import json
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

import quorate
from quorate.core.settings import NHiTSSettings, PatchTSTSettings
from quorate.market import SyntheticMarket

ROOT = Path(__file__).parents[2]
MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")


@pytest.fixture(scope="module")
def checkouts():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        yield import_module("checkouts")
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
        del sys.modules["checkouts"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A small bundle of the four members."""
    settings = quorate.Settings()
    models = replace(
        settings.models,
        xgboost=replace(settings.models.xgboost, trees=3),
        lightgbm=replace(settings.models.lightgbm, trees=3),
        nhits=NHiTSSettings(hidden=(8, 8, 8), epochs=1, share=0.05),
        patchtst=PatchTSTSettings(width=8, heads=2, layers=1, feedforward=8, epochs=1, share=0.05),
    )
    panel = SyntheticMarket(seed=3, symbols=2, bars=600).panel()
    out = tmp_path_factory.mktemp("bundles")
    return quorate.train(panel, out, models=MEMBERS, settings=replace(settings, models=models)).path


def options(**changed):
    return argparse.Namespace(**{"beside": ROOT, "beside_python": None, "rounds": 1, "pairs": 1, **changed})


def test_this_checkout_beside_itself(checkouts, bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(checkouts, "MARKETS", 2)
    monkeypatch.setattr(checkouts, "CALLS", {"predict": (3, 2), "predict_many": (2, 1)})
    monkeypatch.setattr(checkouts, "WARM_UP", {"predict": 1, "predict_many": 1})
    # Times of a busy machine differ: only that the signals are the same is checked.
    monkeypatch.setattr(checkouts, "MOST_RATIO", float("inf"))
    assert checkouts.compare(options(bundle=bundle, out=tmp_path), "live", latency=True) == 0
    found = json.loads((tmp_path / "live_beside.json").read_text())
    figures = found["figures"]
    assert found["same_signals"] is True
    assert figures.keys() == checkouts.STARTED.keys() | checkouts.ANSWERED.keys()
    assert figures["import_modules"]["ratio"] == 1
    assert all(one["new"] > 0 and one["old"] > 0 for one in figures.values())
    assert figures["import_s"]["new"] < figures["load_s"]["new"] < figures["signal_s"]["new"]
    assert figures["predict_p50_s"]["new"] <= figures["predict_p99_s"]["new"]
    assert (tmp_path / "live_beside.md").read_text() in capsys.readouterr().out


def figure(new, old, ratio):
    return {"new": new, "old": old, "ratio": ratio, "lowest": ratio, "highest": ratio}


def test_the_page_names_what_exceeds_the_limit(checkouts):
    figures = {
        "import_s": figure(0.020, 0.020, 1.0),
        "import_modules": figure(40, 20, 2.0),  # no limit
        "load_mib": figure(108.0, 100.0, 1.08),
        "predict_p99_s": figure(0.004, 0.002, 2.0),  # no limit
        "predict_p50_s": figure(0.00105, 0.001, 1.0504),  # 1.050 in the table
    }
    found = {
        "command": "COMMAND",
        "machine": "MACHINE",
        "commits": {"new": "b", "old": "a"},
        "rounds": 9,
        "pairs": 5,
        "same_signals": False,
        "figures": figures,
    }
    assert checkouts.worse(found) == ["load_mib"]
    page = checkouts.as_markdown(found)
    assert "| `import quorate`, ms | 20.00 | 20.00 | 1.000 | 1.000 to 1.000 |" in page
    assert "| modules that it imports | 40 | 20 | 2.000 |" in page
    assert "exceeded by: resident memory with the bundle loaded. Signals of both: **different**." in page


def test_a_ratio_is_the_median_of_the_rounds_ratios(checkouts):
    found = checkouts._figure([(2.0, 1.0), (3.0, 2.0), (9.0, 3.0)])
    assert found == {"new": 3.0, "old": 2.0, "ratio": 2.0, "lowest": 1.5, "highest": 3.0}


def test_a_folder_without_quorate_is_an_error(checkouts, bundle, tmp_path):
    with pytest.raises(SystemExit, match="no src/quorate in it; expected a checkout"):
        checkouts.compare(options(beside=tmp_path, bundle=bundle, out=tmp_path), "live", latency=False)
