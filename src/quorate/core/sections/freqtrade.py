"""Settings of the Freqtrade integration; the `quorate` section of Freqtrade's configuration takes precedence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from quorate.core.errors import SettingsError
from quorate.core.sections.section import Section, require

Fallback = Literal["none", "rules"]
Stake = Literal["config", "confidence", "risk"]
Opposite = Literal["spot", "always", "never"]
Tag = Literal["auto", "vote", "consensus"]
Guarded = Literal["live", "always", "never"]


@dataclass(frozen=True, slots=True)
class FreqtradeSettings(Section):
    """Trading in Freqtrade. Relative paths start at Freqtrade's user_data."""

    bundle: str = "quorate/bundles"  # a bundle, or a folder of bundles, whose champion is used
    policy: str = ""  # classic, calibrated, consensus or closed; empty for the bundle's policy
    allow_training_span: bool = False  # allow entries on bars of the bundle's training span
    unseen_pairs: bool = False  # allow entries in pairs that the bundle was not trained on
    fallback: Fallback = "none"  # rules: trade by rules where there is no bundle
    leverage: float = 5.0  # maximum; the exchange's tiers and the stop may lower it
    stake: Stake = "config"  # confidence: that share of the configured stake; risk: account.risk to the stop
    leave_on_opposite: Opposite = "spot"  # where an opposite decision closes a position
    guards: Guarded = "live"  # live: in dry-run and live trading; always: in backtests too
    journal: str = "quorate/guards.jsonl"  # state of the guards that Freqtrade's trades do not hold
    tag: Tag = "auto"  # of an entry; vote: in one line; consensus: that alone; auto: vote, in backtests without scores
    cache: str = "quorate/cache"  # predictions of backtests; empty disables it

    def __post_init__(self) -> None:
        require("freqtrade", "leverage", self.leverage, 1, 125)
        for name, known in (
            ("fallback", Fallback),
            ("stake", Stake),
            ("leave_on_opposite", Opposite),
            ("guards", Guarded),
            ("tag", Tag),
        ):
            if getattr(self, name) not in get_args(known):
                raise SettingsError(
                    f"use the setting freqtrade.{name}",
                    found=repr(getattr(self, name)),
                    expected=", ".join(get_args(known)),
                )
