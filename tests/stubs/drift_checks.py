"""A check for drift, to be altered by tests."""

from dataclasses import replace

from quorate.core.clock import DAY_MS
from quorate.evaluation.drift.drift_check import DriftAlarm, DriftCheck, FeatureDrift, LogLossRise, ScoreDrift

_DAY = 20_000 * DAY_MS

QUIET = DriftCheck(
    bundle="0123456789abcdef",
    timeframe="1h",
    symbols=("BTC/USDT:USDT",),
    missing=(),
    synthetic=False,
    start=_DAY - 40 * DAY_MS,
    end=_DAY,
    window_days=14,
    days=40,
    checked_at=_DAY,
    verdict="quiet",
    alarms=(),
    alarm_days={"features": 0, "skill": 0, "calibration": 3},
    features=(FeatureDrift("rsi_14", 0.2, 0.8, 0.1, 0.4), FeatureDrift("price_change", 0.1, 0.7, 0.05, 0.3)),
    skill=ScoreDrift(0.03, (0.01, 0.05), -0.01, 0.04, alarm=False),
    calibration=ScoreDrift(0.02, None, 0.09, 0.01, alarm=False),
    rise=None,
    chance=0.1,
    action="tell",
)

DRIFTING = replace(
    QUIET,
    verdict="drifting",
    alarms=(
        DriftAlarm("log_loss", _DAY - 9 * DAY_MS, "log-loss from 0.900 to 1.100"),
        DriftAlarm("features", _DAY - 2 * DAY_MS, "1 of 2 features"),
    ),
    features=(FeatureDrift("rsi_14", 0.9, 0.8, 0.1, 0.4), *QUIET.features[1:]),
    rise=LogLossRise(_DAY - 5 * DAY_MS, _DAY - 9 * DAY_MS, 0.9, 1.1, alarm=True),
)
