"""Every configuration that was ever evaluated, one JSON line each: what the best result has to be deflated by.

The file only ever grows. A line is written whole, under a lock and flushed to disk, so that several programs can share
one ledger and a crash costs at most the line it interrupts; a line that was torn is counted, and never taken for a
trial. Fields that a later version adds are kept by the file and passed over here.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.errors import EvaluationError
from quorate.evaluation.statistics.deflated_sharpe import Moments

_REMEDY = "Name another file with evaluation.ledger in quorate.toml, or QUORATE_EVALUATION__LEDGER."


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration and what it brought.

    Attributes:
        time: when it was evaluated, ISO 8601, UTC.
        code: version of the program.
        verb: of the command line.
        name: what it is called in the report.
        configuration: everything that was chosen: members, features, target, policy, settings, markets, span, folds.
        data: hash of the candles, funding and mark prices.
        synthetic: the candles were made up; real and synthetic trials never count together.
        moments: of the account's daily returns; the Sharpe ratio is a day's, not annualised.
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
        """Of the configuration alone: the same one twice is one trial."""
        text = json.dumps(self.configuration, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """One line of the ledger."""
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
        """What `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is no trial.
        """
        return cls(
            time=str(line["time"]),
            code=str(line["code"]),
            verb=str(line["verb"]),
            name=str(line["name"]),
            configuration=dict(line["configuration"]),
            data=str(line["data"]),
            synthetic=bool(line["synthetic"]),
            moments=Moments(
                _number(line["sharpe"]), int(line["observations"]), _number(line["skewness"]), _number(line["kurtosis"])
            ),
            headline=dict(line["headline"]),
        )


@dataclass(frozen=True, slots=True)
class TrialHistory:
    """What a ledger holds.

    Attributes:
        trials: in the order they were recorded.
        torn: lines that are no trial: what a crash left of one, or what something else wrote.
    """

    trials: tuple[Trial, ...]
    torn: int = 0

    def distinct(self, *, synthetic: bool) -> tuple[Trial, ...]:
        """Each configuration once, as it was evaluated last, of the real markets or of the synthetic one."""
        newest = {trial.id: trial for trial in self.trials if trial.synthetic == synthetic}
        return tuple(newest.values())


class TrialLog:
    """A file of trials.

    Args:
        path: it is made, with its folder, when the first trial is recorded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def require_writable(self) -> None:
        """Ask before the work begins whose result has to be recorded.

        Raises:
            EvaluationError: the file cannot be written.
        """
        os.close(self._open())

    def record(self, trials: Sequence[Trial]) -> None:
        """Append trials, all or none of them visible to other readers that hold the lock, and flushed to disk.

        Raises:
            EvaluationError: the file cannot be written.
        """
        lines = "".join(f"{json.dumps(trial.to_json(), allow_nan=False)}\n" for trial in trials)
        descriptor = self._open()
        import fcntl  # here, because readers need no lock and not every system has this one

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            # What a crash tore stays a line of its own.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            rest = ("\n" * torn + lines).encode()
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        except OSError as error:
            raise self._refusal(error) from error
        finally:
            os.close(descriptor)

    def read(self) -> TrialHistory:
        """Every trial there is; none where the file is not there yet.

        Raises:
            EvaluationError: the file cannot be read.
        """
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return TrialHistory(())
        except OSError as error:
            raise EvaluationError(
                f"read the trial ledger {self.path}", found=error.strerror or str(error), expected="a file of trials"
            ) from error
        trials, torn = [], 0
        for line in lines:
            try:
                trials.append(Trial.from_json(json.loads(line)))
            except (KeyError, TypeError, ValueError):
                torn += bool(line.strip())
        return TrialHistory(tuple(trials), torn)

    def _open(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> EvaluationError:
        return EvaluationError(
            f"write to the trial ledger {self.path}",
            found=error.strerror or str(error),
            expected="a file that can be written: every evaluation is recorded",
            remedy=_REMEDY,
        )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
