"""Every error Quorate raises on purpose.

    QuorateError
    ├── SettingsError             quorate.toml or the environment
    ├── ArgumentError             arguments of a call that contradict each other or are missing
    ├── MissingExtraError         an optional library is not installed
    ├── DataError                 candles on disk or in memory
    │   ├── CandleError           a row that cannot be true: file, row and value named
    │   ├── UnknownSymbolError    no such market in this folder
    │   ├── UnknownTimeframeError
    │   ├── TooLittleHistoryError
    │   └── ExchangeError         an exchange that could not be asked
    │       ├── UnknownExchangeError
    │       ├── ExchangeDownError     no answer, too many requests, or its own fault: may work later
    │       ├── ExchangeAnswerError   an answer that is none
    │       └── ExchangeRefusedError  it understood, and said no
    ├── FeatureError              an unknown set or column
    ├── TargetError               labels and splits
    ├── ModelError                a member could not be built, fitted, saved or loaded
    │   └── ContractError         a member that breaks a promise of the contract
    ├── VoteError                 votes that cannot be counted
    ├── BundleError               a trained ensemble on disk is not what it says it is
    │   └── TrainingSpanError     bars that the ensemble was trained on
    ├── TradingError              an order, a cost or an account that makes no sense
    │   └── GuardError            what a guard or the ladder does not let a person do
    ├── JournalError              a journal that cannot be right, or records that do not fit it
    │   ├── JournalUnavailableError   locked, disk full, connection lost: nothing is written, try again
    │   └── JournalTakenError     another session writes this account
    ├── FreqtradeError            a strategy that cannot run as Freqtrade is configured
    └── EvaluationError           labels, scores and results that cannot be judged together

A message says what was attempted, what was found, what was expected, and the remedy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class QuorateError(Exception):
    """Base of every deliberate error.

    Args:
        attempted: what was being done, continuing "could not ...".
        found: what was there.
        expected: what would have been right.
        remedy: what the user can do now, a whole sentence.
    """

    def __init__(self, attempted: str, *, found: str = "", expected: str = "", remedy: str = "") -> None:
        self.attempted = attempted
        self.found = found
        self.expected = expected
        self.remedy = remedy
        super().__init__(attempted)

    def __reduce__(self) -> tuple[Any, ...]:
        # An error of a worker process has to arrive whole.
        return _again, (type(self), self.attempted, self.found, self.expected, self.remedy)

    def __str__(self) -> str:
        message = f"could not {self.attempted}"
        clauses = [f"found {self.found}" if self.found else "", f"expected {self.expected}" if self.expected else ""]
        detail = "; ".join(clause for clause in clauses if clause)
        if detail:
            message += f": {detail}"
        return f"{message}. {self.remedy}" if self.remedy else f"{message}."


def _again(kind: type[QuorateError], attempted: str, found: str, expected: str, remedy: str) -> QuorateError:
    return kind(attempted, found=found, expected=expected, remedy=remedy)


class SettingsError(QuorateError, ValueError):
    """A setting is unknown, of the wrong type, or out of range."""


class ArgumentError(QuorateError, ValueError):
    """Arguments that are missing or contradict each other.

    Texts name arguments in backquotes, such as `start`; the command line puts its own flags there.
    """


class MissingExtraError(QuorateError, ImportError):
    """An optional library is needed for this and is not installed."""


class DataError(QuorateError):
    """Candles, funding or mark prices could not be read, written or used."""


class CandleError(DataError):
    """A candle that cannot be true; names the file, the row and the value."""


class UnknownSymbolError(DataError, KeyError):
    """No such market in this folder."""

    __str__ = QuorateError.__str__


class UnknownTimeframeError(DataError, ValueError):
    """A timeframe that is not written as a number and one of m, h, d, w."""


class TooLittleHistoryError(DataError):
    """Fewer bars than the features or the label need."""


class ExchangeError(DataError):
    """An exchange could not be asked, or did not answer as it should."""


class UnknownExchangeError(ExchangeError, ValueError):
    """Not one of the exchanges that ccxt knows."""


class ExchangeDownError(ExchangeError):
    """No answer after the allowed number of attempts: the network, an overload, or a fault of the exchange's own."""


class ExchangeAnswerError(ExchangeError):
    """An answer that is not what the exchange promises, such as half a document, each time it was asked."""


class ExchangeRefusedError(ExchangeError):
    """The exchange understood the request and refused it: asking again would not help."""


class FeatureError(QuorateError, ValueError):
    """An unknown feature set or column, or features in another order than trained."""


class TargetError(QuorateError, ValueError):
    """Labels or splits that cannot be made as asked."""


class ModelError(QuorateError):
    """A member could not be built, fitted, exported or run."""


class ContractError(ModelError, AssertionError):
    """A member breaks a promise that every member makes."""


class VoteError(QuorateError, ValueError):
    """Votes that cannot be counted: twice the same model, a score outside 0 to 1."""


class BundleError(QuorateError):
    """A bundle is missing, altered, or made for something else."""


class TrainingSpanError(BundleError):
    """Bars inside the span the bundle was trained on."""


class TradingError(QuorateError, ValueError):
    """An account, cost or order that makes no sense."""


class GuardError(TradingError):
    """A guard that may not be re-armed, or a step of the ladder that has not been earned."""


class JournalError(QuorateError):
    """A journal that is damaged or of another version, or records that contradict what it holds."""


class JournalUnavailableError(JournalError):
    """The journal cannot be reached or written now; the same call may succeed later, and is then done once."""


class JournalTakenError(JournalError):
    """Another session writes this account: there is one writer at a time."""


class FreqtradeError(QuorateError, ValueError):
    """A strategy that cannot run as Freqtrade is configured, or a frame that it cannot read."""


class EvaluationError(QuorateError, ValueError):
    """Labels, scores and results that cannot be judged together: other lengths, classes or times."""


def close_match(word: str, known: Iterable[str]) -> str:
    """'Did you mean X?' for a mistyped word, or an empty string.

    >>> close_match("lightgmb", ["xgboost", "lightgbm"])
    "Did you mean 'lightgbm'?"
    """
    from difflib import get_close_matches  # here, because most words are spelled right

    folded = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(word.lower(), list(folded), n=1, cutoff=0.6)
    return f"Did you mean '{folded[near[0]]}'?" if near else ""
