"""Stake of one trade: as configured, by confidence, or by the loss at its stop; a share of it while a bundle drifts."""

from __future__ import annotations

import logging
from typing import Any

from quorate.core.errors import QuorateError
from quorate.core.sections.drift import DriftSettings
from quorate.ensemble.inference import Predictor
from quorate.evaluation.drift import StoredDrift
from quorate.integrations.freqtrade.strategy_options import StrategyOptions
from quorate.trading import CONSERVATIVE_TIERS, MarginTiers
from quorate.trading.account.costs import loss_at_stop
from quorate.trading.drift_state import NO_DRIFT

_log = logging.getLogger(__name__)


class ShrunkStakes:
    """Share of the ordinary stake by the newest check for drift of the bundle in use.

    Args:
        settings: action and share.
    """

    def __init__(self, settings: DriftSettings) -> None:
        self._settings = settings
        self._of: tuple[str, StoredDrift] | None = None
        self._now = NO_DRIFT

    def factor(self, bundle: Predictor | None, close: int) -> float:
        """The share from the close of a bar on, ms; a change is logged with its reason.

        Args:
            bundle: None where rules decide, or models of FreqAI: nothing watches them.
            close: ms.
        """
        if bundle is None:
            return 1.0
        newest = bundle.newest
        if self._of is None or self._of[0] != newest.id:
            self._of = newest.id, StoredDrift(newest.folder, newest.id, self._settings)
        found = self._of[1](close)
        if found is not None and found.stake_factor != self._now.stake_factor:
            _log.warning(
                "stakes of new entries: from %.0f %% to %.0f %% of the ordinary ones: %s",
                *(100 * self._now.stake_factor, 100 * found.stake_factor, found.reason),
            )
        self._now = self._now if found is None else found
        return self._now.stake_factor


def stake(
    options: StrategyOptions,
    *,
    proposed: float,
    confidence: float,
    atr: float,
    price: float,
    side: int,
    leverage: float,
    equity: float,
) -> float:
    """Compute the stake of one trade, in the stake currency; Freqtrade applies its own limits to it.

    Args:
        options: the setting `stake` selects the method.
        proposed: stake that Freqtrade proposes.
        confidence: of the decision, 0 to 1.
        atr: ATR(14) in price units.
        price: of the entry.
        side: 1 long, -1 short.
        leverage: of the trade.
        equity: of the account, in the stake currency.

    Returns:
        With `confidence`, that share of the proposed stake. With `risk`, the margin at which the stop loses the
        fraction `account.risk` of equity, fees and slippage included; at most equity / `account.positions`. With
        `config`, and without an ATR, the proposed stake.
    """
    if options.freqtrade.stake == "confidence":
        return proposed * min(1.0, max(0.0, confidence))
    if options.freqtrade.stake == "risk" and atr > 0:
        account, settings = options.settings.account, options.settings
        stop = price - side * settings.exits.stop_atr * atr
        loss = loss_at_stop(price, stop, side, settings.costs)
        share = equity / account.positions
        return share if loss <= 0 else min(account.risk * equity / loss * price / leverage, share)
    return proposed


def margin_tiers(provider: Any, pair: str) -> MarginTiers:
    """Margin tiers of the exchange, from Freqtrade; conservative ones if it has none.

    Args:
        provider: Freqtrade's data provider.
        pair: Freqtrade's name.
    """
    exchange = getattr(provider, "_exchange", None)
    rows = getattr(exchange, "_leverage_tiers", {}).get(pair)
    if not rows:
        return CONSERVATIVE_TIERS
    try:
        return MarginTiers.from_ccxt(_tier(row) for row in rows)
    except QuorateError as error:
        _log.warning("%s: the exchange's leverage tiers are not used: %s", pair, error)
        return CONSERVATIVE_TIERS


def _tier(row: dict[str, Any]) -> dict[str, Any]:
    """A row of Freqtrade's table in ccxt's names; without a maximum it is unlimited."""
    maximum = row.get("maxNotional")
    return {
        "maxNotional": float("inf") if maximum is None else maximum,
        "maintenanceMarginRate": row.get("maintenanceMarginRate"),
        "maxLeverage": row.get("maxLeverage"),
    }
