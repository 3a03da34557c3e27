"""Quantisation of members, only where neither their classes nor the ensemble's decisions change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from quorate import load_bundle
from quorate.core.errors import ModelError
from quorate.core.settings import NHiTSSettings, TCNSettings, VoteSettings
from quorate.ensemble.calibration.temperature import UNCHANGED, Temperature
from quorate.ensemble.stack.combiner import Linear
from quorate.ensemble.stack.sign_probability import SignProbability
from quorate.ensemble.stack.stack import Stack
from quorate.ensemble.training import quantisation
from quorate.ensemble.training.quantisation import Agreement, Comparison, compare, stack_criteria, vote_criteria
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.ensemble.voting.calibrated_policy import CalibratedPolicy
from quorate.ensemble.voting.consensus_policy import ConsensusPolicy
from quorate.models import byte_products

ROWS = 1_000
ONE = np.ones(1)
BUY, HOLD = (0.05, 0.05, 0.9), (0.1, 0.8, 0.1)


def scores(buys: int, rows: int = ROWS) -> np.ndarray:
    """BUY on the first rows, HOLD on the others."""
    return np.where(np.arange(rows)[:, None] < buys, BUY, HOLD)


Y = np.where(np.arange(ROWS) < 200, 2, 1)
ALL_SELL = np.zeros(ROWS, np.int8)  # predicted by no member: the log-loss hardly depends on single rows
CLASSIC = {"classic": VoteSettings()}
FULL = {name: scores(200) for name in ("xgboost", "lightgbm", "nhits", "patchtst")}


def flipped(*rows: int) -> np.ndarray:
    table = FULL["nhits"].copy()
    for row in rows:
        table[row] = HOLD if row < 200 else BUY
    return table


@pytest.mark.parametrize(
    ("nhits", "patchtst", "kept"),
    [
        (flipped(), flipped(), ("nhits", "patchtst")),
        (flipped(*range(990, 995)), flipped(), ("nhits", "patchtst")),  # 99.5 %, none of them where the ensemble acts
        (flipped(*range(990, 996)), flipped(), ("patchtst",)),  # 99.4 % of its own classes
        (flipped(0), flipped(1), ("nhits", "patchtst")),  # three of four still agree
        (flipped(0, 1), flipped(0, 1), ("nhits",)),  # 198 of 200 decisions; with one of them, three still agree
        (flipped(0), flipped(0), ("nhits", "patchtst")),  # 199 of 200
    ],
)
def test_members_are_kept_by_their_classes_and_the_ensembles_decisions(
    nhits: np.ndarray, patchtst: np.ndarray, kept: tuple[str, ...]
) -> None:
    found = compare(FULL, {"nhits": nhits, "patchtst": patchtst}, vote_criteria(CLASSIC, 4, ALL_SELL))
    assert found.kept == kept
    assert (found.rows, found.decisions["classic"].acted) == (ROWS, 200)
    assert found.classes["nhits"] == (nhits == FULL["nhits"]).all(axis=1).mean()


def test_no_member_is_kept_if_the_ensemble_never_acts() -> None:
    idle = {name: scores(0) for name in FULL}
    found = compare(idle, {"nhits": idle["nhits"]}, vote_criteria(CLASSIC, 4, Y))
    assert (found.decisions, found.kept) == ({"classic": Agreement(0, None)}, ())


def test_decisions_of_the_quantised_ensemble_alone_are_compared_too() -> None:
    two = {name: scores(0) for name in FULL} | {"xgboost": scores(3), "lightgbm": scores(3)}
    found = compare(two, {"nhits": scores(3)}, vote_criteria(CLASSIC, 4, ALL_SELL))
    # Its class is the same on 99.7 % of the rows, but its vote makes the quorum of three actions.
    assert found.classes["nhits"] == 0.997
    assert (found.decisions, found.kept) == ({"classic": Agreement(3, 0.0)}, ())


def test_every_policy_that_acts_must_agree() -> None:
    """Three rows of a thousand that change calibrated decisions but no vote."""
    # Expected returns of 1.0 or 1.7 %; with one member changed, 0.73 %.
    calibrated = CalibratedPolicy(VoteSettings(), UNCHANGED, (-0.02, 0.0, 0.02), 0.009)
    changed = FULL["nhits"].copy()
    changed[:3] = (0.4, 0.15, 0.45)  # still BUY, but the mean of all four no longer exceeds the costs
    full = {"xgboost": scores(200), "lightgbm": scores(200), "patchtst": scores(200), "nhits": FULL["nhits"]}
    full = {name: np.where(np.arange(ROWS)[:, None] < 3, (0.2, 0.1, 0.7), table) for name, table in full.items()}
    quantised = {"nhits": np.where(np.arange(ROWS)[:, None] < 3, changed, full["nhits"])}
    alone = compare(full, quantised, vote_criteria(CLASSIC, 4, ALL_SELL))
    both = compare(full, quantised, vote_criteria({**CLASSIC, "calibrated": calibrated}, 4, ALL_SELL))
    assert alone.classes == both.classes == {"nhits": 1.0}
    assert alone.kept == ("nhits",)
    assert both.decisions["calibrated"].same == pytest.approx(197 / 200)
    assert both.kept == ()


def test_the_consensus_policy_decides_by_the_members_maps() -> None:
    """BUY given a move at 0.70 by all four; a flatter map of them all takes it below the floor of 0.69."""
    tables = dict.fromkeys(FULL, np.tile([0.18, 0.4, 0.42], (5, 1)))
    policies = {"consensus": ConsensusPolicy(VoteSettings())}
    plain = vote_criteria(policies, 4, ALL_SELL[:5]).decisions["consensus"]
    mapped = vote_criteria(policies, 4, ALL_SELL[:5], dict.fromkeys(FULL, Temperature(0.9))).decisions["consensus"]
    assert plain(tables).tolist() == [2] * 5
    assert mapped(tables).tolist() == [1] * 5


def test_a_policy_that_never_acts_is_ignored() -> None:
    never = CalibratedPolicy(VoteSettings(), UNCHANGED, (-0.02, 0.0, 0.02), 1.0)
    found = compare(FULL, {"nhits": FULL["nhits"]}, vote_criteria({**CLASSIC, "calibrated": never}, 4, Y))
    assert found.decisions["calibrated"] == Agreement(0, None)
    assert found.kept == ("nhits",)


def test_a_member_with_the_same_classes_and_a_larger_loss_is_not_kept() -> None:
    vague = FULL["nhits"] * 0.97 + 0.01  # the same classes with less certainty
    found = compare(FULL, {"nhits": vague}, vote_criteria(CLASSIC, 4, Y))
    before, after = found.loss["nhits"]
    assert found.classes == {"nhits": 1.0}
    assert after > 1.005 * before
    assert found.kept == ()


def test_a_stack_is_compared_by_actions_beyond_the_cost() -> None:
    cost = 0.01
    stack = Stack("voting", ("lstm", "xgboost"), Linear(np.array([0.5, 0.5])), SignProbability(ONE, ONE / 2), cost)
    returns = np.where(np.arange(ROWS) < 200, 0.03, 0.0)[:, None]
    full, criteria = {"lstm": returns, "xgboost": returns}, stack_criteria(stack, returns[:, 0] + 0.01)

    def found(changed: np.ndarray) -> Comparison:
        return compare(full, {"lstm": changed}, criteria)

    near = found(returns + 1e-6)  # equal but for the last digits
    assert (near.kept, near.classes, near.decisions) == (("lstm",), {"lstm": 1.0}, {"stack": Agreement(200, 1.0)})
    assert near.loss["lstm"] == pytest.approx((1e-4, 1e-4), rel=1e-3)
    other = returns.copy()
    other[:4] = -0.02  # SELL instead of BUY: the mean becomes HOLD
    different = found(other)
    assert (different.kept, different.classes) == ((), {"lstm": 0.996})
    assert different.decisions["stack"] == Agreement(200, 196 / 200)
    assert found(returns * 0.8).kept == ()  # the same classes, and a larger error


def test_agreement_is_that_of_all_quantised_members_if_none_is_a_candidate() -> None:
    found = compare(
        FULL, {name: flipped(*range(10)) for name in ("nhits", "patchtst")}, vote_criteria(CLASSIC, 4, ALL_SELL)
    )
    assert found.kept == ()
    assert max(found.classes.values()) < quantisation.AGREEMENT
    assert found.decisions["classic"] == Agreement(200, 0.95)


@pytest.mark.usefixtures("exact_byte_products")
def test_a_bundle_in_8_bits(world: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantisation, "AGREEMENT", 0.98)  # one of the few rows may differ
    models = replace(world.settings.models, nhits=NHiTSSettings(window=24, hidden=(16, 16, 16), epochs=1))
    settings = replace(world.settings, models=models)
    # Two members with a quorum of one: a vote that acts.
    settings = replace(settings, vote=VoteSettings(quorum=0.5, lowered_floor=0.05, floor=0.05))
    two = dict(list(world.panel.items())[:2])

    def trained(bits: str, out: Path) -> object:
        chosen = replace(settings, train=replace(settings.train, precision=bits))
        return train_ensemble(
            two, "1h", TrainingSpec(models=("xgboost", "nhits"), settings=chosen, end=world.seam), out
        )

    plain, quantised_bundle = trained("float32", tmp_path / "a"), trained("int8", tmp_path / "b")
    report = quantised_bundle.manifest.metrics["int8"]
    assert "int8" not in plain.manifest.metrics
    assert report["classes"]["nhits"] > 0.9
    assert report["decisions"]["classic"]["acted"] > 0
    assert report["kept"] == ["nhits"]
    assert (quantised_bundle.path / "nhits.onnx").stat().st_size < (plain.path / "nhits.onnx").stat().st_size
    assert load_bundle(quantised_bundle.path).mode == "full"

    monkeypatch.setattr(quantisation, "AGREEMENT", 1.01)
    refused = trained("int8", tmp_path / "c")
    assert refused.manifest.metrics["int8"]["kept"] == []
    for name in ("nhits.onnx", "calibration.json"):
        assert (refused.path / name).read_bytes() == (plain.path / name).read_bytes()


def test_a_processor_without_exact_products_is_an_error_before_training(
    world: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_products, "_sum_of_largest", lambda: 1)
    settings = replace(world.settings, train=replace(world.settings.train, precision="int8"))
    stages: list[str] = []
    with pytest.raises(ModelError, match="could not train for 8 bits: found a processor on which"):
        train_ensemble(
            world.panel,
            "1h",
            TrainingSpec(models=("xgboost", "lightgbm"), settings=settings),
            tmp_path / "bundles",
            progress=lambda title, *_: stages.append(title),
        )
    assert stages == []
    assert not (tmp_path / "bundles").exists()


@pytest.mark.usefixtures("exact_byte_products")
def test_a_member_without_a_form_in_8_bits_stays_as_it_is(
    world: SimpleNamespace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tcn = TCNSettings(window=8, blocks=1, width=4, epochs=1, share=0.1, newest_width=0)  # convolutions alone
    settings = replace(
        world.settings,
        models=replace(world.settings.models, tcn=tcn),
        train=replace(world.settings.train, precision="int8"),
    )
    one = dict(list(world.panel.items())[:1])
    made = train_ensemble(one, "1h", TrainingSpec(models=("tcn",), settings=settings, end=world.seam), tmp_path)
    assert "tcn stays in single precision: no weights to quantise" in caplog.text
    assert (made.manifest.metrics["int8"]["classes"], made.manifest.metrics["int8"]["kept"]) == ({}, [])
    assert load_bundle(made.path).mode == "full"
