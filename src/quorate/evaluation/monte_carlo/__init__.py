"""Monte Carlo: the account with its trades in other orders, and on resampled days of the market."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.evaluation.monte_carlo.resampled_accounts import MonteCarlo as MonteCarlo
    from quorate.evaluation.monte_carlo.resampled_accounts import ResampledAccounts as ResampledAccounts
    from quorate.evaluation.monte_carlo.resampled_accounts import monte_carlo as monte_carlo
else:
    __getattr__, __all__ = deferred(__name__, {"resampled_accounts": "MonteCarlo ResampledAccounts monte_carlo"})
