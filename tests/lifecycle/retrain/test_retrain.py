"""Runs of retraining: verdicts, kills in every stage, failures, the lock, and what is on record."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from quorate import load_bundle
from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import BundleError, DataError, WorkerError
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.lifecycle.retrain.gate import judge
from quorate.lifecycle.retrain.retrain_champion import BY, retrain
from quorate.lifecycle.retrain.run_log import FOLDER, RunLog
from quorate.lifecycle.retrain.status import retraining_status
from stubs.retraining import SETTINGS, START, synthetic_market, train_champion

# A margin that no difference of these models exceeds, or falls below.
EASY = replace(SETTINGS, retrain=replace(SETTINGS.retrain, margin=0.5, ece=0.9))
HARD = replace(SETTINGS, retrain=replace(SETTINGS.retrain, margin=0.0, ece=0.9, confidence=0.9999))


def run(world, settings=SETTINGS, **more):
    return retrain(world.bundles, world.panel, settings=settings, clock=world.clock, **more)


def store(world):
    return BundleStore(world.bundles)


def require_valid_champion(world):
    found = store(world)
    champion = found.champion()
    found.verify(champion)
    bundle = load_bundle(found.path(champion))
    assert bundle.mode == "full"
    candles = next(iter(world.panel.values()))
    assert bundle.predict(candles[-200:], now=world.clock.now + 400 * DAY_MS).votes
    return champion


def test_a_bundle_that_passes_becomes_champion_and_the_record_says_why(world):
    result = run(world, EASY)
    assert result.promoted
    assert require_valid_champion(world) == result.run.bundle != world.champion
    entry = store(world).history()[-1]
    assert (entry.action, entry.id, entry.previous, entry.by) == ("promote", result.run.bundle, world.champion, BY)
    assert result.run.reason in entry.why
    record = json.loads((world.bundles / FOLDER / "0001.json").read_text())
    assert record["state"] == "promoted"
    assert (record["champion"], record["bundle"]) == (world.champion, result.run.bundle)
    assert record["gate"]["passed"] is True
    assert record["gate"]["figures"]["upper"] <= record["gate"]["figures"]["margin"]
    # The clock shows two hours past midnight: the bar of 4 h that opened then is not closed.
    assert record["span"]["to"] == "2024-03-08T00:00:00Z"
    assert RunLog(world.bundles).runs() == (result.run,)
    assert result.to_json() == {"folder": str(world.bundles), **record}
    assert (store(world).path(result.run.bundle) / "card.md").read_text().startswith(f"# Bundle {result.run.bundle}\n")


def test_a_retrained_bundle_can_be_watched_for_drift(world):
    bundle = store(world).manifest(run(world).run.bundle)
    assert "drift.json" in bundle.files


def test_a_bundle_that_does_not_pass_stays_a_challenger(world):
    result = run(world, HARD)
    assert (result.run.state, result.promoted) == ("kept", False)
    assert "required" in result.run.reason
    assert require_valid_champion(world) == world.champion
    assert result.run.bundle in store(world).ids()


def test_both_are_judged_on_bars_that_neither_training_has_used(world):
    gate = run(world).run.gate
    manifests = [store(world).manifest(name) for name in store(world).ids()]
    first = np.datetime64(gate["from"][:-1], "ms").astype(int)
    for manifest in manifests:
        assert first > manifest.used_until + manifest.horizon * 4 * HOUR_MS
    assert gate["notes"] == ["The members' mean scores are compared: not both bundles have calibrated probabilities."]


def test_the_judgement_depends_on_no_bar_after_the_end(world):
    plain = run(world).run
    for path in (world.bundles / FOLDER).iterdir():
        path.unlink()
    store(world).remove(plain.bundle)
    end = int(world.clock.now // (4 * HOUR_MS) * 4 * HOUR_MS)
    poisoned = {}
    for symbol, candles in world.panel.items():
        factor = np.where(candles.time >= end, 5.0, 1.0)
        poisoned[symbol] = replace(
            candles, **{name: factor * getattr(candles, name) for name in ("open", "high", "low", "close")}
        )
    again = retrain(world.bundles, poisoned, settings=SETTINGS, clock=world.clock).run
    assert (again.bundle, again.gate) == (plain.bundle, plain.gate)


def test_a_test_part_of_a_day_is_too_little_to_pass(world, tmp_path):
    # The challenger takes the champion's split, which leaves 2 % of the span unused.
    greedy = replace(EASY, split=replace(SETTINGS.split, train=0.7, validation=0.28))
    train_champion(tmp_path / "greedy", world.panel, greedy)
    found = retrain(tmp_path / "greedy", world.panel, settings=EASY, clock=world.clock).run
    assert found.state == "kept"
    failed = [check["name"] for check in found.gate["checks"] if not check["passed"]]
    assert failed == ["rows", "loss"]


def test_overlap_is_told_and_decided_by_the_rest(world):
    """A champion that was trained until a day ago on a longer span has used bars of the challenger's test part."""
    bundles = world.bundles.parent / "late"
    late = replace(SETTINGS, split=replace(SETTINGS.split, train=0.6, validation=0.3))
    name = train_champion(bundles, world.panel, late, days=66)
    champion, challenger = load_bundle(bundles / name), load_bundle(world.bundles / world.champion)
    end = START + 66 * DAY_MS
    panel = {symbol: candles.between(None, end) for symbol, candles in world.panel.items()}
    found = judge(challenger, champion, panel, end, SETTINGS)
    assert any("The champion's training used bars of" in note for note in found.notes)
    assert found.start > champion.manifest.used_until > challenger.manifest.used_until
    # The other way round nothing is left out.
    assert not any("The champion's" in note for note in judge(champion, challenger, panel, end, SETTINGS).notes)


def test_without_a_new_bar_nothing_is_trained(world):
    world.clock.to_day(60)
    result = run(world)
    assert result.run.state == "kept"
    assert "no bar after the champion's training span" in result.run.reason
    assert store(world).ids() == (world.champion,)


def test_the_settings_are_the_champions(world):
    other = replace(SETTINGS, train=replace(SETTINGS.train, seed=99, features="core30"), models=type(SETTINGS.models)())
    result = run(world, other)
    found = store(world)
    made, champion = found.manifest(result.run.bundle), found.manifest(world.champion)
    assert made.settings == champion.settings
    assert (made.features, made.target) == (champion.features, champion.target)
    assert made.policy.chosen == champion.policy.chosen
    assert [member.model for member in made.members] == [member.model for member in champion.members]


@pytest.mark.parametrize(("span_days", "anchored", "first"), [(0, False, 67 - 52), (30, False, 37), (30, True, 8)])
def test_the_span_is_as_long_as_the_champions_or_as_set_or_grows(world, span_days, anchored, first):
    settings = replace(SETTINGS, retrain=replace(SETTINGS.retrain, span_days=span_days, anchored=anchored))
    start, end = run(world, settings).run.span
    assert (end - START) // DAY_MS == 67
    assert (start - START) // DAY_MS == first


# The first two have not said yet which bars they train on.
KILLS = {
    "before its record": {"rename": 1},
    "in the candles": {"progress": "reading candles"},
    "in the second member": {"progress": "lightgbm (2/2)"},
    "in the gate": {"progress": "predicting"},
    "before promotion": {"stage": "promotion"},
    "before pruning": {"stage": "pruning"},
    "before its end": {"stage": "end"},
}


@pytest.fixture(scope="module")
def whole(steady, tmp_path_factory):
    """The record of a run that nothing interrupts."""
    import shutil

    from stubs.retraining import Clock

    bundles = shutil.copytree(steady.folder, tmp_path_factory.mktemp("whole") / "bundles")
    clock = Clock(0)
    clock.to_day(67 + 2 / 24)
    return retrain(bundles, steady.panel, settings=SETTINGS, clock=clock).run


@pytest.mark.parametrize("how", KILLS.values(), ids=KILLS)
def test_a_run_that_was_killed_continues_and_decides_the_same(world, killed, whole, how):
    assert killed.run(world.bundles, world.clock.now, **how) == -9
    require_valid_champion(world)
    status = retraining_status(world.bundles)
    recorded = how != {"rename": 1}
    if recorded:
        assert [each.state for each in status.runs] == ["running"]
        assert not status.at_work
        assert "continues" in status.line
    if recorded and status.runs[0].span is not None:
        world.clock.now += 3 * DAY_MS  # newer bars are there by then
    found = run(world).run
    assert (found.number, found.state, found.reason) == (1, whole.state, whole.reason)
    assert (found.bundle, found.gate, found.span) == (whole.bundle, whole.gate, whole.span)
    assert found.attempts == (2 if recorded else 1)
    require_valid_champion(world)


@pytest.mark.slow
def test_a_kill_before_any_rename_leaves_a_valid_champion(world, killed, whole):
    import shutil

    number, code = 0, -9
    while code == -9:
        number += 1
        bundles = shutil.copytree(world.bundles, world.bundles.parent / f"copy{number}")
        code = killed.run(bundles, world.clock.now, rename=number)
        here = type(world)(**{**vars(world), "bundles": bundles})
        require_valid_champion(here)
        found = run(here).run
        assert (found.bundle, found.gate, found.reason) == (whole.bundle, whole.gate, whole.reason) or code == 0
        require_valid_champion(here)
    assert number > 10
    assert code == 0


def test_a_run_that_is_killed_again_and_again_is_given_up(world, killed):
    for _ in range(SETTINGS.retrain.attempts):
        assert killed.run(world.bundles, world.clock.now, scheduled=True, progress="xgboost (1/2)") == -9
    with pytest.raises(WorkerError, match="killed 3 times, at last in the stage training"):
        run(world, scheduled=True)
    (given_up,) = RunLog(world.bundles).runs()
    assert given_up.state == "failed"
    assert "killed 3 times" in given_up.reason
    # A person may ask for another.
    assert run(world).run.number == 2
    require_valid_champion(world)


def test_a_run_whose_champion_has_changed_is_not_continued(world, killed):
    assert killed.run(world.bundles, world.clock.now, stage="promotion") == -9
    found = store(world)
    (other,) = set(found.ids()) - {world.champion}
    # A person promotes a third bundle.
    train_champion(world.bundles, world.panel, replace(SETTINGS, train=replace(SETTINGS.train, seed=3)))
    (third,) = set(found.ids()) - {world.champion, other}
    found.promote(third, by="a person")
    result = run(world)
    first, second = RunLog(world.bundles).runs()
    assert (first.state, second.champion) == ("failed", third)
    assert "the champion has changed since" in first.reason
    assert result.run == second


def test_files_that_cannot_be_written_leave_the_champion(world, killed):
    """As on a full disk: records fit, the bundle does not."""
    assert killed.run(world.bundles, world.clock.now, bytes=9_000) == 1
    (failed,) = RunLog(world.bundles).runs()
    assert failed.state == "failed"
    assert "File too large" in failed.reason
    assert require_valid_champion(world) == world.champion
    assert store(world).ids() == (world.champion,)
    world.clock.now += HOUR_MS
    assert run(world).run.state in ("kept", "promoted")


def test_where_not_even_a_record_can_be_written_the_error_says_so(world, killed):
    assert killed.run(world.bundles, world.clock.now, bytes=100) == 1
    assert RunLog(world.bundles).runs() == ()
    assert require_valid_champion(world) == world.champion


def test_a_bundle_that_was_damaged_is_never_promoted(world, killed):
    assert killed.run(world.bundles, world.clock.now, progress="predicting") == -9
    found = store(world)
    (made,) = set(found.ids()) - {world.champion}
    damage(found.path(made) / "xgboost.onnx")
    with pytest.raises(BundleError, match=r"xgboost\.onnx altered"):
        run(world, EASY)
    assert RunLog(world.bundles).runs()[-1].state == "failed"
    assert require_valid_champion(world) == world.champion
    assert found.ids() == (world.champion,)
    assert found.history()[-1].action == "remove"
    assert run(world, EASY).run.bundle == made


def test_a_champion_that_is_damaged_is_said_and_stays(world):
    damage(store(world).path(world.champion) / "lightgbm.txt")
    with pytest.raises(BundleError, match=r"lightgbm\.txt altered"):
        run(world, EASY)
    (failed,) = RunLog(world.bundles).runs()
    assert failed.state == "failed"
    assert store(world).champion() == world.champion


def test_damaged_candles_fail_the_run(world, tmp_path):
    synthetic_market(130).write(tmp_path / "data")
    file = next((tmp_path / "data").rglob("SYNA*-4h-futures.feather"))
    file.write_bytes(file.read_bytes()[:-5_000])
    with pytest.raises(DataError, match=file.name):
        retrain(world.bundles, tmp_path / "data", settings=SETTINGS, clock=world.clock)
    (failed,) = RunLog(world.bundles).runs()
    assert (failed.state, failed.stage) == ("failed", "candles")
    assert file.name in failed.reason
    assert require_valid_champion(world) == world.champion


def test_an_error_that_nobody_foresaw_is_on_record(world):
    class Broken(dict):
        def items(self):
            raise RuntimeError("a broken source")

    with pytest.raises(RuntimeError):
        retrain(world.bundles, Broken(world.panel), settings=SETTINGS, clock=world.clock)
    (failed,) = RunLog(world.bundles).runs()
    assert (failed.state, failed.reason) == ("failed", "an internal error (RuntimeError: a broken source)")


def test_a_bundle_that_waits_for_a_signature_is_not_promoted(world):
    signed = replace(EASY, bundle=replace(EASY.bundle, trusted_keys=("A" * 43 + "=",)))
    found = run(world, signed).run
    assert found.state == "kept"
    assert "waits for a signature" in found.reason
    assert store(world).champion() == world.champion


def test_one_run_at_a_time(world):
    held, release = threading.Event(), threading.Event()

    def hold():
        with RunLog(world.bundles).running():
            held.set()
            release.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        held.wait(5)
        assert retraining_status(world.bundles).at_work
        with pytest.raises(DataError, match="Wait for the other retraining"):
            run(world)
        assert RunLog(world.bundles).runs() == ()
    finally:
        release.set()
        thread.join()
    assert not retraining_status(world.bundles).at_work


def test_a_folder_without_a_champion_is_an_error(world, tmp_path):
    with pytest.raises(BundleError, match="no champion"):
        retrain(tmp_path / "none", world.panel, settings=SETTINGS, clock=world.clock)
    assert not (tmp_path / "none").exists()


def test_old_bundles_of_retraining_are_removed_and_those_of_rollbacks_stay(world):
    few = replace(EASY, retrain=replace(EASY.retrain, keep=1, rollbacks=1))
    made = []
    for week in range(4):
        world.clock.to_day(67 + 7 * week)
        made.append(run(world, few).run)
    names = [each.bundle for each in made]
    # The first champion was trained by a person and is never removed.
    assert set(store(world).ids()) == {world.champion, names[-1], names[-2]}
    assert [each.removed for each in made] == [(), (), (names[0],), (names[1],)]
    store(world).rollback()
    assert require_valid_champion(world) == names[-2]


def test_old_bundles_that_cannot_be_removed_leave_the_verdict(world):
    (world.bundles / "series-1").mkdir()
    (world.bundles / "series-1" / "series.json").write_text("{")
    found = run(world, EASY).run
    assert found.state == "promoted"
    assert "old bundles stay: could not read the series" in found.reason
    assert require_valid_champion(world) == found.bundle


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
