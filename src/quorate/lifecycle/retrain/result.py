"""The result of a retraining, and the state of all of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.clock import format_ms, iso_ms
from quorate.core.text import counted
from quorate.lifecycle.retrain.run_log import RetrainRun
from quorate.workflows.results import listing

_VERDICTS = {
    "running": "at work",
    "promoted": "promoted",
    "kept": "champion kept",
    "failed": "failed, champion kept",
}


def verdict_line(run: RetrainRun, *, at_work: bool = False) -> str:
    """One line: when, what was decided, and why."""
    when = format_ms(run.started)
    if run.state == "running":
        state = (
            f"at work, {run.stage}" if at_work else f"ended in the stage {run.stage} without a verdict; it continues"
        )
        return f"{when}: {state}"
    return f"{when}: {_VERDICTS[run.state]}: {run.reason}"


@dataclass(frozen=True, slots=True, repr=False)
class RetrainResult:
    """What a retraining did. Printed, it shows its lines.

    Attributes:
        folder: of the bundles.
        run: its record.
    """

    folder: Path
    run: RetrainRun

    @property
    def promoted(self) -> bool:
        """Whether the new bundle is champion."""
        return self.run.state == "promoted"

    @property
    def lines(self) -> tuple[str, ...]:
        """What a terminal shows."""
        run = self.run
        shown = [f"Run {run.number}: {_VERDICTS[run.state]}. {_sentence(run.reason)}"]
        if run.span is not None:
            shown.append(f"trained on {format_ms(run.span[0])} to {format_ms(run.span[1])}: bundle {run.bundle}")
        if run.gate is not None:
            gate = run.gate
            shown.append(
                f"judged on {gate['from'][:16].replace('T', ' ')} to {gate['to'][:16].replace('T', ' ')}, "
                f"{gate['rows']:,} rows in {gate['days']} blocks, which neither training has used"
            )
            shown += [
                f"  {'passed' if check['passed'] else 'FAILED'}  {check['name']}: {check['found']}; "
                f"required: {check['required']}"
                for check in gate["checks"]
            ]
            shown += [f"  note: {note}" for note in gate["notes"]]
        if run.removed:
            shown.append(f"removed {', '.join(run.removed)}")
        shown.append(f"champion {run.bundle if self.promoted else run.champion}")
        return tuple(shown)

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate retrain --now --json`."""
        return {"folder": str(self.folder), **self.run.to_json()}


@dataclass(frozen=True, slots=True)
class RetrainStatus:
    """The retraining of a folder of bundles.

    Attributes:
        folder: of the bundles.
        champion: id; None where there is none.
        runs: all, oldest first.
        at_work: whether a process is retraining now.
        planned: time of the next run in ms, in the past where it is overdue; None where no schedule is known.
        why: of the next run.
    """

    folder: Path
    champion: str | None
    runs: tuple[RetrainRun, ...]
    at_work: bool
    planned: int | None
    why: str = ""

    @property
    def line(self) -> str:
        """One line: the last run and the next; empty before the first run."""
        if not self.runs:
            return ""
        return f"Last retraining, {verdict_line(self.runs[-1], at_work=self.at_work)} {self.next_line}".rstrip()

    @property
    def title(self) -> str:
        count = len(self.runs)
        return f"Retraining of {self.folder}: {counted(count, 'run')}, champion {self.champion or 'none'}"

    @property
    def marks(self) -> tuple[str, ...]:
        return ()

    @property
    def lines(self) -> listing.Lines:
        rows = [
            (
                str(run.number),
                format_ms(run.started),
                run.state if run.state != "running" or self.at_work else "interrupted",
                run.bundle or "",
                run.reason or f"stage {run.stage}",
            )
            for run in self.runs
        ]
        return listing.Lines(("run", "started", "verdict", "bundle", "why"), tuple(rows))

    @property
    def next_line(self) -> str:
        """When the next run is, and why then; empty without a schedule."""
        return "" if self.planned is None else f"Next: {format_ms(self.planned)} UTC, {self.why}."

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate retrain --status --json`."""
        return {
            "folder": str(self.folder),
            "champion": self.champion,
            "at_work": self.at_work,
            "next": None if self.planned is None else {"time": iso_ms(self.planned), "why": self.why},
            "runs": [run.to_json() for run in self.runs],
        }


def _sentence(reason: str) -> str:
    return reason if reason.endswith(".") or not reason else f"{reason}."
