"""Strategy that trades a stack on 4h bars."""

from __future__ import annotations

from typing import Any

from quorate.core.errors import FreqtradeError
from quorate.integrations.freqtrade.strategies.vote_strategy import QuorateVoteStrategy


class QuorateHybridStrategy(QuorateVoteStrategy):
    """Trades a bundle of the recipe `stack`: enters where the predicted return exceeds the cost of a round trip."""

    timeframe = "4h"

    def bot_start(self, **kwargs: Any) -> None:
        """Load the bundle; it has to be a stack.

        Raises:
            FreqtradeError: no bundle, or one of another recipe.
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
