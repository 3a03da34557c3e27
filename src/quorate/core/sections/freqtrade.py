"""How a bundle trades inside Freqtrade; the `quorate` section of Freqtrade's own configuration comes before these."""

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
    """Relative paths count from Freqtrade's user_data."""

    bundle: str = "quorate/bundles"  # a bundle, or a folder of them for its champion
    policy: str = ""  # classic or calibrated instead of the policy that the bundle chose
    allow_training_span: bool = False  # entries on bars that the bundle was trained on
    unseen_pairs: bool = False  # entries in pairs that it was not trained on
    fallback: Fallback = "none"  # rules: they trade where there is no bundle at all
    leverage: float = 5.0  # most; the exchange's tiers and the stop may lower it
    stake: Stake = "config"  # confidence: that share of the configured stake; risk: account.risk to the stop
    leave_on_opposite: Opposite = "spot"  # where a decision the other way closes a position
    guards: Guarded = "live"  # live: in dry-run and live trading; always: in backtests too
    journal: str = "quorate/guards.jsonl"  # what the guards have to remember besides Freqtrade's own trades
    tag: Tag = "auto"  # of an entry: the vote in one line; in backtests without scores, so that reports can add it up
    cache: str = "quorate/cache"  # predictions of backtests; empty: none on disk

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
