"""The gate: only a learner that finds what is there, and nothing where there is nothing, may see real candles.

    edge       the context tells entries with an edge from entries without: the overlay must grow by more than the
               ordinary stake, and by more than its own mean share on every entry
    walk       a random walk with costs: it must not grow by less than the ordinary stake
    free       a random walk without costs: nothing can be gained, so more than the ordinary stake or the mean share is
               a leak, and less than the ordinary stake is harm
    shuffled   the edge, with the contexts dealt out anew: the same

More and less mean an interval that lies beyond 0. Markets and seeds are fixed: the same code and settings give the same
result. Passing says that a learner works, not that there is anything to learn in real candles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from quorate.core.clock import iso_ms, now_ms
from quorate.core.errors import EvaluationError
from quorate.core.files import write_text_atomic
from quorate.core.progress import Progress, silent
from quorate.core.sections.sizing import SizingSettings
from quorate.core.settings import EvaluationSettings
from quorate.core.untrusted_json import MISSHAPEN, read_json
from quorate.core.version import code_digest
from quorate.ensemble.series.sizing_file import sizing_path
from quorate.lifecycle.sizing.comparison import above_zero, below_zero, compare, walk_sizes
from quorate.lifecycle.sizing.gate_markets import shuffled, trend_market
from quorate.lifecycle.sizing.learners import LEARNERS, Learner
from quorate.lifecycle.sizing.sized_market import SizedMarket

CASES = ("edge", "walk", "free", "shuffled")

_EDGE, _SYMBOLS, _FIRST_SEED = 0.02, 4, 101
# Of the figures of this file only; the user's are for real candles.
_EVALUATION = EvaluationSettings()

_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class SizingGate:
    """What the gate found of a learner.

    Attributes:
        learner: its name.
        digest: of the code and of the learner's settings.
        cases: name of the case -> its figures, with what it failed by under `failed`.
        at: when it was run, ISO 8601.
    """

    learner: str
    digest: str
    cases: Mapping[str, Mapping[str, Any]]
    at: str

    @property
    def failures(self) -> list[str]:
        """What it failed by, with the case; empty where it passed."""
        return [f"{case}: {reason}" for case, figures in self.cases.items() for reason in figures["failed"]]

    @property
    def passed(self) -> bool:
        """Whether the learner may be fitted on real candles."""
        return not self.failures

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate size gate --json`."""
        return {
            "learner": self.learner,
            "passed": self.passed,
            "failures": self.failures,
            "digest": self.digest,
            "at": self.at,
            "cases": {name: dict(figures) for name, figures in self.cases.items()},
        }


def gate_digest(settings: SizingSettings) -> str:
    """Digest of the code and of what a learner is set to; whether overlays are applied does not belong to it."""
    fitted = {name: value for name, value in asdict(settings).items() if name not in ("apply", "folds")}
    return sha256(f"{code_digest()} {json.dumps(fitted, sort_keys=True)}".encode()).hexdigest()


def run_gate(settings: SizingSettings, learner: Learner | None = None, progress: Progress = silent) -> SizingGate:
    """Judge a learner on the gate's markets.

    Args:
        settings: of the learner that they name, and sizes of the gate.
        learner: to judge another one.
        progress: callback.
    """
    judged = learner or LEARNERS[settings.learner]
    cases = {}
    for number, case in enumerate(CASES):
        progress("gate", number, len(CASES))
        cases[case] = run_case(case, settings, judged)
    progress("gate", len(CASES), len(CASES))
    return SizingGate(settings.learner, gate_digest(settings), cases, iso_ms(now_ms()))


def run_case(case: str, settings: SizingSettings, learner: Learner) -> dict[str, Any]:
    """Figures of one of `CASES`, as of `compare`, with what the learner failed by."""
    own = replace(settings, folds=settings.gate_folds)
    markets = [_market(case, settings, _FIRST_SEED + seed) for seed in range(settings.gate_markets)]
    figures = compare([walk_sizes(learner, market, own) for market in markets], _EVALUATION)
    return {**figures, "failed": failed(case, figures)}


def failed(case: str, figures: Mapping[str, Any]) -> list[str]:
    """What the figures of a case fail by."""
    ordinary, even = figures["against"]["ordinary"], figures["against"]["even"]
    if case == "edge":
        wanted = (("the ordinary stake", ordinary), ("its mean share on every entry", even))
        return [f"not clearly more than {name}" for name, found in wanted if not above_zero(found)]
    reasons = ["less than the ordinary stake"] if below_zero(ordinary) else []
    if case != "walk":
        beaten = (("the ordinary stake", ordinary), ("its mean share on every entry", even))
        reasons += [f"more than {name}, where nothing can be gained" for name, found in beaten if above_zero(found)]
    return reasons


def write_gate(bundles: Path, result: SizingGate) -> Path:
    """Write a result beside the bundles atomically; `bundles` is what users name.

    Raises:
        DataError: the folder cannot be written.
    """
    path = _gate_path(bundles, result.learner)
    write_text_atomic(path, json.dumps(result.to_json(), indent=1, allow_nan=False) + "\n")
    return path


def require_passed(bundles: Path, settings: SizingSettings) -> str:
    """Refuse a learner that has not passed the gate with this code and these settings; the digest of its result.

    Raises:
        EvaluationError: never judged, judged with other code or settings, or failed.
    """
    tree, wanted, remedy = read_gate(bundles, settings.learner), gate_digest(settings), _remedy(settings.learner)
    attempted = f"fit sizes by {settings.learner} on these candles"
    expected = "a learner that has passed the gate with this code and these settings"
    if tree is None or tree["digest"] != wanted:
        found = "no result of the gate" if tree is None else "a result of the gate with other code or settings"
        raise EvaluationError(attempted, found=found, expected=expected, remedy=remedy)
    if tree["passed"] is not True or tree["failures"]:
        found = f"that it failed ({'; '.join(map(str, tree['failures']))})"
        raise EvaluationError(attempted, found=found, expected=expected, remedy="Use another `sizing.learner`.")
    return wanted


def read_gate(bundles: Path, learner: str) -> Mapping[str, Any] | None:
    """The newest result of a learner as a document; None where it was never judged.

    Raises:
        EvaluationError: a file that cannot be read.
    """
    path = _gate_path(bundles, learner)
    try:
        tree = read_json(path, most_bytes=_MOST_BYTES)
        return {**tree, **{name: tree[name] for name in ("digest", "passed", "failures", "at")}}
    except FileNotFoundError:
        return None
    except (OSError, *MISSHAPEN) as error:
        raise EvaluationError(
            f"read the gate's result {path}",
            found=f"{type(error).__name__}: {error}",
            expected="what `quorate size gate` wrote",
            remedy=_remedy(learner),
        ) from error


def _remedy(learner: str) -> str:
    return f"Run: quorate size gate --learner {learner}."


def _gate_path(bundles: Path, learner: str) -> Path:
    return sizing_path(bundles, f"gate-{learner}")


def _market(case: str, settings: SizingSettings, seed: int) -> SizedMarket:
    edge = _EDGE if case in ("edge", "shuffled") else 0.0
    market = trend_market(seed, settings.gate_bars, _SYMBOLS, edge=edge, free=case == "free")
    return shuffled(market, seed) if case == "shuffled" else market
