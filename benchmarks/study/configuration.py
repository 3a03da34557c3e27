"""Configurations of the study, fixed before it was run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from perpetuals import Perpetuals
from relative import RelativeClass

from quorate.core.settings import LightGBMSettings, ModelSettings, Settings, XGBoostSettings
from quorate.features import feature_names
from quorate.features.catalogue import GROUPS
from quorate.targets import ForwardClass, Target, TripleBarrier

TARGETS = ("fixed", "volatility", "barrier", "relative")
HORIZONS = (5, 12, 24)
FEATURES = ("core14", "full65", "extended")
CONTEXT = ("bitcoin", "strength", "breadth", "ranks")

# Fixed bands grow with the root of the horizon from the recipe's own 0.5 % at 5 bars.
_BANDS = {5: 0.005, 12: 0.0077, 24: 0.011}
_VOLATILITY_BAND = 0.3
_BARRIER = 0.75

# Few, small trees with a third of the columns and half of the rows each: fast, and as strongly regularised as the
# comparison of `held_back` requires.
HELD_BACK = LightGBMSettings(
    trees=40,
    leaves=15,
    depth=4,
    learning_rate=0.12,
    leaf_rows=20,
    leaf_share=0.04,
    l2=0.0,
    l2_share=0.06,
    colsample=0.3,
    subsample=0.5,
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """One configuration.

    Attributes:
        target: of `TARGETS`.
        horizon: bars.
        features: a set; "+group" adds a context group to it and "-group" takes one out.
        folds: test spans of the walk.
        anchored: train on all bars from the first on; else on a window as long as the first training span.
        shuffled: above 0, the seed by which labels are shuffled among all rows, as a negative control.
        funded: only bars with known funding.
        model: registered name.
        settings: of the model, by name; None for `HELD_BACK` (LightGBM) or the defaults.
    """

    target: str
    horizon: int
    features: str
    folds: int = 3
    anchored: bool = True
    shuffled: int = 0
    funded: bool = False
    model: str = "lightgbm"
    settings: tuple[tuple[str, float], ...] | None = None

    @property
    def name(self) -> str:
        """Description in one line."""
        marks = [f"{self.target} {self.horizon}", self.features]
        if self.model != "lightgbm" or self.settings is not None:
            given = ", ".join(f"{key} {value:g}" for key, value in self.settings or ())
            marks.append(f"{self.model} ({given or 'as documented'})")
        marks += [f"{self.folds} folds"] * (self.folds != 3) + ["rolling"] * (not self.anchored)
        marks += [f"shuffled ({self.shuffled})"] * (self.shuffled > 0) + ["where funding is known"] * self.funded
        return ", ".join(marks)

    @property
    def holds(self) -> tuple[int, ...]:
        """Holding times in hours: about the label's horizon, one day and three days."""
        return tuple(dict.fromkeys((max(6, self.horizon), 24, 72)))

    def to_json(self) -> dict[str, Any]:
        """Document for the trial log and the page."""
        return {**asdict(self), "models": asdict(getattr(self.all_settings().models, self.model))}

    def columns(self) -> tuple[str, ...]:
        """Names of the columns. Funding is known for few symbols, so it is included only if named."""
        base, *changes = self.features.replace("+", " +").replace("-", " -").split()
        funding = {column.name for column in GROUPS["funding"]}
        names = [name for name in feature_names(base) if name not in funding]
        for change in changes:
            group = [column.name for column in GROUPS[change[1:]]]
            names = [*names, *group] if change[0] == "+" else [name for name in names if name not in group]
        return tuple(names)

    def make_target(self, market: Perpetuals) -> Target:
        """The target."""
        if self.target == "fixed":
            return ForwardClass(self.horizon, _BANDS[self.horizon])
        if self.target == "volatility":
            return ForwardClass(self.horizon, _VOLATILITY_BAND, "volatility")
        if self.target == "barrier":
            return TripleBarrier(_BARRIER, _BARRIER, self.horizon, "volatility")
        return RelativeClass(market.panel, self.horizon, _VOLATILITY_BAND)

    def all_settings(self) -> Settings:
        """Settings with one thread and an embargo of the horizon."""
        settings = Settings()
        held: Any = HELD_BACK if self.model == "lightgbm" else XGBoostSettings()
        if self.settings is not None:
            held = replace(_AS_DOCUMENTED[self.model], **dict(self.settings))
        return replace(
            settings,
            models=replace(ModelSettings(), **{self.model: held}),
            train=replace(settings.train, threads=1),
            target=replace(settings.target, horizon=self.horizon),
        )


# Trees as in section 4 of the specification, without regularisation.
_AS_DOCUMENTED: dict[str, Any] = {
    "lightgbm": LightGBMSettings(leaf_share=0.0, l2_share=0.0, colsample=1.0, subsample=1.0),
    "xgboost": XGBoostSettings(leaf_share=0.0, l2_share=0.0, colsample=0.8, subsample=0.8),
}


def screened() -> list[Configuration]:
    """Every target, horizon and feature set."""
    return [Configuration(t, h, f) for t in TARGETS for h in HORIZONS for f in FEATURES]


def grouped() -> list[tuple[Configuration, Configuration]]:
    """Pairs of configurations that differ by one context group: added to full65, or removed from extended; funding on
    bars where it is known. With the relative target, in which the market as a whole cancels.
    """
    full, whole = Configuration("relative", 24, "full65"), Configuration("relative", 24, "extended")
    there = replace(whole, funded=True)
    return [
        *((replace(full, features=f"full65+{group}"), full) for group in CONTEXT),
        *((replace(whole, features=f"extended-{group}"), whole) for group in CONTEXT),
        (replace(there, features="extended+funding"), there),
    ]


def held_back() -> list[Configuration]:
    """The recipe's target and features, trained on about 80 days and tested on as many: how much regularisation do
    trees of the documented number and size need to be better than the class shares?
    """
    half = {"subsample": 0.5, "colsample": 0.5}
    tried: list[tuple[str, str, dict[str, float]]] = [
        ("core14", "lightgbm", {}),
        ("core14", "lightgbm", {"leaf_share": 0.04, **half}),
        ("core14", "lightgbm", {"leaf_share": 0.04, "l2_share": 0.06, **half}),
        ("core14", "lightgbm", {"leaf_share": 0.04, "l2_share": 0.2, **half}),
        ("core14", "xgboost", {}),
        ("core14", "xgboost", {"leaf_share": 0.04, "l2_share": 0.06}),
        ("core14", "xgboost", {"leaf_share": 0.04, "l2_share": 0.2}),
        ("full65", "lightgbm", {"leaf_share": 0.04, "l2_share": 0.2, **half}),
    ]
    return [
        Configuration(
            "fixed", 5, features, folds=2, anchored=False, model=model, settings=tuple(sorted(settings.items()))
        )
        for features, model, settings in tried
    ]
