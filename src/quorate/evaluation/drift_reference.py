"""What a bundle keeps of its training for the watch for drift, the file drift.json: of each feature the cells of its
distribution, and limits that a stationary year rarely crosses. Needs numpy only, and no row of the training later.

Features are those of the training part. Probabilities are those of rows that the scoring members were not fitted on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from quorate.core.errors import BundleError
from quorate.core.sections.drift import DriftSettings
from quorate.core.types import Float32Array, FloatArray, IntArray
from quorate.core.untrusted_json import parse_json
from quorate.ensemble.measure import HeldOutOutcomes
from quorate.evaluation.daily_sums import (
    daily_counts,
    daily_outcomes,
    error_of_sums,
    feature_distances,
    known_days,
    skill_of_sums,
)
from quorate.evaluation.member_reference import WatchedMember, fit_members
from quorate.evaluation.metrics.classification import ClassArray, prior_scores, unforeseen, voted
from quorate.evaluation.statistics.quantile_cells import QuantileCells, shares_of
from quorate.evaluation.statistics.stationary_streams import FEWEST_WINDOWS, plan_of, stationary_years, upper_limits
from quorate.features.catalogue import GROUPS

FILE_NAME = "drift.json"

#: Smaller differences of a distribution do not matter, however sure they are.
LEAST_INDEX, LEAST_GAP = 0.1, 0.1

_CALENDAR = frozenset(column.name for column in GROUPS["time"])

_DIGITS = 7


@dataclass(frozen=True, slots=True)
class WatchedFeature:
    """A feature in the training part.

    Attributes:
        name: of the feature.
        edges: of the cells, increasing; a cell holds low < x <= high.
        shares: of the rows in each cell, one more than edges.
        index_limit: of the population stability index over a window.
        gap_limit: of the Kolmogorov-Smirnov distance over a window.
    """

    name: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    index_limit: float
    gap_limit: float

    @property
    def cells(self) -> QuantileCells:
        """The cells."""
        return QuantileCells(np.array(self.edges, np.float64))


@dataclass(frozen=True, slots=True)
class WatchedScores:
    """The ensemble's probabilities on held-out rows.

    Attributes:
        days: of the rows.
        skill: over the class prior of the training rows.
        skill_limit: a window's skill below it is an alarm.
        error: expected calibration error of the winning class.
        error_limit: a window's error above it is an alarm.
    """

    days: int
    skill: float
    skill_limit: float
    error: float
    error_limit: float


@dataclass(frozen=True, slots=True)
class DriftReference:
    """Reference of a bundle.

    Attributes:
        window_days, block_days, chance: by which the limits of the features were set, see `DriftSettings`.
        days: of the training part.
        features: in the order of the bundle's columns, without those of the calendar; empty where the training part is
            too short.
        scores: of the ensemble; None where there are none.
        members: model -> limits of its own figures.
        lacking: "features" or "scores" -> why there are none.
    """

    window_days: int
    block_days: int
    chance: float
    days: int
    features: tuple[WatchedFeature, ...] = ()
    scores: WatchedScores | None = None
    members: Mapping[str, WatchedMember] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)

    @property
    def watches(self) -> bool:
        """Whether the training part is long enough to watch anything."""
        return bool(self.features)

    def content(self) -> bytes:
        """The bytes of drift.json."""
        return (json.dumps(asdict(self), allow_nan=False) + "\n").encode()

    @classmethod
    def parse(cls, content: bytes, attempted: str) -> Self:
        """Read drift.json.

        Raises:
            BundleError: not JSON, or values that are missing or out of range.
        """
        try:
            tree = parse_json(content)
            features = tuple(_feature(each) for each in tree["features"])
            scores = None if tree["scores"] is None else WatchedScores(**tree["scores"])
            members = {str(model): WatchedMember(**own) for model, own in tree["members"].items()}
            lacking = {str(part): str(why) for part, why in tree["lacking"].items()}
            window, block, days = (int(tree[name]) for name in ("window_days", "block_days", "days"))
            return cls(window, block, float(tree["chance"]), days, features, scores, members, lacking)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(
                attempted,
                found=f"an invalid {FILE_NAME} ({error})",
                expected="the reference as training wrote it",
                remedy="Train the bundle again with this version of Quorate.",
            ) from error


def fit_features(
    names: Sequence[str], X: Float32Array, time: IntArray, settings: DriftSettings
) -> tuple[tuple[WatchedFeature, ...], int]:
    """Cells and limits of every feature, and the days of the rows.

    Args:
        names: of the columns. Those of the calendar are left out: they never drift, and a window that ends in the
            middle of a week or a month has other ones than the whole.
        X: (n, F) features of the training part, finite.
        time: (n,) open times in ms.
        settings: window, blocks and chance.

    Returns:
        No feature where the rows have too few days.
    """
    day, days = known_days(time)
    if days < FEWEST_WINDOWS * settings.window_days:
        return (), days
    watched = [column for column, name in enumerate(names) if name not in _CALENDAR]
    X = X[:, watched]
    cells = [QuantileCells.of(column.astype(np.float64), settings.cells) for column in X.T]
    counts = daily_counts(cells, X, day, days)
    plan = plan_of(settings, days)
    years = list(stationary_years(counts, feature_distances, plan))
    chance, split = settings.chance / 2, len(cells)
    index = upper_limits([year[:, :split] for year in years], chance, days, plan, "root")
    gap = upper_limits([year[:, split:] for year in years], chance, days, plan, "share")
    shares = shares_of(counts.sum(axis=0))
    found = tuple(
        WatchedFeature(
            names[column],
            tuple(own.edges.tolist()),
            _rounded(shares[place, : len(own)]),
            float(max(LEAST_INDEX, round(index[place], _DIGITS))),
            float(max(LEAST_GAP, round(gap[place], _DIGITS))),
        )
        for place, (column, own) in enumerate(zip(watched, cells, strict=True))
    )
    return found, days


def fit_scores(
    y: ClassArray, probabilities: FloatArray, prior: FloatArray, time: IntArray, settings: DriftSettings
) -> tuple[WatchedScores | None, str]:
    """Skill and calibration error of held-out probabilities with their limits; else None, and why.

    Args:
        y: (n,) classes.
        probabilities: (n, 3); NaN rows are left out.
        prior: (3,) class shares of the training rows.
        time: (n,) open times in ms.
        settings: window, blocks and chance.
    """
    rows = voted(probabilities)
    absent = unforeseen(y[rows], prior_scores(prior, len(y))[rows])
    if absent:
        return None, f"no {' and no '.join(absent)} in the training rows"
    if not rows.any():
        return None, "no row that the members were not fitted on"
    day, days = known_days(time[rows])
    if days < FEWEST_WINDOWS * settings.window_days:
        return None, f"held-out rows of {days} days, and at least {FEWEST_WINDOWS * settings.window_days} are needed"
    sums = daily_outcomes(y[rows], probabilities[rows], prior, day, days)
    plan = plan_of(settings, days)
    years = list(stationary_years(sums, _loss_and_error, plan))
    loss = float(upper_limits([year[:, :1] for year in years], settings.chance, days, plan)[0])
    error = float(upper_limits([year[:, 1:] for year in years], settings.chance, days, plan)[0])
    whole = sums.sum(axis=0)
    skill = float(skill_of_sums(whole))
    return WatchedScores(days, skill, skill - loss, float(error_of_sums(whole)), error), ""


def fit_reference(
    settings: DriftSettings,
    names: Sequence[str],
    X: Float32Array,
    time: IntArray,
    held_out: HeldOutOutcomes | None,
) -> DriftReference:
    """The reference of a training; arguments as of `ensemble.measure.DescribeTraining`."""
    features, days = fit_features(names, X, time, settings)
    lacking = {}
    if not features:
        needed = FEWEST_WINDOWS * settings.window_days
        lacking["features"] = f"a training part of {days} days, and at least {needed} are needed"
    scores, members = None, {}
    if held_out is None:
        lacking["scores"] = "members that predict returns have no probabilities"
    else:
        scores, why = fit_scores(held_out.y, held_out.probabilities, held_out.prior, held_out.time, settings)
        if scores is None:
            lacking["scores"] = why
        members = fit_members(held_out.y, held_out.members, held_out.prior, held_out.time, settings)
    window, block = settings.window_days, plan_of(settings, days).block_days
    return DriftReference(window, block, settings.chance, days, features, scores, members, lacking)


def _loss_and_error(known: FloatArray, windows: FloatArray) -> FloatArray:
    """(looks, 2): how much less skill than in the known days, and the calibration error."""
    return np.stack([skill_of_sums(known.sum(axis=0)) - skill_of_sums(windows), error_of_sums(windows)], axis=-1)


def _rounded(values: FloatArray) -> tuple[float, ...]:
    return tuple(float(f"{value:.9g}") for value in values)


def _feature(tree: Mapping[str, Any]) -> WatchedFeature:
    edges, shares = tuple(map(float, tree["edges"])), tuple(map(float, tree["shares"]))
    if len(shares) != len(edges) + 1 or list(edges) != sorted(set(edges)):
        raise ValueError(f"cells of {tree['name']}: {len(edges)} edges and {len(shares)} shares")
    return WatchedFeature(str(tree["name"]), edges, shares, float(tree["index_limit"]), float(tree["gap_limit"]))
