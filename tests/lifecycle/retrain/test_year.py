"""Weeks of retraining by an injected clock, with what goes wrong in a year.

Outages of the program and of the exchange, a week that moves four times as far, a market that changes, a bundle that is
damaged before it is judged, and kills. After every look at the schedule the champion is a whole bundle that predicts,
and from the records alone follows every decision and every bundle that there is.
"""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import QuorateError
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.inference.loading import load_bundle
from quorate.lifecycle.retrain.retrain_champion import BY, retrain
from quorate.lifecycle.retrain.run_log import RunLog
from quorate.lifecycle.retrain.schedule import newest_fire
from quorate.lifecycle.retrain.scheduler import RetrainScheduler
from stubs.killed_retraining import KilledRetraining
from stubs.retraining import SETTINGS, SPAN_DAYS, START, Clock, drifting_market, train_champion

WEEK_MS = 7 * DAY_MS
KILLS = (
    {"progress": "reading candles"},
    {"progress": "lightgbm (2/2)"},
    {"progress": "predicting"},
    {"stage": "pruning"},
    {"stage": "end"},
)


class Simulation:
    """A scheduler whose waiting moves a clock.

    Args:
        bundles: folder with a champion.
        panel: candles of the whole time.
        killed: process of the runs that are killed.
        weeks: to simulate from the end of the champion's training span on.
        kills: number of the week -> how its first attempt is killed.
        damaged: number of the week in which the new bundle is damaged before it is judged.
        off: first and last week in which the program does not run.
    """

    def __init__(self, bundles, panel, killed, *, weeks, kills, damaged, off):
        self.bundles, self.panel, self.killed = bundles, panel, killed
        self.store, self.log = BundleStore(bundles), RunLog(bundles)
        self.clock = Clock(0)
        self.clock.to_day(SPAN_DAYS)
        self.begin, self.end = self.clock.now, self.clock.now + weeks * WEEK_MS
        self.kills, self.damaged = dict(kills), damaged
        self.off = tuple(self.begin + round(week * WEEK_MS) for week in off)
        self.looks = self.deaths = 0
        self.scheduler = RetrainScheduler(
            bundles,
            bundles,
            settings=SETTINGS,
            clock=self.clock,
            wait=self._wait,
            run=self._run,
            look_s=12 * HOUR_MS / 1000,
        )

    def run(self):
        self.scheduler.follow()

    def week(self):
        return (self.clock.now - self.begin) // WEEK_MS

    def _wait(self, _stop, seconds):
        self.looks += 1
        self.clock.now += max(1_000, round(seconds * 1000))
        if self.off[0] <= self.clock.now < self.off[1]:
            self.clock.now = self.off[1]
        if self.clock.now >= self.end:
            self.scheduler.stop()
        return False

    def _run(self, _bundles, _data, _exchange, _stop):
        week = self.week()
        if how := self.kills.pop(week, None):
            self.deaths += 1
            code = self.killed.run(self.bundles, self.clock.now, scheduled=True, **how)
            assert code == -9
        elif week == self.damaged:
            self.damaged = None
            assert self.killed.run(self.bundles, self.clock.now, scheduled=True, progress="predicting") == -9
            damage(self.store.path(self.log.runs()[-1].bundle or newest(self.store)) / "xgboost.onnx")
            code = -9
        else:
            code = self._here()
        self.require_valid_champion()
        return code

    def _here(self):
        try:
            retrain(self.bundles, self.panel, settings=SETTINGS, clock=self.clock, scheduled=True)
        except QuorateError:
            return 1
        return 0

    def require_valid_champion(self):
        champion = self.store.champion()
        self.store.verify(champion)
        bundle = load_bundle(self.store.path(champion))
        assert bundle.mode == "full"
        for candles in self.panel.values():
            seen = candles.between(None, self.clock.now // (4 * HOUR_MS) * (4 * HOUR_MS))
            signal = bundle.predict(seen, now=self.clock.now, allow_training_span=True)
            assert len(signal.votes) == 2
            assert np.isfinite(signal.confidence)


def newest(store):
    return next(entry.id for entry in reversed(store.history()) if entry.action == "publish")


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def require_explained(simulation, first):
    """Derive every decision from the records alone, and compare it with the history of the bundles."""
    settings, runs = SETTINGS.retrain, simulation.log.runs()
    champion, promotions, published = first, [], {first}
    for place, run in enumerate(runs, 1):
        assert run.number == place
        assert run.ended is not None
        assert run.reason
        assert run.champion == champion
        verdict = "failed"
        if run.state == "failed":
            assert run.reason.startswith("could not ")
        else:
            figures = run.gate["figures"]
            reasons = {
                "rows": run.gate["rows"] >= SETTINGS.bundle.evidence and run.gate["days"] >= 5,
                "members": True,
                "loss": figures["upper"] <= settings.margin * figures["champion_loss"],
                "calibration": figures["ece"] <= max(settings.ece, figures["champion_ece"]),
            }
            assert {check["name"]: check["passed"] for check in run.gate["checks"]} == reasons
            verdict = "promoted" if all(reasons.values()) else "kept"
            # On bars that were closed, after all that trained.
            assert run.span[0] < run.span[1] <= run.started
        assert run.state == verdict
        if run.bundle is not None:
            published.add(run.bundle)
        if verdict == "promoted":
            champion = run.bundle
            promotions.append(run.bundle)
    assert simulation.store.champion() == champion
    history = simulation.store.history()
    assert [entry.id for entry in history if entry.action == "promote" and entry.by == BY] == promotions
    removed = {name for run in runs for name in run.removed}
    gone = {entry.id for entry in history if entry.action == "remove"}
    assert removed <= gone <= published
    assert set(simulation.store.ids()) == published - gone
    assert champion not in gone
    return runs, promotions


def simulate(bundles, panel, first, **how):
    killed = KilledRetraining("drifting")
    try:
        simulation = Simulation(bundles, panel, killed, **how)
        simulation.run()
    finally:
        killed.close()
    runs, promotions = require_explained(simulation, first)
    # Every time of the schedule while the program ran has a run that began at it or in an attempt after it.
    fires = {newest_fire(SETTINGS.retrain.cron, run.started) for run in runs}
    due = newest_fire(SETTINGS.retrain.cron, simulation.end - 1)
    expected = set()
    while due > simulation.begin:
        # A time at which the program did not run is answered by the newest of the outage, once it is over.
        if not simulation.off[0] <= due < simulation.off[1] or due + WEEK_MS > simulation.off[1]:
            expected.add(due)
        due -= WEEK_MS
    assert fires == expected
    return SimpleNamespace(simulation=simulation, runs=runs, promotions=promotions)


@pytest.fixture(scope="module")
def drifting(tmp_path_factory):
    panel = drifting_market()
    folder = tmp_path_factory.mktemp("drifting")
    return SimpleNamespace(panel=panel, folder=folder, champion=train_champion(folder, panel))


def test_a_few_weeks(drifting, tmp_path):
    bundles = shutil.copytree(drifting.folder, tmp_path / "bundles")
    found = simulate(
        bundles,
        drifting.panel,
        drifting.champion,
        weeks=7,
        kills={1: KILLS[1], 2: KILLS[3]},
        damaged=3,
        off=(4, 6),
    )
    assert found.simulation.deaths == 2
    states = [run.state for run in found.runs]
    assert states.count("failed") == 1
    assert [run.attempts for run in found.runs][:3] == [1, 2, 2]


@pytest.mark.slow
def test_a_year(drifting, tmp_path):
    bundles = shutil.copytree(drifting.folder, tmp_path / "bundles")
    weeks = (3, 9, 17, 30, 41)
    found = simulate(
        bundles,
        drifting.panel,
        drifting.champion,
        weeks=52,
        kills=dict(zip(weeks, KILLS, strict=True)),
        damaged=13,
        off=(20.5, 24.5),
    )
    assert found.simulation.deaths == 5
    assert len(found.runs) == 52 - 4 + 1 + 1  # four weeks answered by one run, and one failure tried again
    states = [run.state for run in found.runs]
    assert states.count("failed") == 1
    # The market changes in week 31: bundles of the market before do not stay champion.
    last = max(run.span[1] for run in found.runs if run.state == "promoted")
    assert (last - START) // DAY_MS > SPAN_DAYS + 31 * 7
    assert states.count("promoted") >= 5
    assert states.count("kept") >= 5
