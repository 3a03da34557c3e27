"""The answer of an evaluation or a backtest in sentences."""

from quorate.evaluation.verdict.no_trades import training_verdict, why_no_signal
from quorate.evaluation.verdict.verdict import Verdict, verdict_of, with_verdict

__all__ = ["Verdict", "training_verdict", "verdict_of", "why_no_signal", "with_verdict"]
