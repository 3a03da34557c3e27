"""The evidence for a policy in the output of `train`, `bundle show` and `evaluate`, on bundles trained in process."""

from dataclasses import replace

import pytest

from quorate.cli.render.bundles import decides_by
from quorate.core.settings import (
    LightGBMSettings,
    ModelSettings,
    PolicySettings,
    Settings,
    TrainSettings,
    XGBoostSettings,
)
from quorate.ensemble.inference.loading import load_bundle
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket

SETTINGS = replace(
    Settings(),
    models=ModelSettings(xgboost=XGBoostSettings(trees=15), lightgbm=LightGBMSettings(trees=15)),
    train=TrainSettings(threads=1, features="core14"),
)


def trained(out, edge, settings=SETTINGS):
    panel = SyntheticMarket(seed=4, symbols=3, bars=2_400, edge=edge).panel()
    return train_ensemble(panel, "1h", TrainingSpec(models=("xgboost", "lightgbm"), settings=settings), out)


@pytest.mark.integration
def test_a_random_walk_is_closed_and_an_edge_is_not(tmp_path):
    walk = trained(tmp_path / "walk", 0.0)
    why = walk.manifest.metrics["probabilities"]["why"]
    assert walk.manifest.decides == "closed"
    assert decides_by(walk.manifest) == f"closed, because {why}"
    assert load_bundle(walk.path).decides == "closed"
    edge = trained(tmp_path / "edge", 0.3)
    evidence = edge.manifest.metrics["probabilities"]["evidence"]
    assert edge.manifest.decides == evidence["policy"] != "closed"
    assert decides_by(edge.manifest) == f"{edge.manifest.decides}: {edge.manifest.metrics['probabilities']['why']}"
    assert evidence["members"] == ["lightgbm", "xgboost"]
    assert 1 <= len(evidence["table"]) <= 10


@pytest.mark.integration
def test_a_policy_by_name_stands_beside_the_evidence(tmp_path):
    named = trained(tmp_path, 0.0, replace(SETTINGS, policy=PolicySettings(name="classic")))
    text = named.manifest.metrics["probabilities"]["evidence"]["text"]
    assert text.startswith("closed: ")
    assert decides_by(named.manifest) == f"classic: asked for by the settings; the evidence says {text}"
