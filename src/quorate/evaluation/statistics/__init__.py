"""Statistics: block bootstrap, Diebold-Mariano test, deflated Sharpe ratio, PBO, and the trial log."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.evaluation.statistics.block_bootstrap import TimeBlocks as TimeBlocks
    from quorate.evaluation.statistics.deflated_sharpe import Deflation as Deflation
    from quorate.evaluation.statistics.deflated_sharpe import Moments as Moments
    from quorate.evaluation.statistics.deflated_sharpe import expected_best_sharpe as expected_best_sharpe
    from quorate.evaluation.statistics.deflated_sharpe import probabilistic_sharpe as probabilistic_sharpe
    from quorate.evaluation.statistics.diebold_mariano import DieboldMariano as DieboldMariano
    from quorate.evaluation.statistics.diebold_mariano import by_period as by_period
    from quorate.evaluation.statistics.pbo import Overfitting as Overfitting
    from quorate.evaluation.statistics.pbo import backtest_overfitting as backtest_overfitting
    from quorate.evaluation.statistics.pbo import degradation as degradation
    from quorate.evaluation.statistics.pbo import fitting_blocks as fitting_blocks
    from quorate.evaluation.statistics.rank_correlation import average_ranks as average_ranks
    from quorate.evaluation.statistics.rank_correlation import spearman as spearman
    from quorate.evaluation.statistics.student_t import two_sided as two_sided
    from quorate.evaluation.statistics.trial_log import Trial as Trial
    from quorate.evaluation.statistics.trial_log import TrialHistory as TrialHistory
    from quorate.evaluation.statistics.trial_log import TrialLog as TrialLog
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "block_bootstrap": "TimeBlocks",
            "deflated_sharpe": "Deflation Moments expected_best_sharpe probabilistic_sharpe",
            "diebold_mariano": "DieboldMariano by_period",
            "pbo": "Overfitting backtest_overfitting degradation fitting_blocks",
            "rank_correlation": "average_ranks spearman",
            "student_t": "two_sided",
            "trial_log": "Trial TrialHistory TrialLog",
        },
    )
