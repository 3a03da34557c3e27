"""Baselines on the same bars: naive ones, strategies, random entries, and alternative configurations."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.evaluation.baselines.account_comparison import AccountBaselines as AccountBaselines
    from quorate.evaluation.baselines.account_comparison import account_baselines as account_baselines
    from quorate.evaluation.baselines.comparison import baseline_figures as baseline_figures
    from quorate.evaluation.baselines.configurations import Configuration as Configuration
    from quorate.evaluation.baselines.configurations import apply_policy as apply_policy
    from quorate.evaluation.baselines.configurations import return_matrix as return_matrix
    from quorate.evaluation.baselines.configurations import vote_configurations as vote_configurations
    from quorate.evaluation.baselines.naive import always_hold as always_hold
    from quorate.evaluation.baselines.naive import buy_and_hold as buy_and_hold
    from quorate.evaluation.baselines.naive import class_prior as class_prior
    from quorate.evaluation.baselines.policy_comparison import policy_rows as policy_rows
    from quorate.evaluation.baselines.random_entries import EquityBand as EquityBand
    from quorate.evaluation.baselines.random_entries import equity_band as equity_band
    from quorate.evaluation.baselines.random_entries import random_accounts as random_accounts
    from quorate.evaluation.baselines.random_entries import random_draws as random_draws
    from quorate.evaluation.baselines.random_entries import random_entry_figures as random_entry_figures
    from quorate.evaluation.baselines.strategies import BaselineStrategy as BaselineStrategy
    from quorate.evaluation.baselines.strategies import SingleModel as SingleModel
    from quorate.evaluation.baselines.strategies import momentum_strategy as momentum_strategy
    from quorate.evaluation.baselines.strategies import rules_strategy as rules_strategy
    from quorate.evaluation.baselines.strategies import single_model_strategy as single_model_strategy
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "account_comparison": "AccountBaselines account_baselines",
            "comparison": "baseline_figures",
            "configurations": "Configuration apply_policy return_matrix vote_configurations",
            "naive": "always_hold buy_and_hold class_prior",
            "policy_comparison": "policy_rows",
            "random_entries": "EquityBand equity_band random_accounts random_draws random_entry_figures",
            "strategies": "BaselineStrategy SingleModel momentum_strategy rules_strategy single_model_strategy",
        },
    )
