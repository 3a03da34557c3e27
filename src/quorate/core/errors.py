"""Exceptions of Quorate.

    QuorateError
    ├── SettingsError             quorate.toml or the environment
    ├── ArgumentError             arguments that are missing or contradict each other
    ├── MissingExtraError         an optional library is not installed
    ├── DataError                 candles on disk or in memory
    │   ├── CandleError           an invalid row; file, row and value are named
    │   ├── UnknownSymbolError    no such market in this source
    │   ├── UnknownTimeframeError
    │   ├── TooLittleHistoryError
    │   └── ExchangeError         a request to an exchange failed
    │       ├── UnknownExchangeError
    │       ├── ExchangeDownError     no response, rate limit or server error: may work later
    │       ├── ExchangeAnswerError   invalid response
    │       └── ExchangeRefusedError  request refused: retrying does not help
    ├── FeatureError              an unknown set or column
    ├── TargetError               labels and splits
    ├── ModelError                a member could not be built, fitted, saved or loaded
    │   ├── ContractError         a member that violates the contract of models
    │   └── PretrainingError      bars that the pretrained weights of a member may know
    ├── VoteError                 invalid votes
    ├── PanelError                the panel of language models: replies, providers, recordings
    │   └── RecordingError        a recorded reply that is missing, altered or of a bar that its model may know
    ├── BundleError               a bundle is missing, altered or incompatible
    │   └── TrainingSpanError     bars inside the training span
    ├── BookError                 a book: its sleeves, its panel, its weights
    ├── TradingError              an invalid order, cost or account
    │   └── GuardError            an action that a guard or the ladder does not allow
    ├── JournalError              a damaged journal, or records that contradict it
    │   ├── UnknownAccountError   no such account in this journal
    │   ├── JournalUnavailableError   locked, disk full, connection lost: nothing is written, try again
    │   └── JournalTakenError     another session writes this account
    ├── AccessError               the service's token, address or access log cannot be used
    ├── FreqtradeError            a strategy that cannot run with this Freqtrade configuration
    ├── EvaluationError           labels, scores and results that do not match
    ├── WorkerError               a process that works for this one ended or failed
    ├── ShardError                a market that another one of several services answers for
    └── OverloadedError           more requests than a service can answer now: try again

A message states what was attempted, what was found, what was expected, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from quorate.core.redaction import redact


class QuorateError(Exception):
    """Base of all errors that Quorate raises.

    Args:
        attempted: the action that failed, continuing "could not ...".
        found: the value or state that was found.
        expected: the value or state that is valid.
        remedy: what to do now, a whole sentence.
    """

    def __init__(self, attempted: str, *, found: str = "", expected: str = "", remedy: str = "") -> None:
        # Texts of others, such as an exchange's response, may hold keys and passwords. What is no text becomes one: an
        # error must not fail where it is made.
        self.attempted, self.found, self.expected, self.remedy = (
            redact(str(part)) for part in (attempted, found, expected, remedy)
        )
        super().__init__(self.attempted)

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled whole, so that an error of a worker process keeps its parts.
        return _rebuild, (type(self), self.attempted, self.found, self.expected, self.remedy)

    def __str__(self) -> str:
        message = f"could not {self.attempted}"
        clauses = [f"found {self.found}" if self.found else "", f"expected {self.expected}" if self.expected else ""]
        detail = "; ".join(clause for clause in clauses if clause)
        if detail:
            message += f": {detail}"
        return f"{message}. {self.remedy}" if self.remedy else f"{message}."


def _rebuild(kind: type[QuorateError], attempted: str, found: str, expected: str, remedy: str) -> QuorateError:
    return kind(attempted, found=found, expected=expected, remedy=remedy)


class SettingsError(QuorateError, ValueError):
    """A setting that is unknown, of the wrong type or out of range."""


class ArgumentError(QuorateError, ValueError):
    """Arguments that are missing or contradict each other.

    Messages name arguments in backquotes, such as `start`; the command line shows its flags instead.
    """


class MissingExtraError(QuorateError, ImportError):
    """An optional library that is needed and not installed."""


class DataError(QuorateError):
    """Candles, funding or mark prices could not be read, written or used."""


class CandleError(DataError):
    """An invalid candle; the message names the file, the row and the value."""


class UnknownSymbolError(DataError, KeyError):
    """No such market in this source."""

    __str__ = QuorateError.__str__


class UnknownTimeframeError(DataError, ValueError):
    """A timeframe that is not a number and one of m, h, d, w, or that a market does not have."""


class TooLittleHistoryError(DataError):
    """Fewer bars than features or labels need."""


class ExchangeError(DataError):
    """A request to an exchange failed, or its response is invalid."""


class UnknownExchangeError(ExchangeError, ValueError):
    """Not an exchange of ccxt."""


class ExchangeDownError(ExchangeError):
    """No response after all attempts: the network, a rate limit or an error of the server."""


class ExchangeAnswerError(ExchangeError):
    """An invalid response, such as a truncated document, on every attempt."""


class ExchangeRefusedError(ExchangeError):
    """The exchange refused the request; retrying does not help."""


class FeatureError(QuorateError, ValueError):
    """An unknown feature set or column, or features in another order than in training."""


class TargetError(QuorateError, ValueError):
    """Invalid parameters of labels, splits or folds, or too few rows for them."""


class ModelError(QuorateError):
    """A member could not be built, fitted, exported or run."""


class ContractError(ModelError, AssertionError):
    """A member that violates the contract of models."""


class PretrainingError(ModelError):
    """A walk-forward over bars that the pretrained weights of a member may know."""


class VoteError(QuorateError, ValueError):
    """Invalid votes: a model that votes twice, a score outside 0 to 1."""


class PanelError(QuorateError, ValueError):
    """Replies, providers or recordings of the panel of language models that cannot be used."""


class RecordingError(PanelError):
    """A recorded reply that is missing or altered, or of a bar that its model may know."""


class BundleError(QuorateError):
    """A bundle that is missing, altered or incompatible."""


class TrainingSpanError(BundleError):
    """Bars inside the training span of a bundle."""


class BookError(QuorateError, ValueError):
    """A book: its sleeves, its panel or its weights."""


class TradingError(QuorateError, ValueError):
    """An invalid account, cost or order."""


class GuardError(TradingError):
    """A guard that cannot be re-armed, or a step of the ladder whose conditions are not met."""


class JournalError(QuorateError):
    """A journal that is damaged or of another version, or records that contradict it."""


class UnknownAccountError(JournalError):
    """No journal, no account of that name in it, or one without a session."""


class JournalUnavailableError(JournalError):
    """The journal cannot be reached or written now. Nothing was written: the same call can be repeated."""


class JournalTakenError(JournalError):
    """Another session writes this account; an account has one writer at a time."""


class AccessError(QuorateError):
    """The service's token or address cannot be used, or a request to it is refused."""


class FreqtradeError(QuorateError, ValueError):
    """A strategy that cannot run with this Freqtrade configuration, or a frame that it cannot read."""


class EvaluationError(QuorateError, ValueError):
    """Labels, scores and results that do not match: different lengths, classes or times."""


class WorkerError(QuorateError, RuntimeError):
    """A process that does a part of the work ended in the middle of it, or failed in a way that cannot be passed on."""


class ShardError(QuorateError):
    """A market of another shard than the service's; the message names the shard."""


class OverloadedError(QuorateError):
    """More requests than a service can answer now. Nothing was done: the same request can be sent again."""


def close_match(word: str, known: Iterable[str]) -> str:
    """Suggest a known word for a mistyped one: "Did you mean 'X'?", or an empty string.

    >>> close_match("lightgmb", ["xgboost", "lightgbm"])
    "Did you mean 'lightgbm'?"
    """
    from difflib import get_close_matches  # here: needed for mistyped words only

    if not isinstance(word, str):
        return ""
    folded = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(word.lower(), list(folded), n=1, cutoff=0.6)
    return f"Did you mean '{folded[near[0]]}'?" if near else ""
