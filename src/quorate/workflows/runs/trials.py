"""The trial log of a run, and the provenance of its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from quorate.core.arguments import FLAG, TEXT, path_of, require_type, require_types
from quorate.core.redaction import redact

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.evaluation.baselines.configurations import Configuration
    from quorate.evaluation.statistics.trial_log import TrialLog


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Where a run is recorded, and its provenance.

    Every evaluation and backtest is a trial. The Sharpe ratio of a run is deflated by the number of recorded trials, so
    unrecorded trials make later results too optimistic.

    >>> import quorate
    >>> quorate.RunRecord(log=False)
    RunRecord(command='', data='', verb='', log=False, path=None)

    Attributes:
        command: what started the run, to be repeated; by default the call of the workflow.
        data: where the candles came from; by default their folder.
        verb: kind of trial in the log; by default the workflow's name.
        log: write to the trial log and read it; False leaves `deflation` over the whole log out.
        path: the log's file; by default `evaluation.ledger` of the settings.
    """

    command: str = ""
    data: str = ""
    verb: str = ""
    log: bool = True
    path: Path | str | None = None

    def __post_init__(self) -> None:
        require_types(
            "record the run",
            command=(self.command, TEXT),
            data=(self.data, TEXT),
            verb=(self.verb, TEXT),
            log=(self.log, FLAG),
        )
        if self.path is not None:
            path_of("record the run", "path", self.path, "the path of a file, or None")


@dataclass(frozen=True, slots=True)
class TrialRecorder:
    """Writes configurations to the trial log and states where figures come from.

    Attributes:
        command: what started the run.
        data: where the candles came from.
        verb: kind of trial.
        trial_log: None where nothing is recorded.
    """

    command: str
    data: str
    verb: str
    trial_log: TrialLog | None

    @classmethod
    def open(cls, record: RunRecord | None, settings: Settings, *, verb: str, data: str) -> Self:
        """The recorder of a run; refused before any work begins if the log cannot be written.

        Args:
            record: as given by the caller; None for the defaults.
            settings: `evaluation.ledger` names the log.
            verb: where the record names none.
            data: where the record names none.

        Raises:
            EvaluationError: the log cannot be written.
        """
        from quorate.evaluation.statistics.trial_log import TrialLog

        require_record(record)
        if record is None:
            record = RunRecord()
        trial_log = None
        if record.log:
            trial_log = TrialLog(Path(record.path or settings.evaluation.ledger))
            trial_log.require_writable()
        verb = record.verb or verb
        # Addresses and settings in a command may hold passwords; the log and the provenance are kept and shown.
        command, named = redact(record.command or f"quorate.{verb}(...)"), redact(record.data or data)
        return cls(command, named, verb, trial_log)

    def record(
        self,
        configurations: Sequence[Configuration],
        setup: BacktestSetup,
        choices: Mapping[str, Any],
        settings: Settings,
    ) -> dict[str, Any]:
        """Write configurations to the log, deflate the first by all that the log holds, and give the provenance.

        Args:
            configurations: what was traded, the evaluated one first.
            setup: candles, costs and account.
            choices: of the configuration, what is not in the settings: markets, span, folds, features.
            settings: in force.

        Returns:
            `provenance`, and with a log `deflation` over the whole of it, JSON-safe.
        """
        from quorate.core.clock import iso_ms, now_ms
        from quorate.evaluation.provenance import code_version, data_hash
        from quorate.evaluation.selection_bias import trial_log_figures, trials

        found, code, now = data_hash(setup.candles, setup.funding, setup.marks), code_version(), iso_ms(now_ms())
        provenance = {"command": self.command, "data": self.data, "data_hash": found, "code": code, "measured": now}
        log = self.trial_log
        if log is None or not configurations:
            return {"provenance": provenance}
        sections = ("target", "costs", "account", "exits")
        shared = {**choices, **{name: asdict(getattr(settings, name)) for name in sections}}
        log.record(
            trials(configurations, shared, asdict(settings.models), time=now, code=code, verb=self.verb, data=found)
        )
        first = configurations[0]
        return {
            "provenance": {**provenance, "ledger": str(log.path)},
            "deflation": trial_log_figures(first.moments, log.read(), str(log.path), synthetic=first.result.synthetic),
        }


@dataclass(frozen=True, slots=True)
class Recorded:
    """In place of the recorder of a run that was recorded before: nothing is written again.

    Attributes:
        figures: as `TrialRecorder.record` gave them.
    """

    figures: Mapping[str, Any]

    def record(self, *_: object) -> dict[str, Any]:
        """`provenance`, and with a log `deflation`."""
        return dict(self.figures)


def require_record(record: RunRecord | None) -> None:
    """Refuse what is no `RunRecord`, before any work begins.

    Raises:
        ArgumentError: it is not.
    """
    if record is not None:
        require_type("record the run", "record", record, RunRecord, "a quorate.RunRecord, or None for the defaults")
