"""A training of two small members on a small synthetic market, to be interrupted and run again."""

from dataclasses import replace

import numpy as np

from quorate.core.settings import (
    PolicySettings,
    Settings,
    TrainSettings,
)
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket
from stubs.small_models import small_trees

SETTINGS = replace(
    Settings(),
    models=small_trees(),
    train=TrainSettings(threads=1, features="core14", head="classes"),
    policy=PolicySettings(refit="none"),
)


def mean_loss(y, scores, prior, time, forward_return):
    del prior, time, forward_return
    return {"log_loss": float(-np.log(scores[np.arange(len(y)), y]).mean())}


def run(out, progress=lambda *_: None, settings=SETTINGS):
    panel = SyntheticMarket(seed=6, symbols=1, bars=500, edge=0.3).panel()
    return train_ensemble(
        panel,
        "1h",
        TrainingSpec(models=("xgboost", "lightgbm"), settings=settings, measure=mean_loss),
        out,
        progress=progress,
    )


def run_again(out, **changed):
    """Run again; return the result and the names of the members that were trained."""
    names = set()
    trained = run(out, lambda title, *_: names.add(title.split()[0]), **changed)
    return trained, names
