"""Mean contributions in the report of an evaluation."""

from dataclasses import replace

import numpy as np
import pytest

import quorate
from quorate.core.clock import HOUR_MS
from quorate.core.sections.explain import ExplainSettings
from quorate.lifecycle.explain.mean_contributions import add_contributions
from quorate.workflows.runs import RunRecord


@pytest.fixture(scope="module")
def settings(world):
    return replace(world.settings, explain=ExplainSettings(background=3, report_bars=6))


@pytest.fixture
def evaluated(world, settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    span = {"start": world.end, "end": world.end + 90 * HOUR_MS}
    return quorate.evaluate(world.bundle, world.data, settings=settings, record=RunRecord(), **span)


def test_the_report_has_the_mean_size_of_every_contribution(world, settings, evaluated, tmp_path):
    asked = []
    add_contributions(evaluated, world.bundle, world.data, settings=settings, progress=lambda *done: asked.append(done))
    found = evaluated.scorecard.figures["contributions"]
    assert (found["bars"], asked[-1]) == (6, ("explaining", 6, 6))
    assert found["groups"] == ["technical", "price", "volume", "volatility"]
    assert set(found["members"]) == {"xgboost", "lightgbm", "nhits", "ensemble"}
    times = [(symbol, int(time)) for symbol, frame in evaluated.frames.items() for time in frame.time]
    golden = (np.arange(1, 7) * (np.sqrt(5) - 1) / 2 % 1 * len(times)).astype(int)
    sizes = []
    for place in golden:
        symbol, time = times[place]
        own = quorate.explain(world.bundle, world.data, symbol, at=time, settings=settings)
        sizes.append(np.abs(own.members["nhits"].contributions[:, own.explained]))
    assert list(found["members"]["nhits"].values()) == pytest.approx(np.mean(sizes, axis=0), abs=1e-4)
    page = evaluated.report(tmp_path / "report.html").read_text()
    assert "Mean absolute contribution to the score of the leading class x 100, over 6 bars" in page
    assert f">{100 * found['members']['ensemble']['technical']:.2f}<" in page


def test_nothing_is_measured_where_none_is_asked_for(world, settings, evaluated, tmp_path):
    none = replace(settings, explain=ExplainSettings(report_bars=0))
    add_contributions(evaluated, world.bundle, world.data, settings=none)
    assert "contributions" not in evaluated.scorecard.figures
    assert "Mean absolute contribution" not in evaluated.report(tmp_path / "report.html").read_text()
    stack = replace(evaluated, scorecard=None)
    add_contributions(stack, world.stack, world.data, settings=settings)
