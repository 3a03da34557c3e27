"""Signals of thousands of markets in several processes, each with a shard of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from quorate.core.errors import BundleError
from quorate.core.machine import run_tasks
from quorate.core.machine.worker import Report
from quorate.core.progress import Progress
from quorate.core.settings import Settings
from quorate.core.types import Policy
from quorate.core.types.shards import Shard
from quorate.ensemble.inference import Predictor
from quorate.market.source import CandleSource
from quorate.workflows.inputs.predictors import load_live
from quorate.workflows.results.signals import MarketSignals, merge_signals
from quorate.workflows.runs.market_signals import read_and_predict

# A process that was killed once, such as for its memory, gets a second chance; one that is killed again will be again.
_RESTARTS = 1


@dataclass(frozen=True)
class ShardSignals:
    """What each process does: load the bundle once, then predict the markets that it is given.

    Attributes:
        path: of the bundle, or of the folder whose champion it is.
        bundle: id that is expected there.
        source: of the candles.
        settings: of the members.
        policy: to decide by, instead of the bundle's own.
        allow_training_span: also predict bars of the training span.
    """

    path: Path
    bundle: str
    source: CandleSource
    settings: Settings
    policy: Policy | None
    allow_training_span: bool

    @cached_property
    def _predictor(self) -> Predictor:
        loaded = load_live(self.path, self.settings, self.policy)
        if loaded.id != self.bundle:
            raise BundleError(
                f"predict by the bundle {self.bundle}",
                found=f"{loaded.id}, which became champion meanwhile",
                expected="the same bundle in all processes",
                remedy="Run it again.",
            )
        return loaded

    def __call__(self, shard: str, symbols: Sequence[str], report: Report) -> MarketSignals:
        """The signals of a shard's markets; reports the shard, how many are done, and of how many."""

        def tell(_stage: str, done: int, total: int) -> None:
            report(shard, done, total)

        made, _ = read_and_predict(
            self._predictor, self.source, symbols, allow_training_span=self.allow_training_span, progress=tell
        )
        return made


def predict_in_processes(
    work: ShardSignals, symbols: Sequence[str], shard: Shard, processes: int, progress: Progress
) -> MarketSignals:
    """The signals of all markets, each by the process that its name's hash names.

    A process that is killed is logged by its shard, and its shard is begun again once in another one.

    Args:
        work: what each process does.
        symbols: markets of the shard, in the order of the result.
        shard: of which each process gets an equal part.
        processes: at least 2.
        progress: told of markets done in all processes together.

    Raises:
        WorkerError: a shard's process was killed twice; the shard is named.
        QuorateError: as `read_and_predict`.
    """
    parts = {f"the shard {part}": part.select(symbols) for part in shard.split(processes)}
    parts = {name: markets for name, markets in parts.items() if markets}
    done = dict.fromkeys(parts, 0)

    def tell(name: str, count: int, _total: int) -> None:
        done[name] = count
        progress("predicting", sum(done.values()), len(symbols))

    found = run_tasks(work, list(parts), processes, report=tell, given=parts.__getitem__, restarts=_RESTARTS)
    return merge_signals([made for _, made in found], symbols)
