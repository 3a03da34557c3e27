"""Strategy that trades a stack on 4h bars, with a panel of language models where one is configured."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import numpy as np
from pandas import DataFrame

from quorate.core.clock import newest_closed_ms
from quorate.core.errors import FreqtradeError
from quorate.integrations.freqtrade.guarding.trade_records import datetime_ms
from quorate.integrations.freqtrade.inference.entry_judge import EntryJudge, entry_judge, judged_tags
from quorate.integrations.freqtrade.inference.signal_columns import PREFIX
from quorate.integrations.freqtrade.strategies.vote_strategy import FORCED, QuorateVoteStrategy

_log = logging.getLogger(__name__)


class QuorateHybridStrategy(QuorateVoteStrategy):
    """Trades a bundle of the recipe `stack`: enters where the predicted return exceeds the cost of a round trip.

    Where the settings name a provider in [llm], a panel of language models judges each entry: MODERATE and stronger
    enter, at the share of the ordinary stake that the panel leaves; others do not. It changes no exit and no stop.
    """

    timeframe = "4h"

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.entry_judge: EntryJudge | None = None

    def bot_start(self, **kwargs: Any) -> None:
        """Load the bundle, which has to be a stack, and open the panel.

        Raises:
            FreqtradeError: no bundle, or one of another recipe.
            JournalError: the database with the providers' costs cannot be used.
            MissingExtraError: a library of the panel is not installed.
        """
        super().bot_start(**kwargs)
        bundle = self.source.bundle
        if bundle is not None and bundle.manifest.recipe != "stack":
            raise FreqtradeError(
                f"start {type(self).__name__} with the bundle {self.source.id}",
                found=f"the recipe '{bundle.manifest.recipe}'",
                expected="'stack'",
                remedy="Train one with `quorate train --recipe stack`, or use QuorateVoteStrategy.",
            )
        self.entry_judge = entry_judge(self.options)

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Enter where the stack decides and the panel leaves a stake; the tag of a very strong entry begins with it."""
        frame = super().populate_entry_trend(dataframe, metadata)
        if self.entry_judge is None:
            return frame
        pair = metadata["pair"]
        columns = self.entry_judge.columns(pair, self.forecaster.latest(pair))
        strength = columns.get(f"{PREFIX}panel", np.full(len(frame), "", dtype=object))
        share = columns.get(f"{PREFIX}panel_share", np.zeros(len(frame)))
        frame[f"{PREFIX}panel"], frame[f"{PREFIX}panel_share"] = strength, share
        for side in ("enter_long", "enter_short"):
            frame[side] = np.where(share > 0, frame[side].to_numpy(), 0)
        frame["enter_tag"] = judged_tags(frame["enter_tag"].tolist(), strength, share)
        return frame

    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_stake: float,
        min_stake: float | None,
        max_stake: float,
        leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Return the share that the panel leaves of the ordinary stake; a forced entry has all of it."""
        amounts = current_rate, proposed_stake, min_stake, max_stake, leverage
        ordinary = super().custom_stake_amount(pair, current_time, *amounts, entry_tag, side, **kwargs)
        return ordinary * self._share(pair, current_time, entry_tag)

    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """Allow an entry that the ordinary strategy allows and the panel leaves a stake."""
        if self._share(pair, current_time, entry_tag) == 0:
            _log.warning("no entry in %s: the panel leaves it no stake, or did not judge it", pair)
            return False
        order = order_type, amount, rate, time_in_force
        return super().confirm_trade_entry(pair, *order, current_time, entry_tag, side, **kwargs)

    def _share(self, pair: str, current_time: datetime, entry_tag: str | None) -> float:
        if self.entry_judge is None or entry_tag == FORCED:
            return 1.0
        return self.entry_judge.share(pair, newest_closed_ms(self.timeframe, datetime_ms(current_time)))
