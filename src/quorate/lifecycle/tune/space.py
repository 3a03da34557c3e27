"""The search space: ranges of each member's settings, feature sets, horizons and bands.

A range always holds the value that is set now, so that the settings as they are can be the first trial. Members that
are not in the table, such as those of packages, keep their settings; feature set, horizon and band are searched for
them too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from quorate.core.errors import EvaluationError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from quorate.core.settings import Settings

#: Name of a choice -> its value, as Optuna keeps it: "lightgbm.depth", "features", "horizon", "band".
Choices = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Range:
    """A range of numbers.

    Attributes:
        low, high: ends, included; whole numbers where both are.
        log: whether to search the logarithm, where the least value is above 0.
    """

    low: float
    high: float
    log: bool = False

    def around(self, value: float) -> Range:
        """The range with a value in it.

        >>> Range(0.01, 0.2, log=True).around(0.5), Range(2, 8, log=True).around(0)
        (Range(low=0.01, high=0.5, log=True), Range(low=0, high=8, log=False))
        """
        return Range(min(self.low, value), max(self.high, value), self.log and value > 0)


_TREES: Mapping[str, Range] = {
    "trees": Range(50, 400, log=True),
    "depth": Range(2, 8),
    "learning_rate": Range(0.01, 0.2, log=True),
    "subsample": Range(0.3, 1.0),
    "colsample": Range(0.3, 1.0),
    "l2_share": Range(0.001, 0.3, log=True),
}
_TRAINING: Mapping[str, Range] = {
    "learning_rate": Range(1e-4, 2e-2, log=True),
    "weight_decay": Range(0.01, 3.0, log=True),
}
_NETWORK: Mapping[str, Range] = {**_TRAINING, "newest_width": Range(16, 128, log=True)}

#: Member -> its settings that are searched. Around the defaults, which the benchmarks of the members found, and as far
#: as a fit stays about as long as theirs.
RANGES: Mapping[str, Mapping[str, Range]] = {
    "xgboost": {**_TREES, "leaf_share": Range(0.001, 0.1, log=True), "colsample_node": Range(0.1, 1.0)},
    "lightgbm": {**_TREES, "leaf_share": Range(0.001, 0.1, log=True), "leaves": Range(4, 63, log=True)},
    "catboost": _TREES,
    "extra_trees": {
        "depth": Range(6, 20),
        "colsample_node": Range(0.05, 1.0),
        "leaf_share": Range(0.001, 0.05, log=True),
    },
    "logistic": {"l2": Range(0.1, 1e5, log=True), "tail": Range(0.0, 0.02)},
    "qda": {"pooled": Range(0.0, 1.0), "identity": Range(0.05, 0.7), "power": Range(0.1, 1.0)},
    "log_har": {"l2": Range(0.1, 1e4, log=True), "knots": Range(0, 16)},
    "tabm": {**_TRAINING, "width": Range(16, 128, log=True), "dropout": Range(0.0, 0.5)},
    "tabnet": {**_TRAINING, "width": Range(4, 32, log=True), "relaxation": Range(1.0, 2.0)},
    "nhits": {**_NETWORK, "dropout": Range(0.0, 0.7)},
    "patchtst": {**_NETWORK, "head_dropout": Range(0.0, 0.7)},
    "lstm": {**_NETWORK, "dropout": Range(0.0, 0.5)},
    "gru": {**_NETWORK, "dropout": Range(0.0, 0.5)},
    "tcn": {**_NETWORK, "width": Range(8, 48, log=True), "dropout": Range(0.0, 0.5)},
    "dlinear": {**_NETWORK, "width": Range(2, 16, log=True)},
    "inception": {**_NETWORK, "filters": Range(4, 16, log=True)},
    "minirocket": {**_TRAINING, "features_each": Range(4, 24, log=True)},
    "tide": {**_NETWORK, "width": Range(16, 96, log=True), "dropout": Range(0.0, 0.5)},
    "tft": {**_NETWORK, "dropout": Range(0.0, 0.5)},
}


def search_space(members: Sequence[str], settings: Settings) -> dict[str, Range | tuple[Any, ...]]:
    """Name of a choice -> its range, or its values; those with a single value are left out.

    Args:
        members: names.
        settings: of models, training, target and the search.

    Raises:
        EvaluationError: nothing is left to search.
        FeatureError: an unknown feature set.
    """
    from quorate.features import feature_set

    over, tune = settings.tune.over, settings.tune
    found: dict[str, Range | tuple[Any, ...]] = {}
    if "members" in over:
        for name in members:
            for setting, wide in RANGES.get(name, {}).items():
                found[f"{name}.{setting}"] = wide.around(getattr(settings.models.section(name), setting))
    if "features" in over:
        named = (settings.train.features, *tune.features)
        found["features"] = tuple(dict.fromkeys(feature_set(name, settings.features).name for name in named))
    if "horizon" in over:
        found["horizon"] = tuple(sorted({settings.target.horizon, *tune.horizons}))
    if "band" in over:
        found["band"] = Range(*tune.bands, log=True).around(settings.target.band)
    kept = {name: each for name, each in found.items() if isinstance(each, Range) or len(each) > 1}
    if not kept:
        raise EvaluationError(
            "search for settings",
            found=f"nothing to vary of {', '.join(over)} for {', '.join(members)}",
            expected=f"a member of {', '.join(RANGES)}, or several feature sets or horizons",
            remedy="Change tune.over, tune.features or tune.horizons in quorate.toml.",
        )
    return kept


def settings_as_they_are(space: Mapping[str, object], settings: Settings) -> dict[str, Any]:
    """The choices of a space as the settings have them now."""
    now = {
        "features": settings.train.features,
        "horizon": settings.target.horizon,
        "band": settings.target.band,
    }
    return {name: now[name] if name in now else _value(name, settings) for name in space}


def with_choices(choices: Choices, settings: Settings) -> Settings:
    """The settings with these choices.

    Raises:
        SettingsError: choices that do not go together.
    """
    models, train, target = settings.models, settings.train, settings.target
    own: dict[str, dict[str, Any]] = {}
    for name, value in choices.items():
        if name == "features":
            train = replace(train, features=value)
        elif name in ("horizon", "band"):
            target = replace(target, **{name: value})
        else:
            member, setting = name.rsplit(".", 1)
            own.setdefault(member, {})[setting] = value
    changed = {member: replace(getattr(models, member), **values) for member, values in own.items()}
    return replace(settings, models=replace(models, **changed), train=train, target=target)


def distributions(space: Mapping[str, Range | tuple[Any, ...]]) -> dict[str, BaseDistribution]:
    """The space as Optuna's distributions."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for name, each in space.items():
        if not isinstance(each, Range):
            found[name] = CategoricalDistribution(each)
        elif isinstance(each.low, int) and isinstance(each.high, int):
            found[name] = IntDistribution(each.low, each.high, log=each.log)
        else:
            found[name] = FloatDistribution(float(each.low), float(each.high), log=each.log)
    return found


def _value(name: str, settings: Settings) -> Any:
    member, setting = name.rsplit(".", 1)
    return getattr(settings.models.section(member), setting)
