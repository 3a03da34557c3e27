"""Trial log: an append-only file with one JSON line for every configuration that was evaluated.

The deflated Sharpe ratio needs the number of all trials. Lines are appended under a lock and flushed to disk, so that
several processes can share one log and a crash loses at most the line being written. Lines that are not a trial are
counted, skipped and named in a warning. Unknown fields of later versions are ignored.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.errors import EvaluationError
from quorate.core.regular_files import open_to_append, read_regular
from quorate.core.untrusted_json import MISSHAPEN, parse_json
from quorate.evaluation.statistics.deflated_sharpe import Moments

_log = logging.getLogger(__name__)

# Limits of a line: its size, and the days of an account.
_LINE_BYTES = 1 << 20
_MOST_OBSERVATIONS = 10_000_000

# Skipped lines that a warning names.
_NAMED = 3

_REMEDY = "Set another file with evaluation.ledger in quorate.toml, or with QUORATE_EVALUATION__LEDGER."


@dataclass(frozen=True, slots=True)
class Trial:
    """One evaluated configuration and its result.

    Attributes:
        time: of the evaluation, ISO 8601, UTC.
        code: version of the program.
        verb: command that evaluated it, such as "evaluate".
        name: in the report.
        configuration: all choices: members, features, target, policy, settings, markets, span, folds.
        data: hash of the candles, funding and mark prices.
        synthetic: the candles are of the synthetic market; real and synthetic trials are counted separately.
        moments: of the account's daily returns; the Sharpe ratio is of one day, not annualised.
        headline: a few figures of the result.
    """

    time: str
    code: str
    verb: str
    name: str
    configuration: Mapping[str, Any]
    data: str
    synthetic: bool
    moments: Moments
    headline: Mapping[str, Any]

    @property
    def id(self) -> str:
        """16 hex digits, the hash of the configuration: equal configurations are one trial."""
        text = json.dumps(self.configuration, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Document of one line of the trial log."""
        moments = self.moments
        return {
            "id": self.id,
            "time": self.time,
            "code": self.code,
            "verb": self.verb,
            "name": self.name,
            "synthetic": self.synthetic,
            "data": self.data,
            "configuration": dict(self.configuration),
            "sharpe": _finite(moments.sharpe),
            "observations": moments.n,
            "skewness": _finite(moments.skewness),
            "kurtosis": _finite(moments.kurtosis),
            "headline": dict(self.headline),
        }

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Trial:
        """Parse the document of one line.

        Raises:
            KeyError, TypeError, ValueError, OverflowError: the document is not a trial.
        """
        observations = line["observations"]
        if type(observations) is not int or not 0 <= observations <= _MOST_OBSERVATIONS:
            raise ValueError(f"{ascii(observations)[:40]} observations")
        return cls(
            time=str(line["time"]),
            code=str(line["code"]),
            verb=str(line["verb"]),
            name=str(line["name"]),
            configuration=dict(line["configuration"]),
            data=str(line["data"]),
            synthetic=bool(line["synthetic"]),
            moments=Moments(
                _number(line["sharpe"]), observations, _number(line["skewness"]), _number(line["kurtosis"])
            ),
            headline=dict(line["headline"]),
        )


@dataclass(frozen=True, slots=True)
class TrialHistory:
    """Content of a trial log.

    Attributes:
        trials: in the order they were recorded.
        torn: number of lines that are not a trial: incomplete ones after a crash, or foreign text.
    """

    trials: tuple[Trial, ...]
    torn: int = 0

    def distinct(self, *, synthetic: bool) -> tuple[Trial, ...]:
        """The latest trial of each configuration, of real markets or of the synthetic market."""
        newest = {trial.id: trial for trial in self.trials if trial.synthetic == synthetic}
        return tuple(newest.values())


class TrialLog:
    """A trial log file.

    Args:
        path: created with its folder when the first trial is recorded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def require_writable(self) -> None:
        """Check that the file can be written, before long work whose result has to be recorded.

        Raises:
            EvaluationError: the file cannot be written.
        """
        os.close(self._open())

    def record(self, trials: Sequence[Trial]) -> None:
        """Append trials under an exclusive lock and flush them to disk.

        Raises:
            EvaluationError: the file cannot be written.
        """
        lines = "".join(f"{json.dumps(trial.to_json(), allow_nan=False)}\n" for trial in trials)
        descriptor = self._open()
        import fcntl  # imported here: not every system has it, and reading needs no lock

        size: int | None = None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            # An incomplete last line stays a line of its own.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            rest = ("\n" * torn + lines).encode()
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        except OSError as error:
            if size is not None:
                with suppress(OSError):  # a part of a line that stays is skipped by readers
                    os.ftruncate(descriptor, size)
            raise self._refusal(error) from error
        finally:
            os.close(descriptor)

    def read(self) -> TrialHistory:
        """Read all trials; none if the file does not exist yet.

        Raises:
            EvaluationError: the file cannot be read.
        """
        try:
            lines = read_regular(self.path).splitlines()
        except FileNotFoundError:
            return TrialHistory(())
        except OSError as error:
            raise EvaluationError(
                f"read the trial log {self.path}",
                found=error.strerror or str(error),
                expected="a readable file",
                remedy=_REMEDY,
            ) from error
        trials: list[Trial] = []
        skipped: list[str] = []
        for number, line in enumerate(lines, 1):
            try:
                trials.append(Trial.from_json(parse_json(line, most_bytes=_LINE_BYTES)))
            except MISSHAPEN as error:
                if line.strip():
                    skipped.append(f"line {number} ({type(error).__name__}: {ascii(str(error))[1:81]})")
        if skipped:
            more = f", and {len(skipped) - _NAMED} more" if len(skipped) > _NAMED else ""
            _log.warning("%s: skipped what is not a trial: %s%s", self.path, "; ".join(skipped[:_NAMED]), more)
        return TrialHistory(tuple(trials), len(skipped))

    def _open(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return open_to_append(self.path)
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> EvaluationError:
        return EvaluationError(
            f"write to the trial log {self.path}",
            found=error.strerror or str(error),
            expected="a writable file, since every evaluation is recorded",
            remedy=_REMEDY,
        )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: Any) -> float:
    number = math.nan if value is None else float(value)
    if math.isinf(number):
        raise ValueError(f"{value} in place of a finite number")
    return number
