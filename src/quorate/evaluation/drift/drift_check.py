"""Result of a check for drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from quorate.core.clock import format_ms, iso_ms, parse_ms
from quorate.core.errors import DataError, QuorateError
from quorate.core.sections.drift import DriftAction

Verdict = Literal["quiet", "drifting", "too_early"]
Detector = Literal["features", "calibration", "skill", "log_loss"]

#: What each detector watches, for texts.
DETECTORS: Mapping[Detector, str] = {
    "features": "features",
    "calibration": "calibration",
    "skill": "skill",
    "log_loss": "log-loss",
}


# What follows from an alarm without a person.
_CONSEQUENCES: Mapping[DriftAction, str] = {
    "tell": "",
    "retrain": "; a retraining is due now",
    "shrink": "; new entries have a smaller stake (drift.shrink) until a check is quiet",
}


@dataclass(frozen=True, slots=True)
class DriftAlarm:
    """An alarm that lasts.

    Attributes:
        detector: that raised it.
        since: first check that would have raised it, ms; of the log-loss, when it rose.
        found: what it found, for a person.
    """

    detector: Detector
    since: int
    found: str


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """A feature over the newest window, beside the training part.

    Attributes:
        index: population stability index.
        gap: Kolmogorov-Smirnov distance.
        index_limit, gap_limit: an alarm above either.
    """

    name: str
    index: float
    index_limit: float
    gap: float
    gap_limit: float

    @property
    def alarm(self) -> bool:
        """Whether a distance is above its limit."""
        return self.index > self.index_limit or self.gap > self.gap_limit

    @property
    def share_of_limit(self) -> float:
        """The larger of both distances as a share of its limit."""
        return max(self.index / self.index_limit, self.gap / self.gap_limit)


@dataclass(frozen=True, slots=True)
class ScoreDrift:
    """A figure of the ensemble over the newest window.

    Attributes:
        value: of the window.
        interval: by block bootstrap; None where there are too few days.
        limit: an alarm beyond it.
        at_training: the same figure on the held-out rows of the training.
        alarm: whether it is beyond its limit.
    """

    value: float
    interval: tuple[float, float] | None
    limit: float
    at_training: float
    alarm: bool


@dataclass(frozen=True, slots=True)
class LogLossRise:
    """The newest rise of the log-loss that ADWIN found.

    Attributes:
        at: when it was found, ms.
        since: when it began, ms.
        before, after: mean log-loss, nats.
        alarm: whether it was found in the newest window.
    """

    at: int
    since: int
    before: float
    after: float
    alarm: bool


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """What the watch found of a bundle.

    Attributes:
        bundle: id.
        timeframe: of its bars.
        symbols: markets that were watched.
        missing: markets of the training without candles; a change of the mix is a change of the distributions.
        synthetic: candles, or those that trained the bundle, are synthetic.
        start, end: first watched bar, and close of the newest one, ms.
        window_days: days of a window.
        days: whole days that were watched; with fewer than a window the verdict is "too_early".
        checked_at: ms.
        verdict: "drifting" if there is an alarm.
        alarms: those that last, the earliest first.
        alarm_days: earlier and present days with an alarm of features, calibration or skill, by detector.
        features: the worst first; empty where they are not watched.
        skill, calibration: None where they are not watched.
        rise: None where there was none, or the log-loss is not watched.
        lacking: what is not watched -> why.
        chance: that a stationary year raises an alarm of the features; also of calibration, and of skill.
        action: setting that says what follows an alarm.
    """

    bundle: str
    timeframe: str
    symbols: tuple[str, ...]
    missing: tuple[str, ...]
    synthetic: bool
    start: int
    end: int
    window_days: int
    days: int
    checked_at: int
    verdict: Verdict
    alarms: tuple[DriftAlarm, ...]
    alarm_days: Mapping[str, int]
    features: tuple[FeatureDrift, ...]
    skill: ScoreDrift | None
    calibration: ScoreDrift | None
    rise: LogLossRise | None
    chance: float
    action: DriftAction
    lacking: Mapping[str, str] = field(default_factory=dict)

    @property
    def since(self) -> int | None:
        """When the earliest lasting alarm began, ms; None without one."""
        return min((alarm.since for alarm in self.alarms), default=None)

    @property
    def advice(self) -> str:
        """What to do."""
        if self.verdict == "too_early":
            return f"check again when there are {self.window_days} days of bars that the training has not seen"
        if self.verdict == "quiet":
            return "nothing"
        found = {alarm.detector for alarm in self.alarms}
        if found == {"features"}:
            first = "see whether the candles are right (`quorate data check`), then train on newer ones"
        else:
            first = "train on newer candles, and trade smaller until a new bundle is measured"
        return first + _CONSEQUENCES[self.action]

    @property
    def headline(self) -> str:
        """The verdict in a line."""
        since = "" if self.since is None else f" since {format_ms(self.since)}"
        what = ", ".join(alarm.found for alarm in self.alarms)
        names = {"quiet": "quiet", "drifting": "DRIFTING", "too_early": "too early to tell"}
        return f"{names[self.verdict]}{since}" + (f": {what}" if what else "")

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate drift --json` and of `GET /drift`."""
        return {
            "bundle": self.bundle,
            "timeframe": self.timeframe,
            "symbols": list(self.symbols),
            "missing": list(self.missing),
            "synthetic": self.synthetic,
            "from": iso_ms(self.start),
            "to": iso_ms(self.end),
            "window_days": self.window_days,
            "days": self.days,
            "checked_at": iso_ms(self.checked_at),
            "verdict": self.verdict,
            "since": None if self.since is None else iso_ms(self.since),
            "headline": self.headline,
            "advice": self.advice,
            "action": self.action,
            "chance": self.chance,
            "alarms": [
                {"detector": alarm.detector, "since": iso_ms(alarm.since), "found": alarm.found}
                for alarm in self.alarms
            ],
            "alarm_days": dict(self.alarm_days),
            "features": [
                {
                    "name": one.name,
                    "psi": one.index,
                    "psi_limit": one.index_limit,
                    "ks": one.gap,
                    "ks_limit": one.gap_limit,
                    "alarm": one.alarm,
                }
                for one in self.features
            ],
            "skill": _score_json(self.skill),
            "calibration": _score_json(self.calibration),
            "log_loss_rise": None if self.rise is None else _rise_json(self.rise),
            "lacking": dict(self.lacking),
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any], attempted: str) -> Self:
        """Read a document of `to_json`.

        Raises:
            DataError: values that are missing or impossible.
        """
        try:
            return cls(
                bundle=str(tree["bundle"]),
                timeframe=str(tree["timeframe"]),
                symbols=tuple(map(str, tree["symbols"])),
                missing=tuple(map(str, tree["missing"])),
                synthetic=bool(tree["synthetic"]),
                start=parse_ms(tree["from"]),
                end=parse_ms(tree["to"]),
                window_days=int(tree["window_days"]),
                days=int(tree["days"]),
                checked_at=parse_ms(tree["checked_at"]),
                verdict=_one_of(tree["verdict"], get_args(Verdict)),
                alarms=tuple(
                    DriftAlarm(one["detector"], parse_ms(one["since"]), str(one["found"])) for one in tree["alarms"]
                ),
                alarm_days={str(name): int(days) for name, days in tree["alarm_days"].items()},
                features=tuple(
                    FeatureDrift(str(one["name"]), *(float(one[key]) for key in ("psi", "psi_limit", "ks", "ks_limit")))
                    for one in tree["features"]
                ),
                skill=_score(tree["skill"]),
                calibration=_score(tree["calibration"]),
                rise=_rise(tree["log_loss_rise"]),
                chance=float(tree["chance"]),
                action=_one_of(tree["action"], get_args(DriftAction)),
                lacking={str(part): str(why) for part, why in tree["lacking"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError, QuorateError) as error:
            raise DataError(
                attempted,
                found=f"a document that is no check for drift ({error})",
                expected="what `quorate drift` wrote",
                remedy="Check again: quorate drift.",
            ) from error


def _one_of(value: Any, values: tuple[Any, ...]) -> Any:
    if value not in values:
        raise ValueError(f"{value!r}, which is none of {', '.join(values)}")
    return value


def _score_json(score: ScoreDrift | None) -> dict[str, Any] | None:
    if score is None:
        return None
    return {
        "value": score.value,
        "interval": None if score.interval is None else list(score.interval),
        "limit": score.limit,
        "at_training": score.at_training,
        "alarm": score.alarm,
    }


def _score(tree: Mapping[str, Any] | None) -> ScoreDrift | None:
    if tree is None:
        return None
    ends = tree["interval"]
    interval = None if ends is None else (float(ends[0]), float(ends[1]))
    return ScoreDrift(
        float(tree["value"]), interval, float(tree["limit"]), float(tree["at_training"]), bool(tree["alarm"])
    )


def _rise_json(rise: LogLossRise) -> dict[str, Any]:
    return {
        "at": iso_ms(rise.at),
        "since": iso_ms(rise.since),
        "before": rise.before,
        "after": rise.after,
        "alarm": rise.alarm,
    }


def _rise(tree: Mapping[str, Any] | None) -> LogLossRise | None:
    if tree is None:
        return None
    return LogLossRise(
        parse_ms(tree["at"]), parse_ms(tree["since"]), float(tree["before"]), float(tree["after"]), bool(tree["alarm"])
    )
